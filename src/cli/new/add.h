// A piece that is added to a project: a file, its test, and the lines that make it known.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "cli/new/options.h"

namespace wirehall::cli {

/// Names of a piece, made of one: `move-player` gives `move_player` and `MovePlayer`.
///
/// Thread:   a plain value.
struct PieceName {
  std::string kebab;
  std::string snake;
  std::string pascal;
};
inline constexpr std::size_t kPieceNameBytesMax = 40;
/// Errors:   kConfig, with the reason: a name is `[a-z][a-z0-9-]*`.
Result<PieceName> piece_name(std::string_view name);

/// What becomes of a file.
///
/// Thread:   a plain value.
struct Edit {
  enum class Kind { kNew, kChanged, kSame };
  Kind kind = Kind::kSame;
  std::string path;                ///< relative to the project
  std::string bytes;               ///< of the whole file, when it is new or changed
  std::vector<std::string> added;  ///< lines
};

/// The kinds of pieces: handler, middleware, room-type, namespace.
const std::vector<std::string>& piece_kinds();

/// What adding a piece changes; nothing is written. A source that is there already stays as it is, lines that
/// are there already are not added again, and a piece that is known already gets no new test.
///
/// Errors:   kConfig: the kind does not fit the project; kConflict: something else has the name, and the
///           detail says where; or the lines have no place, since the comment that marks it is gone, and the
///           detail says which lines to add by hand; kIo.
Result<std::vector<Edit>> plan_piece(const std::filesystem::path& project, const ProjectOptions& options,
                                     std::string_view kind, const PieceName& name);

/// Puts a line where a text has an anchor: above the line that is `// wirehall add: KIND`, with its
/// indentation.
///
/// Returns:  false when there is no anchor; true too when the line is there already.
bool add_line(std::string& text, std::string_view kind, std::string_view line, bool& changed);

/// The folder at or above `from` that `wirehall new` made: it holds `wirehall.json`. Empty: there is none.
std::filesystem::path find_project(std::filesystem::path from);

}  // namespace wirehall::cli
