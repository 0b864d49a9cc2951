// A server of this project for a test: in development mode, on a free port, with a data directory of its own.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace app {

/// Keys of config/websocket.json by their names in the environment: {{"WIREHALL_TYPING_TIMEOUT", "200"}}.
using Settings = std::map<std::string, std::string>;

/// Runs from the constructor, which waits until it listens, to the destructor.
class TestServer {
 public:
  /// The program is the one that was built with the tests, or what the environment calls SERVER.
  /// Throws: why it did not start, with its log.
  explicit TestServer(const Settings& settings);
  ~TestServer();
  TestServer(const TestServer&) = delete;

  /// http://127.0.0.1:…
  const std::string& url() const { return url_; }
  /// What it has written, the end of it.
  std::string log() const;

 private:
  void start(const Settings& settings);
  void stop();
  void read_log(int pipe);

  std::filesystem::path data_;
  pid_t process_ = -1;
  std::thread reader_;
  mutable std::mutex mutex_;  // what follows
  std::condition_variable changed_;
  std::string log_;
  std::string url_;  // empty until the server listens, unchanged afterwards
  bool ended_ = false;
};

}  // namespace app
