// Answers and events, short enough to be compared: EXPECT_EQ(at(told(messages), "content"), "hello").
// Where there is none, the test ends there and says why.
#pragma once

#include <wirehall/client.h>

#include <iosfwd>
#include <string>
#include <string_view>

namespace app {

/// The value of a result. Throws: its error, as a text.
wirehall::Value value_of(wirehall::Result<wirehall::Value> result);
void succeed(const wirehall::Status& status);

/// Sends an event and waits for the answer.
wirehall::Value ask(wirehall::Client& client, std::string event, wirehall::Value fields = wirehall::Object());

/// Waits five seconds for the next event of an inbox.
wirehall::Value told(wirehall::ClientInbox& inbox);

/// The code of the error that there should be, e.g. "access-denied"; empty where there is none.
std::string refusal(const wirehall::Result<wirehall::Value>& result);
std::string refusal(const wirehall::Status& status);
/// The same of an event that is sent.
std::string refusal_of(wirehall::Client& client, std::string event,
                       wirehall::Value fields = wirehall::Object());

/// A member of an object, or an element of an array.
wirehall::Value at(const wirehall::Value& object, std::string_view key);
wirehall::Value at(const wirehall::Value& array, std::size_t index);
/// One member of every element of an array: {"ann", "bob"} of the members of a room.
wirehall::Array each(const wirehall::Value& array, std::string_view key);

}  // namespace app

namespace wirehall {
/// How GoogleTest shows a value.
void PrintTo(const Value& value, std::ostream* out);
}  // namespace wirehall
