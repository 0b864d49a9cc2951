// A chat in the terminal: what is typed goes to the server, and what the server tells is shown.
#pragma once

#include <wirehall/client.h>

#include <functional>
#include <map>
#include <string>

namespace app {

/// Thread:   the one that reads the terminal. What the server tells is shown on the client's own.
class Chat {
 public:
  using Command = std::function<void(const std::string& rest)>;

  explicit Chat(wirehall::Client& client);

  /// A line "/word rest". `usage` is shown by /help.
  void add(const std::string& word, std::string usage, Command command);
  /// Any other line.
  void on_text(Command command) { text_ = std::move(command); }
  /// Does what a line says. Returns: false once it says /quit.
  bool read(const std::string& line);

  wirehall::Client& client() { return client_; }

 private:
  struct Entry {
    std::string usage;
    Command command;
  };
  wirehall::Client& client_;
  std::map<std::string, Entry> commands_;
  Command text_;
};

/// Takes the first word off a text.
std::string take_word(std::string& text);

void show(const std::string& line);
/// Shows an answer, or why there is none.
void show(const wirehall::Result<wirehall::Value>& answer);
/// A text of an event or an answer; empty where it has none.
std::string text_of(const wirehall::Value& fields, std::string_view key);

/// What shows the server who we are: `auth` of the client's options.
wirehall::Result<wirehall::Object> identity_of(const std::string& url, const std::string& user);

void add_rooms(Chat& chat);             // feature: rooms
void add_presence(Chat& chat);          // feature: presence
void add_private_messages(Chat& chat);  // feature: private-messages

}  // namespace app
