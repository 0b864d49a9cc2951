// `wirehall new NAME`: a project, from what was said and what is asked.
#include <unistd.h>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <optional>

#include "cli/commands.h"
#include "cli/new/options.h"
#include "cli/new/plan.h"
#include "cli/new/tree.h"
#include "io/system.h"
#include "push/vapid.h"
#include "server/command_line.h"

namespace wirehall::cli {
namespace fs = std::filesystem;
namespace {

constexpr int kUsage = 64;         // sysexits.h EX_USAGE
constexpr int kCannotCreate = 73;  // sysexits.h EX_CANTCREAT
constexpr int kInterrupted = 130;  // as a shell says it

volatile std::sig_atomic_t interrupted = 0;
void on_interrupt(int) { interrupted = 1; }

struct NewOptions {
  std::string folder;
  std::string features;
  bool are_features_said = false;
  std::vector<std::pair<const Choice*, std::string>> words;  // what was said of each choice
  bool yes = false;
};

int fail(const Error& error, int status) {
  std::fprintf(stderr, "wirehall new: %s\n", error.detail().c_str());
  return status;
}

// One line from the terminal, without blanks around it; nothing at its end (Ctrl-D) or when it was
// interrupted.
std::optional<std::string> ask(const std::string& prompt) {
  std::printf("%s", prompt.c_str());
  std::fflush(stdout);
  std::string line;
  if (interrupted != 0 || !std::getline(std::cin, line)) return std::nullopt;
  line.erase(0, line.find_first_not_of(" \t"));
  line.erase(line.find_last_not_of(" \t") + 1);
  return line;
}

// Whether all of it goes together, with what the features bring along.
Status check(ProjectOptions options) {
  close_features(options, manifest());
  return check_options(options, manifest());
}

// Asks until the answer is one of the words, and fits what was chosen before; an empty one is the default.
bool ask_choice(const Choice& choice, ProjectOptions& options) {
  std::printf("\n%s\n", choice.question.c_str());
  for (std::size_t i = 0; i < choice.words.size(); ++i)
    std::printf("  %-10s %s\n", choice.words[i].c_str(), choice.about[i].c_str());
  for (;;) {
    const auto answer = ask("--" + choice.flag + " [" + choice.words.front() + "]: ");
    if (!answer) return false;
    ProjectOptions with = options;
    with.*choice.value = answer->empty() ? choice.words.front() : *answer;
    const Status checked = check(with);
    if (checked.ok()) {
      options.*choice.value = with.*choice.value;
      return true;
    }
    std::printf("%s\n", checked.error().detail().c_str());
  }
}

bool ask_features(ProjectOptions& options) {
  std::printf("\nWhat should it do?\n");
  for (const Feature& feature : manifest().features)
    std::printf("  %-16s %s\n", feature.name.c_str(), feature.about.c_str());
  std::string usual;
  for (const std::string& feature : options.features) usual += (usual.empty() ? "" : ",") + feature;
  for (;;) {
    const auto answer = ask("--features (or all, or none) [" + usual + "]: ");
    if (!answer) return false;
    if (answer->empty()) return true;
    Result<std::vector<std::string>> features = parse_features(*answer, manifest());
    Status checked = features.ok() ? Status() : Status(features.error());
    if (features.ok()) {
      ProjectOptions with = options;
      with.features = std::move(*features);
      checked = check(with);
      if (checked.ok()) {
        options = std::move(with);
        return true;
      }
    }
    std::printf("%s\n", checked.error().detail().c_str());
  }
}

// What was not said is asked on a terminal, and stays as it is usual elsewhere. Errors: kShuttingDown.
Status complete(const NewOptions& given, ProjectOptions& options) {
  const bool asks = !given.yes && ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
  const Error stopped(ErrorCode::kShuttingDown, "stopped; nothing was written");
  if (given.are_features_said) {
    Result<std::vector<std::string>> features = parse_features(given.features, manifest());
    if (!features.ok()) return features.error();
    options.features = std::move(*features);
  }
  for (const auto& [choice, word] : given.words) {
    if (!word.empty()) options.*choice->value = word;
  }
  // Before the first question: nobody answers four for nothing.
  if (Status checked = check(options); !checked.ok()) return checked;
  if (asks && !given.are_features_said && !ask_features(options)) return stopped;
  for (const auto& [choice, word] : given.words) {
    if (asks && word.empty() && !ask_choice(*choice, options)) return stopped;
  }
  const std::vector<std::string> added = close_features(options, manifest());
  if (Status checked = check_options(options, manifest()); !checked.ok()) return checked;
  for (const std::string& feature : added)
    std::printf("The feature %s is needed by another one, and comes with it.\n", feature.c_str());
  return {};
}

void say_what_is_next(const ProjectOptions& options, const std::string& folder, std::size_t files) {
  std::printf("\nMade %s: %zu files. The same again, without a question:\n\n    %s --yes\n", folder.c_str(),
              files, command_line(options, folder).c_str());
  std::printf(
      "\nNext:\n\n    cd %s\n    ./dev serve     # sets up what is missing, builds, and runs it on "
      "http://127.0.0.1:3000/\n    ./dev test      # the same, and its tests\n\nIts README.md says where "
      "things "
      "are and how it grows.\n",
      shell_word(folder).c_str());
}

int make_project(const NewOptions& given) {
  ProjectOptions options;
  fs::path folder = fs::path(given.folder).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();  // it was written with a slash behind it
  options.name = folder.filename().string();
  if (const Status named = check_project_name(options.name); !named.ok()) return fail(named.error(), kUsage);
  std::error_code error;
  if (fs::exists(folder, error) && !(fs::is_directory(folder, error) && fs::is_empty(folder, error)))
    return fail(Error(ErrorCode::kIo, given.folder + " exists already; nothing is ever overwritten"),
                kCannotCreate);
  struct sigaction action {};
  action.sa_handler = on_interrupt;  // without SA_RESTART: a question ends with it
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGHUP, &action, nullptr);
  if (const Status completed = complete(given, options); !completed.ok())
    return fail(completed.error(),
                completed.error().code() == ErrorCode::kShuttingDown ? kInterrupted : kUsage);

  const Result<push::VapidKeyTexts> keys = push::generate_vapid_keys();
  if (!keys.ok()) return fail(keys.error(), 1);
  io::SystemRandom random;
  const Substitutions with{options.name, WIREHALL_VERSION, keys->public_key, keys->private_key};
  const Result<std::vector<PlannedFile>> files = plan_project(options, manifest(), with, random);
  if (!files.ok()) return fail(files.error(), 1);
  if (const Status written = write_tree(folder, *files, [] { return interrupted == 0; }); !written.ok())
    return fail(written.error(),
                written.error().code() == ErrorCode::kShuttingDown ? kInterrupted : kCannotCreate);
  say_what_is_next(options, given.folder, files->size());
  return 0;
}

}  // namespace

void add_new(CLI::App& app, int& status) {
  auto options = std::make_shared<NewOptions>();
  server::Command command = server::Command(app).add_subcommand(
      "new", "Write a project: a server of your own, with tests and a client");
  command.add_option("NAME", options->folder, "folder to make; its last part is the project's name")
      .required();
  std::string names;
  for (const Feature& feature : manifest().features) names += (names.empty() ? "" : ", ") + feature.name;
  const server::CommandOption features =
      command.add_option("--features", options->features, "between commas: " + names + "; or all, or none")
          .type_name("LIST");
  for (const Choice& choice : choices()) options->words.emplace_back(&choice, "");
  for (auto& [choice, word] : options->words) {
    std::string words;
    for (const std::string& each : choice->words) words += (words.empty() ? "" : ", ") + each;
    command.add_option("--" + choice->flag, word, choice->question + " " + words).type_name("WORD");
  }
  command.add_flag("--yes", options->yes, "ask nothing: what was not said is as usual");
  command.callback([options, features, &status] {
    options->are_features_said = features.is_given();
    status = make_project(*options);
  });
}

}  // namespace wirehall::cli
