#include "server/command_line.h"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <utility>

namespace wirehall::server {

CommandOption CommandOption::required() {
  option_->required();
  return *this;
}

CommandOption CommandOption::type_name(const std::string& name) {
  option_->type_name(name);
  return *this;
}

CommandOption CommandOption::range(std::int64_t least, std::int64_t most) {
  option_->check(CLI::Range(least, most));
  return *this;
}

CommandOption CommandOption::one_of(std::initializer_list<std::string> words) {
  option_->check(CLI::IsMember(std::vector<std::string>(words)));
  return *this;
}

CommandOption CommandOption::existing_directory() {
  option_->check(CLI::ExistingDirectory);
  return *this;
}

CommandOption CommandOption::delimiter(char sign) {
  option_->delimiter(sign);
  return *this;
}

bool CommandOption::is_given() const { return option_->count() > 0; }

Command Command::add_subcommand(const std::string& name, const std::string& description) {
  return Command(*app_->add_subcommand(name, description));
}

void Command::require_subcommand() { app_->require_subcommand(1); }

CommandOption Command::add_option(const std::string& name, std::string& value,
                                  const std::string& description) {
  return CommandOption(app_->add_option(name, value, description));
}

CommandOption Command::add_option(const std::string& name, std::vector<std::string>& values,
                                  const std::string& description) {
  return CommandOption(app_->add_option(name, values, description));
}

CommandOption Command::add_option(const std::string& name, int& value, const std::string& description) {
  return CommandOption(app_->add_option(name, value, description));
}

CommandOption Command::add_option(const std::string& name, std::int64_t& value,
                                  const std::string& description) {
  return CommandOption(app_->add_option(name, value, description));
}

CommandOption Command::add_flag(const std::string& name, bool& value, const std::string& description) {
  return CommandOption(app_->add_flag(name, value, description));
}

void Command::callback(std::function<void()> action) { app_->callback(std::move(action)); }

void parse_or_exit(int argc, char** argv, const std::string& description,
                   const std::function<void(Command)>& declare) {
  CLI::App app{description};
  declare(Command(app));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
}

}  // namespace wirehall::server
