#include "handlers/handlers.h"

using namespace wirehall;

namespace app {
namespace {

// `aliases`: what else clients may send as the type; `arguments`: what a bare argument is called.
NativeShape shape(std::vector<std::string> aliases, std::vector<std::string> arguments) {
  NativeShape shape;
  shape.aliases = std::move(aliases);
  shape.arguments = std::move(arguments);
  return shape;
}

}  // namespace

// On the native protocol an event is a frame's `type`, with its fields beside it. What differs stands here.
void name_native_events(Server& io) {
  Namespace& all = io.of("/");
  all.native_shape("refresh-token", shape({}, {"token"}));            // feature: jwt
  all.native_shape("join-room", shape({"join"}, {"roomId|room"}));    // feature: rooms
  all.native_shape("leave-room", shape({"leave"}, {"roomId|room"}));  // feature: rooms
  all.native_shape("message", shape({"chat"}, {}));                   // feature: rooms
  NativeShape chat;                                                   // feature: rooms
  chat.sent_type = "chat";                                            // feature: rooms
  chat.sent_copies = {{"userId", "from"}};                            // feature: rooms
  all.native_shape("new-message", chat);                              // feature: rooms
  all.native_shape("update-status", shape({}, {"status"}));           // feature: presence
  all.native_shape("pending-messages", shape({}, {"messages"}));      // feature: private-messages
}

}  // namespace app
