// Writing files so that an interruption leaves nothing half done.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/new/plan.h"
#include "wirehall/result.h"

namespace wirehall::cli {

/// Writes a tree into a new folder: beside it first, under a hidden name, then renamed in one step.
///
/// `go_on` is asked before each file; when it says no, what was written is removed again.
/// Errors:   kIo, with what stands in the way: the folder exists and is not empty, its parent cannot be
///           written, the disk is full; kShuttingDown: it was told not to go on. Nothing is left then.
Status write_tree(const std::filesystem::path& folder, const std::vector<PlannedFile>& files,
                  const std::function<bool()>& go_on);

/// Replaces one file by new bytes, or makes it: readers see the old ones or the new ones. The file's mode
/// stays.
///
/// Errors:   kIo.
Status replace_file(const std::filesystem::path& file, std::string_view bytes);

/// Errors:   kIo.
Result<std::string> read_text(const std::filesystem::path& file);

}  // namespace wirehall::cli
