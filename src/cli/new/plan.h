// A project's files, as values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "cli/new/options.h"

namespace wirehall::cli {

/// Thread:   a plain value.
struct PlannedFile {
  std::string path;  ///< relative to the project, with slashes
  std::string bytes;
  bool executable = false;
  bool secret = false;  ///< for its owner alone
};

/// What templates may name between at-signs: @NAME@, @VERSION@, @SECRET@ (fresh for each place),
/// @VAPID_PUBLIC_KEY@ and @VAPID_PRIVATE_KEY@ (one pair for a project).
///
/// Thread:   a plain value.
struct Substitutions {
  std::string name;
  std::string version;
  std::string vapid_public_key;
  std::string vapid_private_key;
};
std::string substitute(std::string text, const Substitutions& with, RandomSource& random);

/// The files of a project with these options, sorted by their paths.
///
/// Requires: the options are checked and closed.
/// Errors:   kConfig: a template is missing, which a test of the program shows;
Result<std::vector<PlannedFile>> plan_project(const ProjectOptions& options, const Manifest& manifest,
                                              const Substitutions& with, RandomSource& random);

}  // namespace wirehall::cli
