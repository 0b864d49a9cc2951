// The manifest of the templates: which file belongs to what, and which features there are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "wirehall/result.h"

namespace wirehall::cli {

/// A feature that can be chosen.
///
/// Thread:   a plain value.
struct Feature {
  std::string name;
  std::string about;               ///< for who chooses
  std::vector<std::string> needs;  ///< other features, or `jwt`
};

/// A template.
///
/// Thread:   a plain value.
struct TemplateFile {
  std::string from;  ///< its name among the embedded files
  std::string to;    ///< where it goes in a project
  std::string when;  ///< a condition, see condition.h; empty: always
  bool executable = false;
};

/// What the manifest says.
///
/// Thread:   a plain value.
struct Manifest {
  std::vector<Feature> features;  ///< in the order in which they are asked for
  std::vector<TemplateFile> files;
  std::vector<TemplateFile>
      pieces;  ///< of `wirehall add`; `to` holds `sample`, which becomes the piece's name

  const Feature* find(std::string_view name) const;
};

/// Reads a manifest: JSON `{features: [{name, about, needs}], files: [{from, to, when?, executable?}],
/// pieces}`.
///
/// Errors:   kConfig, with the entry.
Result<Manifest> parse_manifest(std::string_view json);

/// The manifest that is part of this program. Never fails: a test reads it.
const Manifest& manifest();

/// The bytes of a template that is part of this program; nullptr when there is none of that name.
const std::string_view* template_bytes(std::string_view name);

}  // namespace wirehall::cli
