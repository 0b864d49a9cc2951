#include "cli/connect_line.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/json.h"

namespace wirehall::cli {
namespace {

constexpr std::array<std::string_view, 16> kCommands = {
    "emit", "exit", "file", "help",  "history", "join", "leave", "private",
    "quit", "say",  "send", "token", "unwatch", "wait", "watch", "who"};

constexpr std::array<std::string_view, 32> kHallEvents = {
    "broadcast",      "call-answer",  "call-end",    "call-reject",     "call-user",       "create-room",
    "delete-message", "edit-message", "history",     "ice-servers",     "invite",          "join-room",
    "kick",           "leave-room",   "mark-read",   "message",         "message-edited",  "message-deleted",
    "message-read",   "new-message",  "presence",    "presence-update", "private-message", "push-subscribe",
    "refresh-token",  "set-role",     "stop-typing", "typing",          "update-status",   "user-joined",
    "user-left",      "user-typing"};

constexpr std::string_view kSpace = " \t";

std::string_view take_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(kSpace), rest.size()));
  const std::string_view word = rest.substr(0, rest.find_first_of(kSpace));
  rest.remove_prefix(word.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(kSpace), rest.size()));
  return word;
}

Error usage(const std::string& how) { return Error(ErrorCode::kInvalidFormat, how); }

ConnectCommand request(std::string event, Value fields) {
  ConnectCommand command;
  command.kind = ConnectCommand::Kind::kRequest;
  command.event = std::move(event);
  command.args.push_back(std::move(fields));
  return command;
}

// A room that is named, or the one that was entered last.
Result<std::string> room_or_last(std::string_view word, const ConnectSeen& seen) {
  if (!word.empty()) return std::string(word);
  if (seen.room.empty()) return Error(ErrorCode::kInvalidFormat, "name a room, or enter one: join ROOM");
  return seen.room;
}

Result<ConnectCommand> say(std::string_view rest, const ConnectSeen& seen) {
  std::string_view text = rest;
  const std::string first(take_word(text));
  std::string room = seen.room;
  if (!text.empty() && seen.rooms.contains(first)) {
    room = first;
  } else {
    text = rest;
  }
  if (text.empty()) return usage("say [ROOM] TEXT, where ROOM is one that you are in");
  if (room.empty()) return usage("you are in no room: join ROOM first");
  return request("message", Object{{"roomId", room}, {"content", text}});
}

Result<ConnectCommand> history(std::string_view rest, const ConnectSeen& seen) {
  std::string_view first = take_word(rest);
  std::string_view count = rest;
  if (count.empty() && !first.empty() && first.find_first_not_of("0123456789") == std::string_view::npos &&
      !seen.room.empty())
    std::swap(first, count);
  const Result<std::string> room = room_or_last(first, seen);
  if (!room.ok()) return room.error();
  Object fields{{"roomId", *room}};
  if (!count.empty()) {
    std::int64_t limit = 0;
    const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), limit);
    if (error != std::errc() || end != count.data() + count.size()) return usage("history [ROOM] [HOW MANY]");
    fields.set("limit", limit);
  }
  return request("history", std::move(fields));
}

Result<ConnectCommand> membership(const std::string& event, std::string_view rest, const ConnectSeen& seen) {
  const bool join = event == "join-room";
  if (join && rest.empty()) return usage("join ROOM");
  const Result<std::string> room = room_or_last(rest, seen);
  if (!room.ok()) return room.error();
  ConnectCommand command = request(event, Object{{"roomId", *room}});
  command.room = *room;
  return command;
}

Result<ConnectCommand> waiting(ConnectCommand::Kind kind, std::string_view rest) {
  ConnectCommand command;
  command.kind = kind;
  command.event = std::string(take_word(rest));
  if (kind == ConnectCommand::Kind::kUnwatch && command.event.empty()) return usage("unwatch EVENT");
  if (kind != ConnectCommand::Kind::kWait) return command;
  if (command.event.empty()) return usage("wait EVENT [MILLISECONDS]");
  if (rest.empty()) return command;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), command.wait_ms);
  if (error != std::errc() || end != rest.data() + rest.size() || command.wait_ms < 0)
    return usage("wait EVENT [MILLISECONDS]");
  return command;
}

Result<ConnectCommand> file(std::string_view rest, const ConnectSeen& seen) {
  ConnectCommand command;
  command.kind = ConnectCommand::Kind::kFile;
  command.path = std::string(take_word(rest));
  if (command.path.empty()) return usage("file PATH [ROOM]");
  const Result<std::string> room = room_or_last(rest, seen);
  if (!room.ok()) return room.error();
  command.room = *room;
  return command;
}

Result<ConnectCommand> emit(std::string_view rest) {
  const std::string event(take_word(rest));
  if (event.empty()) return usage("emit EVENT [JSON…], for example: emit update-status \"away\"");
  Result<std::vector<Value>> args = parse_values(rest);
  if (!args.ok()) return args.error();
  ConnectCommand command;
  command.kind = ConnectCommand::Kind::kRequest;
  command.event = event;
  command.args = std::move(*args);
  return command;
}

// Where the value that the text begins with ends: at white space outside of quotes and brackets.
std::size_t value_end(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
    } else if (depth <= 0 && kSpace.find(c) != std::string_view::npos) {
      return i;
    }
  }
  return text.size();
}

void add_matching(std::vector<std::string>& out, std::string_view begin, const auto& names) {
  for (const auto& name : names) {
    if (std::string_view(name).starts_with(begin)) out.emplace_back(name);
  }
}

}  // namespace

Result<std::vector<Value>> parse_values(std::string_view text) {
  std::vector<Value> values;
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
    if (text.empty()) return values;
    const std::string_view part = text.substr(0, value_end(text));
    text.remove_prefix(part.size());
    Result<Value> value = Value::from_json(part);
    if (value.ok()) {
      json::restore_bytes(*value);
      values.push_back(std::move(*value));
    } else if (part.find_first_of("\"{}[]") == std::string_view::npos) {
      values.emplace_back(part);
    } else {
      return Error(ErrorCode::kInvalidFormat, std::string(part) + " is no JSON: " + value.error().detail());
    }
  }
}

Result<ConnectCommand> parse_line(std::string_view line, const ConnectSeen& seen) {
  while (!line.empty() && kSpace.find(line.back()) != std::string_view::npos) line.remove_suffix(1);
  std::string_view rest = line;
  const std::string_view word = take_word(rest);
  ConnectCommand command;
  if (word.empty()) return command;
  if (word == "help") {
    command.kind = ConnectCommand::Kind::kHelp;
    return command;
  }
  if (word == "quit" || word == "exit") {
    command.kind = ConnectCommand::Kind::kQuit;
    return command;
  }
  if (word == "emit" || word == "send") return emit(rest);
  if (word == "join") return membership("join-room", rest, seen);
  if (word == "leave") return membership("leave-room", rest, seen);
  if (word == "say") return say(rest, seen);
  if (word == "history") return history(rest, seen);
  if (word == "watch") return waiting(ConnectCommand::Kind::kWatch, rest);
  if (word == "unwatch") return waiting(ConnectCommand::Kind::kUnwatch, rest);
  if (word == "wait") return waiting(ConnectCommand::Kind::kWait, rest);
  if (word == "file") return file(rest, seen);
  if (word == "who") {
    const Result<std::string> room = room_or_last(rest, seen);
    if (!room.ok()) return room.error();
    return request("presence", Object{{"roomId", *room}});
  }
  if (word == "private") {
    const std::string user(take_word(rest));
    if (rest.empty()) return usage("private USER TEXT");
    return request("private-message", Object{{"targetUserId", user}, {"content", rest}});
  }
  if (word == "token") {
    if (rest.empty()) return usage("token TOKEN");
    return request("refresh-token", Value(rest));
  }
  return usage("there is no command " + printable(word) + "; help lists them, and emit sends any event");
}

std::vector<std::string> complete_line(std::string_view line, const ConnectSeen& seen) {
  const std::size_t before = line.find_last_of(kSpace);
  const std::string_view last = before == std::string_view::npos ? line : line.substr(before + 1);
  std::string_view rest = line.substr(0, line.size() - last.size());
  const std::string_view command = take_word(rest);
  const bool first_argument = rest.find_first_not_of(kSpace) == std::string_view::npos;
  std::vector<std::string> out;
  if (command.empty()) {
    add_matching(out, last, kCommands);
  } else if (!first_argument) {
    if (command == "file") add_matching(out, last, seen.rooms);
    if (command == "emit" || command == "send") {
      add_matching(out, last, seen.rooms);
      add_matching(out, last, seen.users);
    }
  } else if (command == "emit" || command == "send" || command == "watch" || command == "wait") {
    std::set<std::string> events(seen.events);
    events.insert(kHallEvents.begin(), kHallEvents.end());
    add_matching(out, last, events);
  } else if (command == "unwatch") {
    std::set<std::string> events(seen.events);
    events.insert(kHallEvents.begin(), kHallEvents.end());
    for (const std::string& hidden : seen.hidden) events.erase(hidden);
    add_matching(out, last, events);
  } else if (command == "private") {
    add_matching(out, last, seen.users);
  } else if (command == "join" || command == "leave" || command == "say" || command == "history" ||
             command == "who") {
    add_matching(out, last, seen.rooms);
  }
  return out;
}

void learn(ConnectSeen& seen, const Value& value) {
  constexpr std::size_t kNamesMax = 1000;
  constexpr std::size_t kNameBytesMax = 255;
  if (value.is_array()) {
    for (const Value& element : value.as_array()) learn(seen, element);
  } else if (value.is_object()) {
    for (const Member& member : value.as_object()) {
      const bool user = member.key == "userId" || member.key == "fromUserId" || member.key == "from";
      if (user && member.value.is_string() && member.value.as_string().size() <= kNameBytesMax &&
          seen.users.size() < kNamesMax)
        seen.users.insert(member.value.as_string());
      if (member.key == "members" || member.key == "users" || member.key == "messages")
        learn(seen, member.value);
    }
  }
}

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // C0 and DEL; and C1, which is 0xC2 0x80 to 0xC2 0x9F in UTF-8.
    const bool c1 = byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (byte < 0x20 || byte == 0x7F || c1) {
      out.append(byte == '\n' ? " ⏎ " : "\uFFFD");
      if (c1) ++i;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::string event_text(const std::string& name, const Array& args) {
  const Value none;
  const Value& first = args.empty() ? none : args.front();
  const auto field = [&](std::string_view key) {
    const std::string* text = first.find_string(key);
    return text == nullptr ? std::string() : *text;
  };
  if (first.find_string("content") != nullptr) {
    if (name == "new-message")
      return printable("[" + field("roomId") + "] " + field("userId") + ": " + field("content"));
    if (name == "private-message")
      return printable("(private) " + field("fromUserId") + ": " + field("content"));
  }
  if (first.find_string("userId") != nullptr) {
    if (name == "user-joined") return printable("[" + field("roomId") + "] " + field("userId") + " has come");
    if (name == "user-left") return printable("[" + field("roomId") + "] " + field("userId") + " has left");
    if (name == "presence-update") return printable("-- " + field("userId") + " is " + field("status"));
  }
  std::string text = name;
  for (const Value& arg : args) text += " " + arg.to_json();
  return printable(text);
}

std::string_view connect_help() {
  return R"(join ROOM                  enter a room; it becomes the one that is meant where none is named
leave [ROOM]
say [ROOM] TEXT            send a message to a room
private USER TEXT          send a message to a person
history [ROOM] [HOW MANY]  the newest messages
who [ROOM]                 who is there
file PATH [ROOM]           send a file
emit EVENT [JSON…]         send any event, and show the answer; a bare word is a text
unwatch EVENT              no longer show an event; watch EVENT shows it again
wait EVENT [MILLISECONDS]  read no further before the event has come (5000)
token TOKEN                show a new token
quit                       or Ctrl-D
)";
}

}  // namespace wirehall::cli
