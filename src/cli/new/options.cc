#include "cli/new/options.h"

#include <algorithm>
#include <array>

#include "base/suggest.h"
#include "wirehall/value.h"

namespace wirehall::cli {
namespace {

// Targets that CMake, or a generated project, has already; and what would be in its own way.
constexpr std::array<std::string_view, 16> kReservedNames = {
    "all",    "clean",  "help",     "install", "package", "test", "edit_cache", "rebuild_cache",
    "depend", "format", "wirehall", "cmake",   "build",   "src",  "tests",      "client"};

bool contains(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

std::string joined(const std::vector<std::string>& list, std::string_view separator) {
  std::string text;
  for (const std::string& word : list) text.append(text.empty() ? "" : separator).append(word);
  return text;
}

std::string did_you_mean(std::string_view given, const std::vector<std::string>& known) {
  const std::string best = closest(given, known);
  return best.empty() ? "" : "; did you mean \"" + best + "\"?";
}

std::vector<std::string> names_of(const Manifest& manifest) {
  std::vector<std::string> names;
  for (const Feature& feature : manifest.features) names.push_back(feature.name);
  return names;
}

Error refused(std::string why) { return Error(ErrorCode::kConfig, std::move(why)); }

}  // namespace

const std::vector<Choice>& choices() {
  static const std::vector<Choice> choices = {
      {"protocol",
       "Which protocol do clients speak?",
       {"both", "socketio", "native"},
       {"Socket.IO and plain WebSocket, in the same rooms", "Socket.IO: clients use socket.io-client",
        "plain WebSocket with JSON frames"},
       &ProjectOptions::protocol},
      {"auth",
       "How do clients prove who they are?",
       {"jwt", "none"},
       {"a token that your backend signs", "they say who they are: for trusted networks and games"},
       &ProjectOptions::auth},
      {"store",
       "Where are messages kept?",
       {"sqlite", "memory"},
       {"in one file on the disk", "nowhere: a restart forgets them"},
       &ProjectOptions::store},
      {"client",
       "Which client comes with it?",
       {"js", "cpp", "none"},
       {"a web page and the JavaScript SDK", "a C++ program for the terminal", "none"},
       &ProjectOptions::client}};
  return choices;
}

Status check_project_name(std::string_view name) {
  const auto say = [&](std::string_view why) {
    return Status(refused("a project cannot be called \"" + std::string(name) + "\": " + std::string(why)));
  };
  if (name.empty()) return refused("the project needs a name");
  if (name.size() > kProjectNameBytesMax)
    return say("a name has at most " + std::to_string(kProjectNameBytesMax) + " letters");
  if (name[0] < 'a' || name[0] > 'z') return say("a name begins with a letter from a to z");
  const auto wrong = std::find_if(name.begin(), name.end(), [](char c) {
    return !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-');
  });
  if (wrong != name.end()) return say("a name has letters from a to z, digits and \"-\" alone");
  if (name.ends_with('-') || name.find("--") != std::string_view::npos)
    return say("a \"-\" stands between other characters");
  if (std::find(kReservedNames.begin(), kReservedNames.end(), name) != kReservedNames.end())
    return say("the build has something of that name already");
  return {};
}

Result<std::vector<std::string>> parse_features(std::string_view text, const Manifest& manifest) {
  const std::vector<std::string> known = names_of(manifest);
  std::vector<std::string> features;
  bool none = false;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    std::string word(text.substr(begin, end - begin));
    begin = end + 1;
    word.erase(0, word.find_first_not_of(" \t"));
    word.erase(word.find_last_not_of(" \t") + 1);
    if (word.empty()) continue;
    if (word == "none") {
      none = true;
    } else if (word == "all") {
      features = known;
    } else if (!contains(known, word)) {
      return refused("there is no feature \"" + word + "\"" + did_you_mean(word, known) +
                     "\nFeatures are: " + joined(known, ", ") + "; or all, or none");
    } else if (!contains(features, word)) {
      features.push_back(std::move(word));
    }
  }
  if (none && !features.empty()) return refused("\"none\" stands alone: no feature, or some");
  if (!none && features.empty())
    return refused("--features is empty; a project without any is made with --features none");
  return features;
}

std::vector<std::string> close_features(ProjectOptions& options, const Manifest& manifest) {
  std::vector<std::string> added;
  for (std::size_t i = 0; i < options.features.size(); ++i) {  // it grows
    const Feature* feature = manifest.find(options.features[i]);
    if (feature == nullptr) continue;
    for (const std::string& need : feature->needs) {
      if (manifest.find(need) == nullptr || contains(options.features, need)) continue;
      options.features.push_back(need);
      added.push_back(need);
    }
  }
  std::vector<std::string> ordered;
  for (const Feature& feature : manifest.features) {
    if (contains(options.features, feature.name)) ordered.push_back(feature.name);
  }
  options.features = std::move(ordered);
  return added;
}

Status check_options(const ProjectOptions& options, const Manifest& manifest) {
  for (const Choice& choice : choices()) {
    const std::string& given = options.*choice.value;
    if (!contains(choice.words, given))
      return refused("--" + choice.flag + " cannot be \"" + given + "\"" + did_you_mean(given, choice.words) +
                     "\nIt is one of: " + joined(choice.words, ", "));
  }
  for (const std::string& name : options.features) {
    const Feature* feature = manifest.find(name);
    if (feature == nullptr) return refused("there is no feature \"" + name + "\"");
    if (contains(feature->needs, "jwt") && options.auth != "jwt")
      return refused("\"" + name + "\" needs --auth jwt: without tokens anybody could subscribe as anybody");
  }
  return {};
}

Terms terms_of(const ProjectOptions& options) {
  Terms terms(options.features.begin(), options.features.end());
  terms.insert(options.protocol == "native" ? "no-socketio" : "socketio");
  terms.insert(options.protocol == "socketio" ? "no-native" : "native");
  terms.insert(options.auth == "jwt" ? "jwt" : "no-auth");
  terms.insert(options.store);
  terms.insert(options.client == "none" ? "no-client" : options.client);
  return terms;
}

Terms known_terms(const Manifest& manifest) {
  Terms terms = {"socketio", "no-socketio", "native", "no-native", "jwt",      "no-auth",
                 "sqlite",   "memory",      "js",     "cpp",       "no-client"};
  for (const Feature& feature : manifest.features) terms.insert(feature.name);
  return terms;
}

std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./+:@%,=";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos) return std::string(text);
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

std::string command_line(const ProjectOptions& options, std::string_view folder) {
  std::string line = "wirehall new " + shell_word(folder);
  line += " --features " + (options.features.empty() ? "none" : joined(options.features, ","));
  for (const Choice& choice : choices()) line += " --" + choice.flag + " " + options.*choice.value;
  return line;
}

std::string to_json(const ProjectOptions& options, std::string_view version) {
  Array features;
  for (const std::string& feature : options.features) features.emplace_back(feature);
  std::string text = "{\n  \"wirehall\": \"" + std::string(version) + "\",\n";
  text += "  \"name\": \"" + options.name + "\",\n";
  text += "  \"features\": " + Value(std::move(features)).to_json();
  for (const Choice& choice : choices())
    text += ",\n  \"" + choice.flag + "\": \"" + options.*choice.value + "\"";
  return text + "\n}\n";
}

Result<ProjectOptions> options_from_json(std::string_view json, const Manifest& manifest) {
  const Result<Value> root = Value::from_json(json);
  if (!root.ok() || !root->is_object()) return refused("it is no JSON object");
  ProjectOptions options;
  const std::string* name = root->find_string("name");
  if (name == nullptr) return refused("it has no name");
  options.name = *name;
  options.features.clear();
  if (const Value* features = root->find("features"); features != nullptr && features->is_array()) {
    for (const Value& feature : features->as_array()) {
      if (feature.is_string()) options.features.push_back(feature.as_string());
    }
  }
  for (const Choice& choice : choices()) {
    if (const std::string* word = root->find_string(choice.flag)) options.*choice.value = *word;
  }
  if (const Status status = check_options(options, manifest); !status.ok()) return status.error();
  return options;
}

}  // namespace wirehall::cli
