#include "chat.h"

#include <cstdio>

using namespace wirehall;

namespace app {

std::string take_word(std::string& text) {
  const std::size_t end = text.find(' ');
  const std::string word = text.substr(0, end);
  const std::size_t rest = text.find_first_not_of(' ', end);
  text = rest == std::string::npos ? std::string() : text.substr(rest);
  return word;
}

void show(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

void show(const Result<Value>& answer) {
  show(answer.ok() ? answer->to_json() : "This failed: " + answer.error().text());
}

std::string text_of(const Value& fields, std::string_view key) {
  const std::string* text = fields.find_string(key);
  return text == nullptr ? std::string() : *text;
}

Chat::Chat(Client& client) : client_(client) {
  add("help", "", [this](const std::string&) {
    for (const auto& [word, entry] : commands_) show("  /" + word + " " + entry.usage);
    show("  /quit");
    if (text_) show("  any other line is said in the room");  // feature: rooms
  });
  // Events of your own: /emit greet {"name":"bob"}
  add("emit", "EVENT {FIELDS}", [this](std::string rest) {
    const std::string event = take_word(rest);
    const Result<Value> fields = rest.empty() ? Value(Object()) : Value::from_json(rest);
    show(fields.ok() ? client_.emit_and_wait(event, *fields) : fields);
  });
}

void Chat::add(const std::string& word, std::string usage, Command command) {
  commands_[word] = {std::move(usage), std::move(command)};
}

bool Chat::read(const std::string& line) {
  if (line == "/quit") return false;
  if (line.empty()) return true;
  if (line[0] != '/' && text_) {
    text_(line);
    return true;
  }
  std::string rest = line.substr(line[0] == '/' ? 1 : 0);
  const auto found = commands_.find(take_word(rest));
  found == commands_.end() ? show("There is no such command; /help lists them.")
                           : found->second.command(rest);
  return true;
}

}  // namespace app
