#include "api/management.h"

#include <gtest/gtest.h>

namespace wirehall::api {
namespace {

TEST(Broadcast, NamesAnEventAndWhomItIsFor) {
  const auto request = parse_broadcast(R"({"event":"news","data":{"a":1},"room":"r","except":["x","y"]})");
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->event, "news");
  EXPECT_EQ(request->data.to_json(), R"({"a":1})");
  EXPECT_EQ(request->rooms, std::vector<std::string>{"r"});
  EXPECT_EQ(request->except, (std::vector<std::string>{"x", "y"}));
  const auto everybody = parse_broadcast(R"({"event":"news"})");
  ASSERT_TRUE(everybody.ok());
  EXPECT_TRUE(everybody->rooms.empty() && everybody->data.is_null());
}

TEST(Broadcast, SaysWhatIsWrong) {
  for (const char* body : {"", "x", "[]", "{}", R"({"event":1})", R"({"event":""})", R"({"event":"e","room":1})",
                           R"({"event":"e","except":[1]})", R"({"event":"e"} x)"}) {
    const auto request = parse_broadcast(body);
    ASSERT_FALSE(request.ok()) << body;
    EXPECT_EQ(request.error().code(), ErrorCode::kInvalidFormat);
    EXPECT_FALSE(request.error().detail().empty());
  }
}

}  // namespace
}  // namespace wirehall::api
