// One room at a time: what is said there, and who is there.
#include <memory>

#include "chat.h"

using namespace wirehall;

namespace app {
namespace {

void show_message(const Value& message) {
  show(text_of(message, "userId") + ": " + text_of(message, "content"));
}

void show_each(const Value& answer, std::string_view list, const std::function<void(const Value&)>& how) {
  const Value* elements = answer.find(list);
  if (elements == nullptr || !elements->is_array()) return;
  for (const Value& element : elements->as_array()) how(element);
}

}  // namespace

void add_rooms(Chat& chat) {
  Client& client = chat.client();
  const auto room = std::make_shared<std::string>();

  client.on("new-message", show_message);
  client.on("user-joined", [](const Value& who) { show(text_of(who, "userId") + " has come"); });
  client.on("user-left", [](const Value& who) { show(text_of(who, "userId") + " has left"); });

  chat.add("join", "ROOM", [&client, room](const std::string& name) {
    const Result<Value> joined = client.join(name);
    if (!joined.ok()) return show(joined);
    if (!room->empty() && *room != name) (void)client.leave(*room);  // a room we are no longer in is left
    *room = name;
    show("In the room " + name);
    show_each(*joined, "recentMessages", show_message);
  });
  chat.add("who", "", [&client, room](const std::string&) {
    // Whoever is in the room already is told who is there, and nobody else is told anything.
    const Result<Value> joined = client.join(*room);
    if (!joined.ok()) return show(joined);
    show_each(*joined, "members", [](const Value& who) { show("  " + text_of(who, "userId")); });
  });
  chat.on_text([&client, room](const std::string& text) {
    // It is sent again until it is answered, and stored once.
    const Result<Value> sent = client.send(*room, text);
    if (!sent.ok()) show(sent);
  });
}

}  // namespace app
