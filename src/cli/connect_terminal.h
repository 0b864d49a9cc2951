// A prompt with history and completion, above which lines can be printed while something is typed.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wirehall::cli {

/// Thread:   the program's main thread; one at a time.
class Terminal {
 public:
  struct Hooks {
    std::function<std::vector<std::string>(std::string_view line)> complete;  ///< for the last word
    int descriptor = -1;  ///< where something may come meanwhile
    std::function<void()> on_readable;
    std::function<bool()> ended;  ///< asked behind it: whether nothing more is to be read
  };

  /// `history_file` is made with mode 600 and keeps the newest 1000 lines; empty: none.
  Terminal(Hooks hooks, std::string history_file);
  ~Terminal();
  Terminal(const Terminal&) = delete;

  /// Reads a line. Ctrl-C throws away what was typed, and on an empty line ends, as Ctrl-D does.
  ///
  /// Returns:  nullopt at the end.
  std::optional<std::string> read_line();
  /// Shows another prompt from now on, before what is being typed too.
  void set_prompt(std::string prompt);
  /// Keeps a line for the history.
  void remember(const std::string& line);
  /// Prints a line above the prompt, which stays with what was typed.
  void print(std::string_view line);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace wirehall::cli
