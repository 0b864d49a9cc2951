// The table of configuration keys: one entry gives the file's key, the environment variable, the check, the
// JSON Schema and the reference page.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "wirehall/config.h"
#include "wirehall/value.h"

namespace wirehall::server {

enum class KeyType : std::uint8_t { kBool, kInteger, kMilliseconds, kString, kStringList, kChoice, kObject };

struct ConfigKey {
  std::string path;  ///< `rateLimit.messagesPerMinute`
  KeyType type;
  std::string doc;
  std::string choices;  ///< kChoice: `a|b`
  std::int64_t minimum = 0;
  std::int64_t maximum = INT64_MAX;
  std::function<void(Config&, const Value&)> apply;  ///< the value has been checked
  std::function<Value(const Config&)> read;
  std::function<std::string(const Value&)> check = {};  ///< kObject: what is wrong with it
};

std::span<const ConfigKey> config_keys();
const ConfigKey* find_key(std::string_view path);
/// `rateLimit.messagesPerMinute` → `WIREHALL_RATE_LIMIT__MESSAGES_PER_MINUTE`
std::string environment_name(std::string_view path);
/// Returns: what is wrong with a value for a key; empty when nothing is.
std::string check_value(const ConfigKey& key, const Value& value);

}  // namespace wirehall::server
