#include "cli/new/manifest.h"

#include <embedded/templates.h>

#include <algorithm>

#include "base/assert.h"
#include "wirehall/value.h"

namespace wirehall::cli {
namespace {

std::string text_of(const Value& entry, std::string_view name) {
  const std::string* text = entry.find_string(name);
  return text == nullptr ? std::string() : *text;
}

Result<std::vector<TemplateFile>> parse_files(const Value& root, std::string_view list) {
  std::vector<TemplateFile> files;
  const Value* entries = root.find(list);
  if (entries == nullptr || !entries->is_array())
    return Error(ErrorCode::kConfig, "the manifest has no list \"" + std::string(list) + "\"");
  for (const Value& entry : entries->as_array()) {
    TemplateFile file{text_of(entry, "from"), text_of(entry, "to"), text_of(entry, "when"), false};
    const Value* executable = entry.find("executable");
    file.executable = executable != nullptr && executable->is_bool() && executable->as_bool();
    if (file.from.empty() || file.to.empty())
      return Error(ErrorCode::kConfig, "the manifest has an entry without from or to: " + entry.to_json());
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace

const Feature* Manifest::find(std::string_view name) const {
  const auto found = std::find_if(features.begin(), features.end(),
                                  [&](const Feature& feature) { return feature.name == name; });
  return found == features.end() ? nullptr : &*found;
}

Result<Manifest> parse_manifest(std::string_view json) {
  const Result<Value> root = Value::from_json(json);
  if (!root.ok()) return Error(ErrorCode::kConfig, "the manifest is no JSON: " + root.error().text());
  Manifest manifest;
  const Value* features = root->find("features");
  if (features == nullptr || !features->is_array())
    return Error(ErrorCode::kConfig, "the manifest has no list \"features\"");
  for (const Value& entry : features->as_array()) {
    Feature feature{text_of(entry, "name"), text_of(entry, "about"), {}};
    if (feature.name.empty()) return Error(ErrorCode::kConfig, "a feature has no name: " + entry.to_json());
    if (const Value* needs = entry.find("needs"); needs != nullptr && needs->is_array()) {
      for (const Value& need : needs->as_array()) {
        if (need.is_string()) feature.needs.push_back(need.as_string());
      }
    }
    manifest.features.push_back(std::move(feature));
  }
  Result<std::vector<TemplateFile>> files = parse_files(*root, "files");
  if (!files.ok()) return files.error();
  Result<std::vector<TemplateFile>> pieces = parse_files(*root, "pieces");
  if (!pieces.ok()) return pieces.error();
  manifest.files = std::move(*files);
  manifest.pieces = std::move(*pieces);
  return manifest;
}

const Manifest& manifest() {
  static const Manifest manifest = [] {
    const std::string_view* json = template_bytes("manifest.json");
    WIREHALL_ASSERT(json != nullptr);
    Result<Manifest> parsed = parse_manifest(*json);
    WIREHALL_ASSERT(parsed.ok());
    return std::move(*parsed);
  }();
  return manifest;
}

const std::string_view* template_bytes(std::string_view name) {
  const std::span<const embedded::File> files = embedded::templates();
  const auto found =
      std::find_if(files.begin(), files.end(), [&](const embedded::File& file) { return file.name == name; });
  return found == files.end() ? nullptr : &found->bytes;
}

}  // namespace wirehall::cli
