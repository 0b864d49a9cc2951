// How people are.
#include "chat.h"

using namespace wirehall;

namespace app {

void add_presence(Chat& chat) {
  Client& client = chat.client();
  client.on("presence-update", [](const Value& person) {
    show(text_of(person, "userId") + " is " + text_of(person, "status"));
  });
  chat.add("status", "online|away|busy|invisible", [&client](const std::string& status) {
    const Result<Value> answer = client.emit_and_wait("update-status", {{"status", status}});
    if (!answer.ok()) show(answer);
  });
}

}  // namespace app
