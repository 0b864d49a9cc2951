// `wirehall add KIND NAME`: grows a project that `wirehall new` made.
#include <cstdio>
#include <filesystem>

#include "cli/commands.h"
#include "cli/new/add.h"
#include "cli/new/tree.h"
#include "server/command_line.h"

namespace wirehall::cli {
namespace fs = std::filesystem;
namespace {

constexpr int kUsage = 64;         // sysexits.h EX_USAGE
constexpr int kCannotCreate = 73;  // sysexits.h EX_CANTCREAT

int fail(const std::string& why, int status) {
  std::fprintf(stderr, "wirehall add: %s\n", why.c_str());
  return status;
}

void say(const Edit& edit) {
  switch (edit.kind) {
    case Edit::Kind::kNew: std::printf("  new      %s\n", edit.path.c_str()); break;
    case Edit::Kind::kSame: std::printf("  as it is %s\n", edit.path.c_str()); break;
    case Edit::Kind::kChanged:
      std::printf("  changed  %s\n", edit.path.c_str());
      for (const std::string& line : edit.added) std::printf("           + %s\n", line.c_str());
      break;
  }
}

int add_piece(const std::string& kind, const std::string& name) {
  const Result<PieceName> named = piece_name(name);
  if (!named.ok()) return fail(named.error().detail(), kUsage);
  std::error_code error;
  const fs::path project = find_project(fs::current_path(error));
  if (project.empty())
    return fail("this is no project of `wirehall new`: no wirehall.json here or in a folder above", kUsage);
  const Result<std::string> json = read_text(project / "wirehall.json");
  if (!json.ok()) return fail(json.error().detail(), kUsage);
  const Result<ProjectOptions> options = options_from_json(*json, manifest());
  if (!options.ok())
    return fail((project / "wirehall.json").string() + ": " + options.error().detail(), kUsage);

  const Result<std::vector<Edit>> edits = plan_piece(project, *options, kind, *named);
  if (!edits.ok()) return fail(edits.error().detail(), kUsage);
  bool changes = false;
  for (const Edit& edit : *edits) {
    if (edit.kind == Edit::Kind::kSame) continue;
    changes = true;
    // The files first, then what names them: an interruption between leaves something that builds.
    if (const Status written = replace_file(project / edit.path, edit.bytes); !written.ok())
      return fail(written.error().detail(), kCannotCreate);
  }
  if (!changes) {
    std::printf("The %s %s is there already; nothing was changed.\n", kind.c_str(), name.c_str());
    return 0;
  }
  for (const Edit& edit : *edits) say(edit);
  std::printf("\nNext: look at the new files, then ./dev test\n");
  return 0;
}

}  // namespace

void add_add(CLI::App& app, int& status) {
  server::Command command = server::Command(app).add_subcommand(
      "add", "Grow a project: a handler, a middleware, a kind of rooms, a namespace");
  command.require_subcommand();
  static constexpr std::pair<const char*, const char*> kAbout[] = {
      {"handler", "an event of your own"},
      {"middleware", "what every event passes before its handler"},
      {"room-type", "a kind of rooms with rules of its own"},
      {"namespace", "a Socket.IO namespace"}};
  for (const auto& [kind, about] : kAbout) {
    auto name = std::make_shared<std::string>();
    server::Command piece = command.add_subcommand(kind, about);
    piece.add_option("NAME", *name, "lower-case letters, digits and \"-\"").type_name("").required();
    piece.callback([kind = std::string(kind), name, &status] { status = add_piece(kind, *name); });
  }
}

}  // namespace wirehall::cli
