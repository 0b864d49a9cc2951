// A client: enters a room, says what it is told to, and prints what others say, until its input ends.
//
//   example_03-client http://127.0.0.1:3000 lobby TOKEN
#include <wirehall/client.h>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: example_03-client URL ROOM [TOKEN]\n");
    return 2;
  }
  const std::string room = argv[2];
  wirehall::ClientOptions options;
  if (argc > 3) options.auth.set("token", argv[3]);

  wirehall::Client client(argv[1], options);
  client.on("new-message",
            [](const wirehall::Value& message) { std::printf("%s\n", message.to_json().c_str()); });
  if (const wirehall::Status connected = client.connect(); !connected.ok()) {
    std::fprintf(stderr, "%s\n", connected.error().text().c_str());
    return 1;
  }
  if (const auto joined = client.join(room); !joined.ok()) {
    std::fprintf(stderr, "%s\n", joined.error().text().c_str());
    return 1;
  }
  char line[1024];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    std::string text(line);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    // It is sent again until it is answered, and stored once.
    if (const auto sent = client.send(room, text); !sent.ok())
      std::fprintf(stderr, "%s\n", sent.error().text().c_str());
  }
}
