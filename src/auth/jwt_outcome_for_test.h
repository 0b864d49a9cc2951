// What verify() says about a token, in one word.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "auth/jwt.h"

namespace wirehall::auth::test {

/// Returns: "ok", or the name of the fault.
/// Effects: checks that the client is told no more than it may know.
inline std::string outcome(std::string_view token, const KeySet& keys, const VerifyOptions& options,
                           WallMs now) {
  VerifyFault fault = VerifyFault::kNone;
  const Result<Object> claims = verify(token, keys, options, now, &fault);
  const std::string name(fault_name(fault));
  if (claims) {
    EXPECT_EQ(name, "none");
    return "ok";
  }
  const std::string expected = name == "expired"         ? "token expired"
                               : name == "not-yet-valid" ? "token not yet valid"
                               : name == "issuer"        ? "wrong issuer"
                               : name == "audience"      ? "wrong audience"
                                                         : "invalid token";
  EXPECT_EQ(claims.error().code(), ErrorCode::kAuthenticationFailed);
  EXPECT_EQ(claims.error().detail(), expected) << name;
  return name;
}

}  // namespace wirehall::auth::test
