// Whoever we say.
#include "chat.h"

using namespace wirehall;

namespace app {

Result<Object> identity_of(const std::string&, const std::string& user) {
  return Object{{"userId", user}, {"name", user}};
}

}  // namespace app
