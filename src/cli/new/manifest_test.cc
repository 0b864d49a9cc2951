// The templates of this program, and what the manifest says of them, agree.
#include "cli/new/manifest.h"

#include <embedded/templates.h>
#include <gtest/gtest.h>

#include <set>

#include "cli/new/cut.h"
#include "cli/new/options.h"

namespace wirehall::cli {
namespace {

std::vector<TemplateFile> all_files() {
  std::vector<TemplateFile> files = manifest().files;
  files.insert(files.end(), manifest().pieces.begin(), manifest().pieces.end());
  return files;
}

TEST(Manifest, EveryTemplateIsListedAndEveryListedOneIsThere) {
  std::set<std::string> listed;
  for (const TemplateFile& file : all_files()) {
    EXPECT_NE(template_bytes(file.from), nullptr) << file.from;
    listed.insert(file.from);
  }
  for (const embedded::File& file : embedded::templates()) {
    if (file.name == "manifest.json") continue;
    EXPECT_TRUE(listed.contains(std::string(file.name))) << file.name << " is in no list of manifest.json";
  }
}

TEST(Manifest, ConditionsAndMarkersNameWhatCanBeChosen) {
  const Terms known = known_terms(manifest());
  for (const TemplateFile& file : all_files()) {
    for (const std::string& term : terms_of(file.when))
      EXPECT_TRUE(known.contains(term)) << file.from << ": " << term;
    const std::string_view text = *template_bytes(file.from);
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      for (const std::string& term : terms_of(marker_of(text.substr(begin, end - begin))))
        EXPECT_TRUE(known.contains(term)) << file.from << ": " << text.substr(begin, end - begin);
      begin = end + 1;
    }
  }
}

TEST(Manifest, EveryChoiceChangesSomething) {
  std::set<std::string> used;
  for (const TemplateFile& file : all_files()) {
    used.merge(Terms(terms_of(file.when)));
    const std::string_view text = *template_bytes(file.from);
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      used.merge(Terms(terms_of(marker_of(text.substr(begin, end - begin)))));
      begin = end + 1;
    }
  }
  for (const std::string& term : known_terms(manifest())) EXPECT_TRUE(used.contains(term)) << term;
}

TEST(Manifest, NeedsNameFeaturesOrTokens) {
  for (const Feature& feature : manifest().features) {
    EXPECT_FALSE(feature.about.empty()) << feature.name;
    for (const std::string& need : feature.needs)
      EXPECT_TRUE(need == "jwt" || manifest().find(need) != nullptr) << feature.name << " needs " << need;
  }
}

// Two templates may have the same target, one or the other; never both at once.
TEST(Manifest, NoTwoFilesOfAProjectHaveTheSamePath) {
  for (const std::string& protocol : choices()[0].words) {
    for (const std::string& client : choices()[3].words) {
      ProjectOptions options;
      options.protocol = protocol;
      options.client = client;
      for (const Feature& feature : manifest().features) options.features.push_back(feature.name);
      close_features(options, manifest());
      std::set<std::string> paths;
      for (const TemplateFile& file : manifest().files) {
        const bool unused = !holds(file.when, terms_of(options));
        EXPECT_TRUE(unused || paths.insert(file.to).second) << protocol << " " << client << ": " << file.to;
      }
    }
  }
}

TEST(Manifest, AFaultyOneSaysWhere) {
  EXPECT_NE(parse_manifest("{").error().detail().find("no JSON"), std::string::npos);
  EXPECT_EQ(parse_manifest("{}").error().detail(), "the manifest has no list \"features\"");
  EXPECT_EQ(parse_manifest(R"({"features":[],"files":[{"from":"a"}],"pieces":[]})").error().detail(),
            R"(the manifest has an entry without from or to: {"from":"a"})");
}

}  // namespace
}  // namespace wirehall::cli
