// Files: sent in pieces, told to the room, and given to those who may have them.
#include <openssl/evp.h>

#include <array>

#include "support/behaviour.h"

using namespace wirehall;

namespace app {

OVER_EVERY_PROTOCOL(Uploads);

static std::string bytes_to_send(std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>((i * i + i / 251) & 0xff));
  return bytes;
}

static std::string sha256_of(const std::string& bytes) {
  std::array<unsigned char, 32> hash{};
  EVP_Digest(bytes.data(), bytes.size(), hash.data(), nullptr, EVP_sha256(), nullptr);
  std::string text;
  for (const unsigned char byte : hash) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

static FileOptions to_lobby() {
  FileOptions options;
  options.room_id = "lobby";
  options.name = "notes.bin";
  return options;
}

TEST_P(Uploads, GoToTheRoomAndComeBackAsTheyWere) {
  Client& alice = connect("alice");
  Client& bob = connect("bob");
  ClientInbox messages = bob.inbox("new-message");
  value_of(alice.join("lobby"));
  value_of(bob.join("lobby"));
  const std::string bytes = bytes_to_send(600'000);
  value_of(alice.send_bytes(bytes, to_lobby()));

  const Value message = told(messages);
  EXPECT_EQ(at(message, "type"), "file");
  EXPECT_EQ(at(message, "content"), "notes.bin");
  const Value file = at(message, "file");
  EXPECT_EQ(at(file, "size"), bytes.size());
  EXPECT_EQ(at(file, "sha256"), sha256_of(bytes));
  const std::string path = at(file, "url").as_string();
  const HttpResponse response = get_as(server(), "bob", path);
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.body == bytes);
  EXPECT_EQ(get_as(server(), "eve", path).status, 403) << "not for who is not in the room";
}

TEST_P(Uploads, GoOnWhereTheyWere) {
  Client& alice = connect("alice");
  value_of(alice.join("lobby"));
  const std::string bytes = bytes_to_send(1000);
  const Value about = {{"roomId", "lobby"},
                       {"name", "notes.bin"},
                       {"size", bytes.size()},
                       {"mime", "application/octet-stream"}};
  const Value id = at(ask(alice, "upload-start", about), "uploadId");
  ask(alice, "upload-chunk", {{"uploadId", id}, {"offset", 0}, {"data", Bytes{bytes.substr(0, 400)}}});
  alice.close();

  Client& again = connect("alice");
  value_of(again.join("lobby"));
  std::vector<std::uint64_t> offsets;
  FileOptions options = to_lobby();
  options.upload_id = id.as_string();
  options.on_progress = [&](std::uint64_t sent, std::uint64_t) { offsets.push_back(sent); };
  const Value sent = value_of(again.send_bytes(bytes, options));
  EXPECT_EQ(offsets, (std::vector<std::uint64_t>{400, 1000}));
  EXPECT_EQ(at(at(sent, "file"), "sha256"), sha256_of(bytes));
}

TEST_P(Uploads, AreRefusedBeforeTheyAreSentWhereTheyAreTooLarge) {
  start({{"WIREHALL_UPLOADS__MAX_FILE_SIZE", "1000"}});
  Client& alice = connect("alice");
  value_of(alice.join("lobby"));
  bool began = false;
  FileOptions options = to_lobby();
  options.on_start = [&](const std::string&) { began = true; };
  EXPECT_EQ(refusal(alice.send_bytes(bytes_to_send(1001), options)), "too-large");
  EXPECT_FALSE(began);
}

}  // namespace app
