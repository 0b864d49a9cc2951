#include "cli/new/plan.h"

#include <algorithm>
#include <array>

#include "base/base64.h"
#include "cli/new/cut.h"

namespace wirehall::cli {
namespace {

constexpr std::size_t kSecretBytes = 48;

std::string make_secret(RandomSource& random) {
  std::string bytes(kSecretBytes, '\0');
  random.fill(bytes);
  return to_base64url(bytes);
}

}  // namespace

std::string substitute(std::string text, const Substitutions& with, RandomSource& random) {
  const auto replace = [&](std::string_view what, auto value) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
      const std::string put = value();
      text.replace(at, what.size(), put);
      at += put.size();
    }
  };
  replace("@NAME@", [&] { return with.name; });
  replace("@VERSION@", [&] { return with.version; });
  replace("@VAPID_PUBLIC_KEY@", [&] { return with.vapid_public_key; });
  replace("@VAPID_PRIVATE_KEY@", [&] { return with.vapid_private_key; });
  replace("@SECRET@", [&] { return make_secret(random); });
  return text;
}

Result<std::vector<PlannedFile>> plan_project(const ProjectOptions& options, const Manifest& manifest,
                                              const Substitutions& with, RandomSource& random) {
  const Terms terms = terms_of(options);
  std::vector<PlannedFile> files;
  for (const TemplateFile& file : manifest.files) {
    if (!holds(file.when, terms)) continue;
    const std::string_view* bytes = template_bytes(file.from);
    if (bytes == nullptr) return Error(ErrorCode::kConfig, "the template " + file.from + " is missing");
    PlannedFile planned{file.to, substitute(cut(*bytes, terms), with, random), file.executable, false};
    planned.secret = file.to == ".env";
    files.push_back(std::move(planned));
  }
  files.push_back({"wirehall.json", to_json(options, with.version), false, false});
  std::sort(files.begin(), files.end(),
            [](const PlannedFile& a, const PlannedFile& b) { return a.path < b.path; });
  return files;
}

}  // namespace wirehall::cli
