// What is typed at `wirehall connect`, and what is shown there: without a terminal and without a connection.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "wirehall/result.h"
#include "wirehall/value.h"

namespace wirehall::cli {

/// What the client has seen so far, for completion and for commands that leave a name out.
struct ConnectSeen {
  std::set<std::string> rooms;   ///< that we are in
  std::string room;              ///< the one that was entered last
  std::set<std::string> users;   ///< that were named by an event or an answer
  std::set<std::string> events;  ///< that have come, or that the hall knows
  std::set<std::string> hidden;  ///< events that are not shown
};

/// One line, understood.
struct ConnectCommand {
  enum class Kind : std::uint8_t { kNothing, kHelp, kQuit, kRequest, kFile, kWatch, kUnwatch, kWait };
  Kind kind = Kind::kNothing;
  std::string event;        ///< kRequest; of watching and waiting
  std::vector<Value> args;  ///< kRequest
  std::string room;         ///< of a join or leave; where a file goes
  std::string path;         ///< kFile
  std::int64_t wait_ms = 5000;
};

/// Errors:   kInvalidFormat; the detail says how the command is written.
Result<ConnectCommand> parse_line(std::string_view line, const ConnectSeen& seen);

/// JSON values one after another; a bare word is a text, and `{"$binary":"<base64>"}` bytes.
///
/// Errors:   kInvalidFormat names the part that is none.
Result<std::vector<Value>> parse_values(std::string_view text);

/// What the last word of a line that ends at the cursor may become: commands, then events, rooms, users.
std::vector<std::string> complete_line(std::string_view line, const ConnectSeen& seen);

/// Learns names from an event or an answer.
void learn(ConnectSeen& seen, const Value& value);

/// An event for people: one line without control characters.
std::string event_text(const std::string& name, const Array& args);
/// Control characters replaced, so that what others send cannot move the cursor.
std::string printable(std::string_view text);

std::string_view connect_help();

}  // namespace wirehall::cli
