#include "cli/new/add.h"

#include <algorithm>

#include "base/suggest.h"
#include "cli/new/cut.h"
#include "cli/new/tree.h"

namespace wirehall::cli {
namespace fs = std::filesystem;
namespace {

// A line that makes a piece known, in a file that every project has.
struct Mention {
  std::string_view file;
  std::string_view line;  // `sample`, in its three writings, becomes the piece's name
};

struct PieceKind {
  std::string name;
  std::string when;  // what the project must have
  std::string else_why;
  std::vector<Mention> mentions;
};

const std::vector<PieceKind>& kinds() {
  static const std::vector<PieceKind> kinds = {
      {"handler",
       "",
       "",
       {{"src/handlers/handlers.h", "void on_sample(wirehall::Server& io, wirehall::Hall& hall);"},
        {"src/app.cpp", "on_sample(io, hall);"}}},
      {"middleware",
       "",
       "",
       {{"src/middleware/middleware.h", "void use_sample(wirehall::Server& io);"},
        {"src/app.cpp", "use_sample(io);"}}},
      {"room-type",
       "rooms",
       "this project was made without the feature rooms",
       {{"src/rooms/rooms.h", "void add_sample_rooms(wirehall::Hall& hall);"},
        {"src/app.cpp", "add_sample_rooms(hall);"}}},
      {"namespace",
       "socketio",
       "namespaces are Socket.IO's, and this project speaks the native protocol alone",
       {{"src/handlers/handlers.h", "void serve_sample_namespace(wirehall::Server& io);"},
        {"src/app.cpp", "serve_sample_namespace(io);"}}}};
  return kinds;
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

// In names of code and files the piece is an identifier, everywhere else it is called as it was named.
std::string named(std::string text, const PieceName& name) {
  replace_all(text, "Sample", name.pascal);
  replace_all(text, "_sample", "_" + name.snake);
  replace_all(text, "sample_", name.snake + "_");
  replace_all(text, "sample.cpp", name.snake + ".cpp");
  replace_all(text, "sample", name.kebab);
  return text;
}

std::string path_of(std::string to, const PieceName& name) {
  replace_all(to, "sample", name.snake);
  return to;
}

Result<Edit> mention(const fs::path& project, const PieceKind& kind, const Mention& mention,
                     const PieceName& name) {
  Edit edit;
  edit.path = mention.file;
  Result<std::string> text = read_text(project / edit.path);
  if (!text.ok()) return text.error();
  const std::string line = named(std::string(mention.line), name);
  bool changed = false;
  if (!add_line(*text, kind.name, line, changed))
    return Error(ErrorCode::kConflict,
                 edit.path + " has no line \"// wirehall add: " + kind.name +
                     "\" above which this would go; put the comment back, or add by hand:\n    " + line);
  if (changed) {
    edit.kind = Edit::Kind::kChanged;
    edit.bytes = std::move(*text);
    edit.added = {line};
  }
  return edit;
}

}  // namespace

Result<PieceName> piece_name(std::string_view name) {
  const auto refuse = [&](std::string_view why) {
    return Error(ErrorCode::kConfig,
                 "a piece cannot be called \"" + std::string(name) + "\": " + std::string(why));
  };
  if (name.empty() || name.size() > kPieceNameBytesMax)
    return refuse("a name has 1 to " + std::to_string(kPieceNameBytesMax) + " letters");
  if (name[0] < 'a' || name[0] > 'z') return refuse("a name begins with a letter from a to z");
  PieceName made{std::string(name), {}, {}};
  bool upper = true;
  for (const char c : name) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
      return refuse("a name has letters from a to z, digits and \"-\" alone");
    if (c == '-' && upper) return refuse("a \"-\" stands between other characters");
    made.snake += c == '-' ? '_' : c;
    if (c != '-') made.pascal += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    upper = c == '-';
  }
  if (upper) return refuse("a \"-\" stands between other characters");
  return made;
}

const std::vector<std::string>& piece_kinds() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const PieceKind& kind : kinds()) all.push_back(kind.name);
    return all;
  }();
  return names;
}

Result<std::vector<Edit>> plan_piece(const fs::path& project, const ProjectOptions& options,
                                     std::string_view kind_name, const PieceName& name) {
  const auto kind = std::find_if(kinds().begin(), kinds().end(),
                                 [&](const PieceKind& each) { return each.name == kind_name; });
  if (kind == kinds().end())
    return Error(ErrorCode::kConfig, "there is no \"" + std::string(kind_name) + "\" to add");
  const Terms terms = terms_of(options);
  if (!holds(kind->when, terms)) return Error(ErrorCode::kConfig, kind->else_why);

  std::vector<Edit> edits;
  for (const TemplateFile& file : manifest().pieces) {
    const fs::path source(file.from);
    if (source.parent_path().filename() != kind_name || !holds(file.when, terms)) continue;
    const std::string_view* bytes = template_bytes(file.from);
    if (bytes == nullptr) return Error(ErrorCode::kConfig, "the template " + file.from + " is missing");
    Edit edit;
    edit.path = path_of(file.to, name);
    if (!fs::exists(project / edit.path)) {
      edit.kind = Edit::Kind::kNew;
      edit.bytes = named(cut(*bytes, terms), name);
    }
    edits.push_back(std::move(edit));
  }
  const auto taken = std::find_if(edits.begin(), edits.end(),
                                  [](const Edit& edit) { return edit.kind == Edit::Kind::kSame; });
  if (taken != edits.end() && edits.front().kind == Edit::Kind::kNew)
    return Error(ErrorCode::kConflict,
                 taken->path + " is there already, and belongs to something else; choose another name");
  for (const Mention& each : kind->mentions) {
    Result<Edit> edit = mention(project, *kind, each, name);
    if (!edit.ok()) return edit.error();
    edits.push_back(std::move(*edit));
  }
  return edits;
}

bool add_line(std::string& text, std::string_view kind, std::string_view line, bool& changed) {
  const std::string anchor = "// wirehall add: " + std::string(kind);
  std::size_t insert_at = std::string::npos;
  std::string indentation;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view whole = std::string_view(text).substr(begin, end - begin);
    const std::size_t first = std::min(whole.find_first_not_of(" \t"), whole.size());
    const std::string_view content = whole.substr(first);
    if (content == line) return true;
    if (content == anchor) {
      insert_at = begin;
      indentation = whole.substr(0, first);
    }
    begin = end + 1;
  }
  if (insert_at == std::string::npos) return false;
  text.insert(insert_at, indentation + std::string(line) + "\n");
  changed = true;
  return true;
}

fs::path find_project(fs::path from) {
  for (;;) {
    std::error_code error;
    if (fs::is_regular_file(from / "wirehall.json", error)) return from;
    if (!from.has_parent_path() || from == from.root_path()) return {};
    from = from.parent_path();
  }
}

}  // namespace wirehall::cli
