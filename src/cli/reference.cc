// What the reference pages are made of, as the program itself knows it: `tools/docs` asks for it.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cstdio>

#include "cli/commands.h"
#include "server/config_schema.h"
#include "wirehall/result.h"
#include "wirehall/value.h"

namespace wirehall::cli {
namespace {

// -- errors -------------------------------------------------------------------------------------------------

struct Explanation {
  std::string_view section;  ///< where this begins one
  std::string_view enumerator;
  std::string_view cause;
  std::string_view remedy;
};

constexpr std::array kExplanations = {
#define WIREHALL_ERROR_SECTION(name) Explanation{name, {}, {}, {}},
#define WIREHALL_EXPLAIN(enumerator, cause, remedy) Explanation{{}, #enumerator, cause, remedy},
#include "cli/error_explanations.inc"
#undef WIREHALL_EXPLAIN
#undef WIREHALL_ERROR_SECTION
};
constexpr std::array kEnumerators = {
#define WIREHALL_ERROR(enumerator, code, text, http, close, retry) std::string_view(#enumerator),
#include "wirehall/error_catalog.inc"
#undef WIREHALL_ERROR
};

constexpr bool all_explained() {
  std::size_t next = 0;
  for (const Explanation& explanation : kExplanations) {
    if (explanation.enumerator.empty()) continue;
    if (explanation.cause.empty() || explanation.remedy.empty()) return false;
    if (next == kEnumerators.size() || explanation.enumerator != kEnumerators[next++]) return false;
  }
  return next == kEnumerators.size();
}
static_assert(all_explained(), "error_explanations.inc: each error of the catalogue, in its order");

Value errors() {
  Array list;
  std::string_view section;
  std::size_t next = 0;
  for (const Explanation& explanation : kExplanations) {
    if (explanation.enumerator.empty()) {
      section = explanation.section;
      continue;
    }
    const ErrorInfo& info = error_info(static_cast<ErrorCode>(next++));
    list.push_back({{"section", section},
                    {"enumerator", explanation.enumerator},
                    {"code", info.code},
                    {"text", info.text},
                    {"httpStatus", static_cast<std::int64_t>(info.http_status)},
                    {"closeCode", static_cast<std::int64_t>(info.close_code)},
                    {"retryable", info.retryable},
                    {"cause", explanation.cause},
                    {"remedy", explanation.remedy}});
  }
  return Value(std::move(list));
}

// -- configuration ------------------------------------------------------------------------------------------

std::string_view name_of(server::KeyType type) {
  switch (type) {
    case server::KeyType::kBool: return "boolean";
    case server::KeyType::kInteger: return "integer";
    case server::KeyType::kMilliseconds: return "milliseconds";
    case server::KeyType::kString: return "string";
    case server::KeyType::kStringList: return "list of strings";
    case server::KeyType::kChoice: return "choice";
    case server::KeyType::kObject: return "object";
  }
  return {};
}

Value configuration() {
  Array list;
  const Config defaults;
  for (const server::ConfigKey& key : server::config_keys()) {
    list.push_back({{"key", key.path},
                    {"type", name_of(key.type)},
                    {"choices", key.choices},
                    {"minimum", key.minimum},
                    {"maximum", key.maximum},
                    {"default", key.read(defaults)},
                    {"environment", server::environment_name(key.path)},
                    {"meaning", key.doc}});
  }
  return Value(std::move(list));
}

// -- the command line ---------------------------------------------------------------------------------------

std::string_view until_colon(std::string_view type) { return type.substr(0, type.find(':')); }

Value option_of(const CLI::Option& option) {
  Array names;
  if (option.get_positional()) names.emplace_back(option.get_name(true));
  for (const std::string& name : option.get_snames()) names.emplace_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.emplace_back("--" + name);
  // CLI11 writes what it checks behind the type: `N:INT in [0 - 65535]`.
  const std::string type = option.get_type_name();
  return {{"names", Value(std::move(names))},
          {"positional", option.get_positional()},
          {"flag", option.get_items_expected_max() == 0},
          {"type", until_colon(type)},
          {"checked", type.find(':') == std::string::npos ? "" : type.substr(type.find(':') + 1)},
          {"many", option.get_items_expected_max() > 1},
          {"required", option.get_required()},
          {"default", option.get_default_str()},
          {"description", option.get_description()}};
}

// An empty group hides a command, or an option, from `--help`.
Value command_of(const CLI::App& app) {
  Array options, commands;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_group().empty()) options.push_back(option_of(*option));
  }
  for (const CLI::App* command :
       app.get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); }))
    commands.push_back(command_of(*command));
  return {{"name", app.get_name()},
          {"description", app.get_description()},
          {"options", Value(std::move(options))},
          {"commands", Value(std::move(commands))}};
}

}  // namespace

void add_reference(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("reference", "What the reference pages are made of, as JSON: for tools/docs");
  command->group("");
  command->callback([&app] {
    const Value all{{"version", WIREHALL_VERSION},
                    {"commands", command_of(app)},
                    {"configuration", configuration()},
                    {"errors", errors()},
                    {"hall", Value(hall_interface())}};
    std::printf("%s\n", all.to_json().c_str());
  });
}

}  // namespace wirehall::cli
