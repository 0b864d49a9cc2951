// The configuration: file, environment, what is refused and how that is said.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/json.h"
#include "wirehall/config.h"

namespace wirehall {
namespace {

std::string refused(std::string_view text) {
  Config config;
  const Status status = config.apply_text(text);
  return status.ok() ? "" : std::string(status.error().detail());
}

Config good() {
  Config config;
  config.auth.secret = std::string(32, 's');
  return config;
}

std::string unfinished(Config config) {
  const Status status = config.finish();
  return status.ok() ? "" : std::string(status.error().detail());
}

TEST(Config, AFileWithCommentsSetsWhatItSays) {
  Config config;
  ASSERT_TRUE(config
                  .apply_text("// port\n{\"port\": 4000, /* two */ \"cors\": {\"origin\": [\"https://a.example\"]},\n"
                              "\"rateLimit\": {\"messagesPerMinute\": 7}, \"auth\": {\"mode\": \"none\"}}")
                  .ok());
  EXPECT_EQ(config.port, 4000);
  EXPECT_EQ(config.cors_origins, std::vector<std::string>{"https://a.example"});
  EXPECT_EQ(config.messages_per_minute, 7u);
  EXPECT_FALSE(config.auth.required);
}

TEST(Config, FaultsNameTheirLineAndTheNearestKey) {
  EXPECT_EQ(refused("{\n\"prot\": 1}"), "line 2: unknown key \"prot\"; did you mean \"port\"?");
  EXPECT_EQ(refused("{\"rateLimt\": {\"burst\": 1}}"),
            "line 1: unknown key \"rateLimt\"; did you mean \"rateLimit\"?");
  EXPECT_EQ(refused("{\n\n\"cors\": 5}"), "line 3: \"cors\" must be an object");
  EXPECT_EQ(refused("{\"port\": \"x\"}"), "line 1: \"port\" must be a whole number");
  EXPECT_EQ(refused("{\"port\": 70000}"), "line 1: \"port\" must be at most 65535");
  EXPECT_EQ(refused("{\"log\": {\"level\": \"loud\"}}"),
            "line 1: \"log.level\" must be one of debug|info|warning|error");
  EXPECT_EQ(refused("{\"port\": 1,\n\"port\": 2}"), "line 2: \"port\" is set twice");
  EXPECT_EQ(refused("{\n\"port\": 1\n\"host\": \"a\"}"), "line 3: not valid JSON");
  EXPECT_EQ(refused("[]"), "line 1: not a JSON object");
  EXPECT_EQ(refused("{\"port\": 0, \"prt\": 1, \"hots\": 2}").find("line 1: unknown key \"prt\""), 0u)
      << "all faults are told";
}

TEST(Config, NothingIsHalfApplied) {
  Config config;
  EXPECT_FALSE(config.apply_text("{\"port\": 4000, \"nonsense\": true}").ok());
  EXPECT_EQ(config.port, Config().port);
}

TEST(Config, TheEnvironmentBeatsTheFile) {
  Config config;
  ASSERT_TRUE(config.apply_text("{\"port\": 4000, \"rateLimit\": {\"messagesPerMinute\": 7}}").ok());
  ::setenv("WIREHALL_RATE_LIMIT__MESSAGES_PER_MINUTE", "8", 1);
  ::setenv("PORT", "4001", 1);
  ::setenv("CORS_ORIGIN", "https://a.example, https://b.example", 1);
  const Status applied = config.apply_environment();
  ::setenv("PORT", "many", 1);
  const Status wrong = config.apply_environment();
  for (const char* name : {"WIREHALL_RATE_LIMIT__MESSAGES_PER_MINUTE", "PORT", "CORS_ORIGIN"}) ::unsetenv(name);
  ASSERT_TRUE(applied.ok());
  EXPECT_EQ(config.messages_per_minute, 8u);
  EXPECT_EQ(config.port, 4001);
  EXPECT_EQ(config.cors_origins, (std::vector<std::string>{"https://a.example", "https://b.example"}));
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().detail(), "PORT cannot be read");
}

TEST(Config, UnsafeSetUpsAreRefused) {
  EXPECT_EQ(unfinished(good()), "");
  EXPECT_NE(unfinished(Config()).find("no key to verify tokens with"), std::string::npos);
  Config config = good();
  config.auth.secret = "short";
  EXPECT_NE(unfinished(config).find("32 bytes"), std::string::npos) << unfinished(config);
  config = good();
  config.dev = true;
  config.host = "0.0.0.0";
  EXPECT_NE(unfinished(config).find("loopback"), std::string::npos);
  config = good();
  config.cors_origins = {"*"};
  config.auth.cookie = "session";
  EXPECT_NE(unfinished(config).find("exclude each other"), std::string::npos);
  config = good();
  config.tls_kernel = true;
  EXPECT_EQ(unfinished(config), "tls.kernel needs tls.cert and tls.key");
  config = good();
  config.auth.jwks_url = "http://issuer.example/keys";
  EXPECT_NE(unfinished(config).find("https"), std::string::npos);
  config = good();
  config.native_path = config.path;
  EXPECT_NE(unfinished(config).find("nativePath"), std::string::npos);
  config.socketio = false;
  EXPECT_EQ(unfinished(config).find("nativePath"), std::string::npos);
  config.native = false;
  EXPECT_NE(unfinished(config).find("nobody could connect"), std::string::npos);
  config = good();
  config.auth.public_key = "/nowhere/key.pem";
  EXPECT_NE(unfinished(config).find("cannot be read"), std::string::npos);
  config = good();
  config.trusted_proxies = {"10.0.0.0/40"};
  EXPECT_NE(unfinished(config).find("is no network"), std::string::npos);
}

TEST(Config, DevelopmentMakesASecretOfItsOwn) {
  Config a, b;
  a.dev = b.dev = true;
  ASSERT_TRUE(a.finish().ok() && b.finish().ok());
  EXPECT_GE(a.auth.secret.size(), 32u);
  EXPECT_NE(a.auth.secret, b.auth.secret);
}

TEST(Config, TheSchemaIsOfTheTable) {
  const Result<Value> schema = Value::from_json(config_schema());
  ASSERT_TRUE(schema.ok());
  const Value* port = schema->find("properties")->find("port");
  ASSERT_NE(port, nullptr);
  EXPECT_EQ(port->find("maximum")->as_int(), 65535);
}

}  // namespace
}  // namespace wirehall
