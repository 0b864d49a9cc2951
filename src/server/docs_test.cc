// The reference pages name what the tables hold: a key or a code cannot be added without its line.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "server/config_schema.h"
#include "wirehall/result.h"

namespace wirehall {
namespace {

std::string page(const std::string& name) {
  std::ifstream file(std::string(WIREHALL_SOURCE_DIR) + "/docs/reference/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Docs, EveryKeyOfTheConfigurationHasItsLine) {
  const std::string text = page("configuration.md");
  for (const server::ConfigKey& key : server::config_keys()) {
    const std::size_t line = text.find("| `" + key.path + "` |");
    ASSERT_NE(line, std::string::npos) << key.path;
    const std::string rest = text.substr(line, text.find('\n', line) - line);
    EXPECT_NE(rest.find("`" + server::environment_name(key.path) + "`"), std::string::npos) << rest;
    EXPECT_NE(rest.find(key.doc), std::string::npos) << rest;
  }
}

TEST(Docs, EveryErrorHasItsLine) {
  const std::string text = page("errors.md");
  for (const char* code : {
#define WIREHALL_ERROR(name, code, text, http, close, retry) code,
#include "wirehall/error_catalog.inc"
#undef WIREHALL_ERROR
       }) {
    if (std::string(code) == "ok") continue;
    EXPECT_NE(text.find("`" + std::string(code) + "`"), std::string::npos) << code;
  }
}

}  // namespace
}  // namespace wirehall
