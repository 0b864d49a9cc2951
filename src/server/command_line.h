// Commands and their options. CLI11 stands behind them: it is a header of inline functions, which each source
// that includes it compiles anew, so that sources with options of their own include this instead.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace wirehall::server {

/// One option, or one argument without a name; lives as long as its command. Each function returns the option
/// itself.
class CommandOption {
 public:
  explicit CommandOption(CLI::Option* option) : option_(option) {}

  CommandOption required();
  /// What stands for the value in `--help`.
  CommandOption type_name(const std::string& name);
  /// Takes numbers from `least` to `most`.
  CommandOption range(std::int64_t least, std::int64_t most);
  CommandOption one_of(std::initializer_list<std::string> words);
  CommandOption existing_directory();
  /// One argument may hold several values, with this sign between them.
  CommandOption delimiter(char sign);
  /// Whether the command line that was parsed has it.
  bool is_given() const;

 private:
  CLI::Option* option_;
};

/// One command; it borrows what it is made of. What its options are bound to must live until the line is
/// parsed, and keeps the value it had where the line says nothing.
class Command {
 public:
  explicit Command(CLI::App& app) : app_(&app) {}

  Command add_subcommand(const std::string& name, const std::string& description);
  /// One of them must be said.
  void require_subcommand();
  CommandOption add_option(const std::string& name, std::string& value, const std::string& description);
  /// May be repeated.
  CommandOption add_option(const std::string& name, std::vector<std::string>& values,
                           const std::string& description);
  CommandOption add_option(const std::string& name, int& value, const std::string& description);
  CommandOption add_option(const std::string& name, std::int64_t& value, const std::string& description);
  CommandOption add_flag(const std::string& name, bool& value, const std::string& description);
  /// Called when the line is parsed and names this command.
  void callback(std::function<void()> action);

 private:
  CLI::App* app_;
};

/// Parses the line of a program that has no further commands. `declare` adds its options. Help, and an error
/// in the line, are printed and end the process.
void parse_or_exit(int argc, char** argv, const std::string& description,
                   const std::function<void(Command)>& declare);

}  // namespace wirehall::server
