// What can be chosen for a project, and what goes together.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/new/condition.h"
#include "cli/new/manifest.h"
#include "wirehall/result.h"

namespace wirehall::cli {

/// Thread:   a plain value.
struct ProjectOptions {
  std::string name;  ///< of the folder and the program
  std::string protocol = "both";
  std::vector<std::string> features = {"rooms",  "presence", "history", "private-messages",
                                       "typing", "uploads"};
  std::string auth = "jwt";
  std::string store = "sqlite";
  std::string client = "js";

  friend bool operator==(const ProjectOptions&, const ProjectOptions&) = default;
};

/// One thing that is chosen by a word.
///
/// Thread:   a plain value.
struct Choice {
  std::string flag;  ///< without dashes
  std::string question;
  std::vector<std::string> words;  ///< the first is the default
  std::vector<std::string> about;  ///< of each word
  std::string ProjectOptions::*value;
};
const std::vector<Choice>& choices();

inline constexpr std::size_t kProjectNameBytesMax = 64;

/// Whether a project can be called so: `[a-z][a-z0-9-]*`, and nothing that CMake has a target for.
/// Errors:   kConfig, with the reason.
Status check_project_name(std::string_view name);

/// Reads what was given for --features: names between commas, `all` or `none`.
/// Errors:   kConfig: a name that is not known, with the one that may have been meant.
Result<std::vector<std::string>> parse_features(std::string_view text, const Manifest& manifest);

/// Adds what the chosen features need, and puts them into the manifest's order.
/// Returns:  the features that were added.
std::vector<std::string> close_features(ProjectOptions& options, const Manifest& manifest);

/// What the single options do not show. Requires: the features are closed.
/// Errors:   kConfig: an option has no such word; a combination that cannot work, with the reason.
Status check_options(const ProjectOptions& options, const Manifest& manifest);

/// What holds for templates of a project with these options.
Terms terms_of(const ProjectOptions& options);
/// Every term that a template may name.
Terms known_terms(const Manifest& manifest);

/// A word as a shell reads it: in quotes where it needs them.
std::string shell_word(std::string_view text);
/// The command that makes the same project again without a question.
std::string command_line(const ProjectOptions& options, std::string_view folder);

/// What is kept in a project's `wirehall.json` for `wirehall add`, and back.
std::string to_json(const ProjectOptions& options, std::string_view version);
/// Errors:   kConfig.
Result<ProjectOptions> options_from_json(std::string_view json, const Manifest& manifest);

}  // namespace wirehall::cli
