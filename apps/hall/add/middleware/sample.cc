#include "middleware/middleware.h"

using namespace wirehall;

namespace app {

// Sees every event before its handler; an error is the event's answer, and the handler does not run.
void use_sample(Server& io) {
  io.of("/").use_event([](Socket&, std::string_view, Args& args) -> Status {
    const Value* refuse = args.empty() ? nullptr : args[0].find("refuse");
    if (refuse != nullptr && refuse->is_bool() && refuse->as_bool())
      return Error(ErrorCode::kAccessDenied, "sample refuses it");
    return {};
  });
}

}  // namespace app
