// What the event `sample` answers.
// Its handler is src/handlers/sample.cpp.
#include "support/behaviour.h"

using namespace wirehall;

namespace app {

OVER_EVERY_PROTOCOL(SampleHandler);

TEST_P(SampleHandler, AnswersWithTheFieldsItWasSentAndWhoSentThem) {
  Client& alice = connect("alice");
  const Value fields = {{"text", "hi"}, {"count", 2}};
  const Value answer = ask(alice, "sample", fields);
  EXPECT_EQ(answer, (Value{{"success", true}, {"text", "hi"}, {"count", 2}, {"from", "alice"}}));
}

}  // namespace app
