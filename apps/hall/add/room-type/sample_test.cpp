// What may be written in rooms of the type `sample`.
// It is src/rooms/sample.cpp.
#include "support/behaviour.h"

using namespace wirehall;

namespace app {

OVER_EVERY_PROTOCOL(SampleRooms);

TEST_P(SampleRooms, TakeMessagesOfUpTo100Bytes) {
  const std::string room = "sample-1";
  Client& alice = connect("alice");
  value_of(alice.join(room));
  value_of(alice.send(room, std::string(100, 'x')));
  EXPECT_EQ(refusal(alice.send(room, std::string(101, 'x'))), "too-large");
}

TEST_P(SampleRooms, AreNotAllRooms) {
  Client& alice = connect("alice");
  value_of(alice.join("lobby"));
  value_of(alice.send("lobby", std::string(101, 'x')));
}

}  // namespace app
