#include <cstdio>

#include "cli/commands.h"
#include "push/vapid.h"
#include "server/command_line.h"

namespace wirehall::cli {
namespace {

constexpr char kSnippet[] =
    R"({
  "push": {
    "vapid": {
      "publicKey": "%s",
      "privateKey": "%s",
      "subject": "mailto:you@example.com"
    }
  }
}
)";
constexpr char kEnvironment[] =
    R"(
The keys may stand in the environment instead:

WIREHALL_PUSH__VAPID__PUBLIC_KEY=%s
WIREHALL_PUSH__VAPID__PRIVATE_KEY=%s
)";

int vapid() {
  const Result<push::VapidKeyTexts> keys = push::generate_vapid_keys();
  if (!keys.ok()) {
    std::fprintf(stderr, "wirehall vapid: %s\n", keys.error().text().c_str());
    return 1;
  }
  std::printf(kSnippet, keys->public_key.c_str(), keys->private_key.c_str());
  std::printf(kEnvironment, keys->public_key.c_str(), keys->private_key.c_str());
  return 0;
}

}  // namespace

void add_vapid(CLI::App& app, int& status) {
  server::Command(app)
      .add_subcommand("vapid", "Make a key pair for Web Push, to be kept as long as the subscriptions")
      .callback([&status] { status = vapid(); });
}

}  // namespace wirehall::cli
