#include "cli/connect_terminal.h"

#include <fcntl.h>
#include <histedit.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cwchar>

namespace wirehall::cli {
namespace {

constexpr int kHistoryLinesMax = 1000;
constexpr wchar_t kKillLine = 0x15;  // Ctrl-U

volatile std::sig_atomic_t interrupted = 0;
void on_interrupt(int) { interrupted = 1; }

}  // namespace

struct Terminal::State {
  Hooks hooks;
  std::string history_file;
  std::string prompt;
  EditLine* edit = nullptr;
  History* history = nullptr;
  bool editing = false;
  struct sigaction old_interrupt {};
  sigset_t old_mask{};

  static State& of(EditLine* edit) {
    void* data = nullptr;
    el_get(edit, EL_CLIENTDATA, &data);
    return *static_cast<State*>(data);
  }
  static char* prompt_of(EditLine* edit) { return of(edit).prompt.data(); }
  static int read_character(EditLine* edit, wchar_t* out);
  static unsigned char complete(EditLine* edit, int);

  std::size_t typed_columns() const {
    const LineInfo* line = el_line(edit);
    const auto is_first_byte = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
    return static_cast<std::size_t>(std::count_if(line->buffer, line->cursor, is_first_byte));
  }
  bool line_is_empty() const {
    const LineInfo* line = el_line(edit);
    return line->buffer == line->lastchar;
  }
  // Moves to where the prompt begins, and clears from there on.
  void clear_prompt() const {
    winsize size{};
    const std::size_t columns =
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
    const std::size_t rows = (prompt.size() + typed_columns()) / columns;
    if (rows > 0) std::fprintf(stdout, "\033[%zuA", rows);
    std::fputs("\r\033[J", stdout);
  }
};

// Called by libedit for every character; meanwhile what comes from elsewhere is printed.
int Terminal::State::read_character(EditLine* edit, wchar_t* out) {
  State& state = of(edit);
  std::mbstate_t shift{};
  for (;;) {
    pollfd waiting[2] = {{STDIN_FILENO, POLLIN, 0}, {state.hooks.descriptor, POLLIN, 0}};
    // The signal is let through only here, so that none comes between the look at it and the wait.
    const int ready = ppoll(waiting, state.hooks.descriptor < 0 ? 1 : 2, nullptr, &state.old_mask);
    if (interrupted != 0) {
      interrupted = 0;
      if (state.line_is_empty()) return 0;
      *out = kKillLine;
      return 1;
    }
    if (ready < 0 && errno != EINTR) return -1;
    if (ready <= 0) continue;
    if (waiting[1].revents != 0) {
      state.hooks.on_readable();
      if (state.hooks.ended()) return 0;
    }
    if (waiting[0].revents == 0) continue;
    char byte = 0;
    const ssize_t got = ::read(STDIN_FILENO, &byte, 1);
    if (got == 0) return 0;
    if (got < 0) {
      if (errno == EINTR || errno == EAGAIN) continue;
      return -1;
    }
    const std::size_t length = std::mbrtowc(out, &byte, 1, &shift);
    if (length == static_cast<std::size_t>(-2)) continue;  // more bytes belong to it
    if (length == static_cast<std::size_t>(-1)) {
      shift = {};
      continue;
    }
    if (byte == '\0') *out = L'\0';
    return 1;
  }
}

unsigned char Terminal::State::complete(EditLine* edit, int) {
  State& state = of(edit);
  const LineInfo* line = el_line(edit);
  const std::string_view typed(line->buffer, static_cast<std::size_t>(line->cursor - line->buffer));
  const std::vector<std::string> found = state.hooks.complete(typed);
  if (found.empty()) return CC_ERROR;
  const std::size_t begin = typed.size() - (typed.find_last_of(" \t") == std::string_view::npos
                                                ? typed.size()
                                                : typed.size() - typed.find_last_of(" \t") - 1);
  const std::string_view last = typed.substr(begin);
  std::string common = found.front();
  for (const std::string& each : found) {
    const auto differ = std::mismatch(common.begin(), common.end(), each.begin(), each.end());
    common.erase(differ.first, common.end());
  }
  std::string more = common.substr(std::min(last.size(), common.size()));
  if (found.size() == 1) more += ' ';
  if (!more.empty()) return el_insertstr(edit, more.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
  std::string list;
  for (const std::string& each : found) list += (list.empty() ? "" : "  ") + each;
  state.clear_prompt();
  std::fprintf(stdout, "%s\n", list.c_str());
  std::fflush(stdout);
  el_set(edit, EL_REFRESH);
  return CC_NORM;
}

Terminal::Terminal(Hooks hooks, std::string history_file) : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.hooks = std::move(hooks);
  state.history_file = std::move(history_file);
  if (std::setlocale(LC_CTYPE, "") == nullptr || MB_CUR_MAX == 1) std::setlocale(LC_CTYPE, "C.UTF-8");
  state.history = history_init();
  HistEvent event;
  history(state.history, &event, H_SETSIZE, kHistoryLinesMax);
  history(state.history, &event, H_SETUNIQUE, 1);
  if (!state.history_file.empty()) history(state.history, &event, H_LOAD, state.history_file.c_str());
  state.edit = el_init("wirehall", stdin, stdout, stderr);
  el_set(state.edit, EL_CLIENTDATA, state_.get());
  el_set(state.edit, EL_PROMPT, &State::prompt_of);
  el_set(state.edit, EL_EDITOR, "emacs");
  el_set(state.edit, EL_HIST, history, state.history);
  el_set(state.edit, EL_GETCFN, &State::read_character);
  el_set(state.edit, EL_ADDFN, "wirehall-complete", "Complete commands and names", &State::complete);
  el_set(state.edit, EL_BIND, "^I", "wirehall-complete", nullptr);
  el_set(state.edit, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  pthread_sigmask(SIG_BLOCK, &interrupt, &state.old_mask);
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  sigaction(SIGINT, &action, &state.old_interrupt);
}

Terminal::~Terminal() {
  State& state = *state_;
  sigaction(SIGINT, &state.old_interrupt, nullptr);
  pthread_sigmask(SIG_SETMASK, &state.old_mask, nullptr);
  if (!state.history_file.empty()) {
    // Made by us first: what was typed is nobody else's business.
    const int file = ::open(state.history_file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file >= 0) {
      if (fchmod(file, 0600) == 0) {
        HistEvent event;
        history(state.history, &event, H_SAVE, state.history_file.c_str());
      }
      ::close(file);
    }
  }
  history_end(state.history);
  el_end(state.edit);
}

void Terminal::set_prompt(std::string prompt) {
  if (state_->editing) state_->clear_prompt();
  state_->prompt = std::move(prompt);
  if (!state_->editing) return;
  std::fflush(stdout);
  el_set(state_->edit, EL_REFRESH);
}

std::optional<std::string> Terminal::read_line() {
  State& state = *state_;
  state.editing = true;
  // Before the prompt is seen: what is typed at once is ours already.
  el_set(state.edit, EL_PREP_TERM, 1);
  int count = 0;
  const char* line = el_gets(state.edit, &count);
  state.editing = false;
  if (line == nullptr || count <= 0) {
    std::fputs("\n", stdout);
    return std::nullopt;
  }
  std::string text(line, static_cast<std::size_t>(count));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

void Terminal::remember(const std::string& line) {
  HistEvent event;
  history(state_->history, &event, H_ENTER, line.c_str());
}

void Terminal::print(std::string_view line) {
  if (state_->editing) state_->clear_prompt();
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
  if (state_->editing) el_set(state_->edit, EL_REFRESH);
}

}  // namespace wirehall::cli
