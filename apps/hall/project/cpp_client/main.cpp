// A chat in the terminal, with Wirehall's C++ client: a beginning for a program of your own.
#include <cstdio>
#include <iostream>

#include "chat.h"

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) {
    std::fprintf(stderr, "Usage: %s USER [URL]\n\nURL is http://127.0.0.1:3000 where it is not said.\n",
                 argv[0]);
    return 2;
  }
  const std::string user = argv[1];
  const std::string url = argc == 3 ? argv[2] : "http://127.0.0.1:3000";

  wirehall::ClientOptions options;
  options.protocol = wirehall::Protocol::kSocketIo;  // feature: no-native
  options.auth_function = [&] { return app::identity_of(url, user); };
  wirehall::Client client(url, options);

  client.on_connect(
      [](const wirehall::ClientConnected&) { app::show("Connected; /help lists the commands"); });

  app::Chat chat(client);
  app::add_rooms(chat);             // feature: rooms
  app::add_presence(chat);          // feature: presence
  app::add_private_messages(chat);  // feature: private-messages
  if (const wirehall::Status connected = client.connect(); !connected.ok()) {
    std::fprintf(stderr, "Not connected: %s\n", connected.error().text().c_str());
    return 1;
  }
  // It comes back by itself.
  client.on_disconnect([](const wirehall::ClientDisconnected& lost) {
    if (lost.reason == "io client disconnect") return;  // it was us
    app::show("Not connected: " + lost.error.text() + (lost.retry_in ? "; trying again" : ""));
  });
  chat.read("/join lobby");  // feature: rooms
  for (std::string line; std::getline(std::cin, line) && chat.read(line);) continue;
}
