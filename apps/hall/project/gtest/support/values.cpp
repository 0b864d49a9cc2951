#include "support/values.h"

#include <ostream>
#include <stdexcept>

using namespace wirehall;

namespace app {

Value value_of(Result<Value> result) {
  if (!result.ok()) throw std::runtime_error(result.error().text());
  return std::move(*result);
}

void succeed(const Status& status) {
  if (!status.ok()) throw std::runtime_error(status.error().text());
}

Value ask(Client& client, std::string event, Value fields) {
  Result<Value> answer = client.emit_and_wait(event, std::move(fields));
  if (!answer.ok()) throw std::runtime_error(event + ": " + answer.error().text());
  return std::move(*answer);
}

Value told(ClientInbox& inbox) { return value_of(inbox.next()); }

std::string refusal(const Result<Value>& result) {
  return result.ok() ? std::string() : std::string(result.error().kebab());
}

std::string refusal(const Status& status) {
  return status.ok() ? std::string() : std::string(status.error().kebab());
}

std::string refusal_of(Client& client, std::string event, Value fields) {
  return refusal(client.emit_and_wait(std::move(event), std::move(fields)));
}

Value at(const Value& object, std::string_view key) {
  const Value* member = object.find(key);
  if (member == nullptr) throw std::runtime_error("no " + std::string(key) + " in " + object.to_json());
  return *member;
}

Value at(const Value& array, std::size_t index) {
  if (!array.is_array() || index >= array.as_array().size())
    throw std::runtime_error("no element " + std::to_string(index) + " in " + array.to_json());
  return array.as_array()[index];
}

Array each(const Value& array, std::string_view key) {
  if (!array.is_array()) throw std::runtime_error("no array: " + array.to_json());
  Array members;
  for (const Value& element : array.as_array()) members.push_back(at(element, key));
  return members;
}

}  // namespace app

namespace wirehall {

void PrintTo(const Value& value, std::ostream* out) { *out << value.to_json(); }

}  // namespace wirehall
