// Messages to one person, who may be away.
#include "chat.h"

using namespace wirehall;

namespace app {
namespace {

void show_private(const Value& message) {
  show(text_of(message, "fromUserId") + " to you: " + text_of(message, "content"));
}

}  // namespace

void add_private_messages(Chat& chat) {
  Client& client = chat.client();
  client.on("private-message", [](const ClientEvent& event) {
    show_private(event.value());
    if (event.ack) event.ack();  // it need not wait for us any longer
  });
  client.on("pending-messages", [](const ClientEvent& event) {
    const Value* messages = event.value().find("messages");  // Socket.IO tells the list itself
    if (messages == nullptr) messages = &event.value();
    if (!messages->is_array()) return;
    for (const Value& message : messages->as_array()) show_private(message);
    if (event.ack) event.ack();
  });

  chat.add("private", "USER TEXT", [&client](std::string text) {
    const std::string user = take_word(text);
    const Result<Value> sent = client.send_private(user, text);
    if (!sent.ok()) return show(sent);
    const Value* delivered = sent->find("delivered");
    if (delivered != nullptr && *delivered == false) show(user + " is away, and will get it later");
  });
}

}  // namespace app
