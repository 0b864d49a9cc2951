#include <string>
#include <vector>

#include "middleware/middleware.h"

using namespace wirehall;

namespace app {
namespace {

/// What a field of an event must be, where it is there.
struct Rule {
  std::string event;
  std::string field;
  std::size_t text_bytes_max;
};

// Handlers see an event only when its fields pass. What the hall's own events need, the hall checks by
// itself; the first
// rule repeats what it takes, to be lowered. Rules of events of your own stand here too.
std::vector<Rule> make_rules() {
  std::vector<Rule> rules;
  rules.push_back({"create-room", "name", 255});  // feature: rooms
  return rules;
}

Status check(const Rule& rule, const Value& value) {
  if (!value.is_string()) return Error(ErrorCode::kInvalidFormat, rule.field + " must be a string");
  if (value.as_string().size() <= rule.text_bytes_max) return {};
  return Error(ErrorCode::kTooLarge,
               rule.field + " has more than " + std::to_string(rule.text_bytes_max) + " bytes");
}

Status validate(std::string_view event, const Args& args) {
  static const std::vector<Rule> rules = make_rules();
  for (const Rule& rule : rules) {
    if (rule.event != event || args.empty() || !args[0].is_object()) continue;
    const Value* value = args[0].find(rule.field);
    if (value == nullptr || value->is_null()) continue;
    if (Status checked = check(rule, *value); !checked.ok()) return checked;
  }
  return {};
}

}  // namespace

void use_validation(Server& io) {
  io.of("/").use_event([](Socket&, std::string_view event, Args& args) { return validate(event, args); });
}

}  // namespace app
