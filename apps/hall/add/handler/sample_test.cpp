// The event `sample`: what it answers. The handler is src/handlers/sample.cpp.
#include "support/behaviour.h"

using namespace wirehall;

namespace app {

OVER_EVERY_PROTOCOL(SampleHandler);

TEST_P(SampleHandler, AnswersWithTheFieldsItWasSentAndWhoSentThem) {
  Client& alice = connect("alice");
  const Value answer = ask(alice, "sample", {{"text", "hi"}, {"count", 2}});
  EXPECT_EQ(answer, (Value{{"success", true}, {"text", "hi"}, {"count", 2}, {"from", "alice"}}));
}

}  // namespace app
