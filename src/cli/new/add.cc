#include "cli/new/add.h"

#include <algorithm>
#include <array>

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
  std::string_view function;             // that its source defines and src/app.cpp calls
  std::vector<std::string_view> claims;  // what no other source may hold: it has the name already
};

const std::vector<PieceKind>& kinds() {
  static const std::vector<PieceKind> kinds = {
      {"handler",
       "",
       "",
       {{"src/handlers/handlers.h", "void on_sample(wirehall::Server& io, wirehall::Hall& hall);"},
        {"src/app.cpp", "on_sample(io, hall);"}},
       "on_sample",
       {"io.on_event(\"sample\"", "event(io, hall, \"sample\"", "register_handler(\"sample\"",
        "shape({\"sample\"}"}},
      {"middleware",
       "",
       "",
       {{"src/middleware/middleware.h", "void use_sample(wirehall::Server& io);"},
        {"src/app.cpp", "use_sample(io);"}},
       "use_sample",
       {}},
      {"room-type",
       "rooms",
       "this project was made without the feature rooms",
       {{"src/rooms/rooms.h", "void add_sample_rooms(wirehall::Hall& hall);"},
        {"src/app.cpp", "add_sample_rooms(hall);"}},
       "add_sample_rooms",
       {"room_type(\"sample\""}},
      {"namespace",
       "socketio",
       "namespaces are Socket.IO's, and this project speaks the native protocol alone",
       {{"src/handlers/handlers.h", "void serve_sample_namespace(wirehall::Server& io);"},
        {"src/app.cpp", "serve_sample_namespace(io);"}},
       "serve_sample_namespace",
       {}}};
  return kinds;
}

constexpr std::string_view kSample = "sample";

// In names of code and files the piece is an identifier, everywhere else it is called as it was named. One
// pass, since a name may hold "sample" itself.
std::string named(std::string_view text, const PieceName& name) {
  std::string out;
  while (!text.empty()) {
    const std::string_view behind = text.substr(std::min(text.size(), kSample.size()));
    const bool is_identifier = out.ends_with('_') || behind.starts_with('_') || behind.starts_with(".cpp");
    if (text.starts_with("Sample")) {
      out += name.pascal;
    } else if (text.starts_with(kSample)) {
      out += is_identifier ? name.snake : name.kebab;
    } else {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    text = behind;
  }
  return out;
}

std::string path_of(std::string to, const PieceName& name) {
  return to.replace(to.find(kSample), kSample.size(), name.snake);
}

// The file that every piece of a kind has.
std::string own_source(std::string_view kind, const PieceName& name) {
  for (const TemplateFile& file : manifest().pieces) {
    if (fs::path(file.from).parent_path().filename() == kind) return path_of(file.to, name);
  }
  return {};
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

// Names that Socket.IO, or the native protocol, keeps for itself: a handler would never be called.
constexpr std::array<std::string_view, 5> kReservedEvents = {"connect", "disconnect", "disconnecting", "ack",
                                                             "ping"};

// Whether a piece of that name can be added: nothing else in the project has the name. Errors: kConflict;
// kIo.
Status check_free(const fs::path& project, const PieceKind& kind, const PieceName& name) {
  const auto taken = [&](const std::string& by) {
    return Error(ErrorCode::kConflict,
                 "the " + kind.name + " cannot be called \"" + name.kebab + "\": " + by);
  };
  const bool is_reserved =
      std::find(kReservedEvents.begin(), kReservedEvents.end(), name.kebab) != kReservedEvents.end();
  if (kind.name == "handler" && is_reserved) return taken("the protocols keep that event for themselves");

  const std::string function = named(kind.function, name);
  const Mention& declaration = kind.mentions.front();
  const Result<std::string> header = read_text(project / declaration.file);
  if (!header.ok()) return header.error();
  if (header->find("void " + function + "(") != std::string::npos &&
      header->find(named(declaration.line, name)) == std::string::npos)
    return taken(std::string(declaration.file) + " declares another " + function + "()");

  std::vector<std::string> claims = {"void " + function + "("};
  for (const std::string_view claim : kind.claims) claims.push_back(named(claim, name));
  const fs::path own = project / own_source(kind.name, name);
  std::error_code error;
  for (fs::recursive_directory_iterator each(project / "src", error), end; each != end;
       each.increment(error)) {
    if (each->path().extension() != ".cpp") continue;
    const Result<std::string> text = read_text(each->path());
    if (!text.ok()) return text.error();
    const std::string path = fs::relative(each->path(), project, error).generic_string();
    if (each->path() == own) {
      if (text->find(function) == std::string::npos)
        return taken(path + " is there already, and has no " + function + "()");
      continue;
    }
    for (const std::string& claim : claims) {
      if (text->find(claim) != std::string::npos) return taken(path + " has it already (" + claim + ")");
    }
  }
  if (error) return Error(ErrorCode::kIo, (project / "src").string() + ": " + error.message());
  return {};
}

// A test that is there while the source of the same name is to be made.
std::vector<Edit>::const_iterator other_test(const std::vector<Edit>& edits) {
  return std::find_if(edits.begin(), edits.end(), [](const Edit& edit) {
    return edit.kind == Edit::Kind::kSame && edit.path.starts_with("tests/");
  });
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

  if (Status free = check_free(project, *kind, name); !free.ok()) return free.error();

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
  const bool has_source = edits.front().kind == Edit::Kind::kSame;
  for (const Mention& each : kind->mentions) {
    Result<Edit> edit = mention(project, *kind, each, name);
    if (!edit.ok()) return edit.error();
    edits.push_back(std::move(*edit));
  }
  // Lines are added last: where they are all there, so is the piece, and a test that is gone stays away.
  const bool is_known =
      std::all_of(edits.end() - static_cast<std::ptrdiff_t>(kind->mentions.size()), edits.end(),
                  [](const Edit& edit) { return edit.kind == Edit::Kind::kSame; });
  if (has_source && is_known) {
    for (Edit& edit : edits) edit = Edit{Edit::Kind::kSame, edit.path, {}, {}};
  } else if (const auto taken = other_test(edits); !has_source && !is_known && taken != edits.end()) {
    return Error(ErrorCode::kConflict,
                 taken->path + " is there already, and is the test of something else; choose another name");
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
