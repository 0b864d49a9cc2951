#include "support/server.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace app {
namespace fs = std::filesystem;
namespace {

constexpr std::chrono::seconds kStartMax(10);
constexpr std::chrono::seconds kStopMax(10);
constexpr std::size_t kLogBytesMax = 64 * 1024;

// "KEY=value" of this process, with the settings in place of variables of their names.
std::vector<std::string> environment_with(const Settings& settings) {
  std::vector<std::string> all;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    if (!settings.contains(text.substr(0, text.find('=')))) all.push_back(text);
  }
  for (const auto& [name, value] : settings) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Starts a program in the project's folder; both its outputs go into the pipe. Returns: its process.
pid_t spawn(std::vector<std::string> words, const Settings& settings, int pipe) {
  std::vector<std::string> environment = environment_with(settings);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, PROJECT_FOLDER);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, pipe, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipe, STDERR_FILENO);
  pid_t process = -1;
  const int error = posix_spawn(&process, words[0].c_str(), &actions, nullptr, pointers_to(words).data(),
                                pointers_to(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error(words[0] + " cannot be started: " + std::strerror(error));
  return process;
}

}  // namespace

TestServer::TestServer(const Settings& settings) {
  std::string folder = (fs::temp_directory_path() / "server-test-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) throw std::runtime_error("no folder for the data: " + folder);
  data_ = folder;
  try {
    start(settings);
  } catch (...) {
    stop();
    throw;
  }
}

TestServer::~TestServer() { stop(); }

void TestServer::start(const Settings& settings) {
  const char* other = std::getenv("SERVER");
  std::array<int, 2> pipe{};
  if (pipe2(pipe.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  reader_ = std::thread([this, end = pipe[0]] { read_log(end); });
  try {
    process_ = spawn({other == nullptr ? SERVER_PROGRAM : other, "--dev", "--port", "0", "--data", data_},
                     settings, pipe[1]);
  } catch (...) {
    close(pipe[1]);
    throw;
  }
  close(pipe[1]);
  std::unique_lock lock(mutex_);
  const bool in_time = changed_.wait_for(lock, kStartMax, [&] { return ended_ || !url_.empty(); });
  if (!url_.empty()) return;
  throw std::runtime_error((in_time ? "the server ended:\n" : "the server does not start:\n") + log_);
}

void TestServer::stop() {
  if (process_ > 0) {
    kill(process_, SIGTERM);
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kStopMax, [&] { return ended_; })) {
      std::fprintf(stderr, "The server does not stop. It wrote:\n%s\n", log_.c_str());
      kill(process_, SIGKILL);
    }
    lock.unlock();
    waitpid(process_, nullptr, 0);
  }
  if (reader_.joinable()) reader_.join();
  std::error_code ignored;  // a folder that stays is no failure
  fs::remove_all(data_, ignored);
}

void TestServer::read_log(int pipe) {
  constexpr std::string_view kListens = "Wirehall listens on ";
  std::array<char, 4096> buffer{};
  for (ssize_t bytes = 0; (bytes = read(pipe, buffer.data(), buffer.size())) > 0;) {
    const std::lock_guard lock(mutex_);
    log_.append(buffer.data(), static_cast<std::size_t>(bytes));
    if (log_.size() > kLogBytesMax) log_.erase(0, log_.size() - kLogBytesMax);
    const std::size_t line = log_.find(kListens);
    const std::size_t end = log_.find('\n', line);
    if (url_.empty() && line != std::string::npos && end != std::string::npos)
      url_ = log_.substr(line + kListens.size(), end - line - kListens.size());
    changed_.notify_all();
  }
  close(pipe);
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

std::string TestServer::log() const {
  const std::lock_guard lock(mutex_);
  return log_;
}

}  // namespace app
