// `wirehall connect URL`: a client at the prompt, or for scripts.
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <utility>

#include "cli/commands.h"
#include "cli/connect_line.h"
#include "cli/connect_terminal.h"
#include "server/command_line.h"
#include "wirehall/client.h"

namespace wirehall::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct ConnectOptions {
  std::string url;
  std::string protocol = "native";
  std::string token;
  std::string auth;
  std::vector<std::string> rooms;
  bool polling = false;
  bool insecure = false;
  std::string ca_file;
  int timeout_ms = 20'000;
};

// What the client's thread says goes through a pipe, as lines of JSON: the main thread alone touches the
// terminal.
class Reports {
 public:
  Reports() {
    if (pipe2(ends_, O_CLOEXEC) != 0) std::abort();
  }
  Reports(const Reports&) = delete;
  ~Reports() { close_reader(), ::close(ends_[1]); }
  int descriptor() const { return ends_[0]; }
  /// From the client's thread.
  void write(const Value& report) const {
    const std::string line = report.to_json() + "\n";
    std::string_view rest = line;
    while (!rest.empty()) {
      const ssize_t written = ::write(ends_[1], rest.data(), rest.size());
      if (written < 0 && errno != EINTR) return;  // the program is ending
      if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  /// Reads what is there, at least something. Returns: whole lines.
  std::vector<Value> read() {
    char buffer[65'536];
    const ssize_t got = ::read(ends_[0], buffer, sizeof buffer);
    if (got > 0) partial_.append(buffer, static_cast<std::size_t>(got));
    std::vector<Value> reports;
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = partial_.find('\n', begin)) != std::string::npos; begin = end + 1) {
      Result<Value> report = Value::from_json(std::string_view(partial_).substr(begin, end - begin));
      if (report.ok()) reports.push_back(std::move(*report));
    }
    partial_.erase(0, begin);
    return reports;
  }
  /// What is written from then on is thrown away.
  void close_reader() {
    if (ends_[0] >= 0) ::close(ends_[0]);
    ends_[0] = -1;
  }

 private:
  int ends_[2] = {-1, -1};
  std::string partial_;
};

Value error_report(const Error& error) { return Object{{"error", error.text()}, {"code", error.kebab()}}; }

class Connect {
 public:
  Connect(const ConnectOptions& options, ClientOptions client_options, bool interactive)
      : interactive_(interactive),
        url_(options.url),
        rooms_(options.rooms),
        client_(options.url, std::move(client_options)) {
    // At the prompt these only repeat what was said.
    if (interactive_) seen_.hidden = {"connected", "joined", "left"};
    client_.on_any([this](const ClientEvent& event) {
      reports_.write(Object{{"event", event.name}, {"args", Value(Array(event.args))}});
      // The hall keeps private messages until somebody says that they came.
      if (event.ack) event.ack(Object{{"success", true}});
    });
    client_.on_disconnect([this](const ClientDisconnected& lost) {
      Object report{
          {"disconnected", lost.reason}, {"error", lost.error.text()}, {"code", lost.error.kebab()}};
      if (lost.retry_in) report.set("retryIn", lost.retry_in->count());
      reports_.write(std::move(report));
    });
    client_.on_connect([this](const ClientConnected& connected) {
      if (connected.reconnected)
        reports_.write(Object{{"connected", true}, {"recovered", connected.recovered}});
    });
    client_.on_rejoin([this](const std::string& room, const Result<Value>& answer) {
      Object report{{"rejoined", room}};
      const Value* recovered = answer.ok() ? answer->find("recovered") : nullptr;
      report.set("recovered", recovered == nullptr ? Value(false) : *recovered);
      if (!answer.ok()) report.set("error", answer.error().text());
      reports_.write(std::move(report));
    });
  }
  ~Connect() { reports_.close_reader(); }

  int run() {
    const Status connected = client_.connect();
    if (!connected.ok()) {
      std::fprintf(stderr, "wirehall connect: %s\n", printable(connected.error().text()).c_str());
      return 1;
    }
    for (const std::string& room : rooms_) perform(parse_line("join " + room, seen_));
    return interactive_ ? run_terminal() : run_script();
  }

 private:
  static std::string history_path() {
    std::string base;
    if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && state[0] == '/') {
      base = state;
    } else if (const char* home = std::getenv("HOME"); home != nullptr && home[0] == '/') {
      base = std::string(home) + "/.local/state";
    } else {
      return {};
    }
    std::error_code error;
    std::filesystem::create_directories(base + "/wirehall", error);
    return error ? std::string() : base + "/wirehall/connect_history";
  }

  int run_terminal() {
    Terminal::Hooks hooks;
    hooks.complete = [this](std::string_view line) { return complete_line(line, seen_); };
    hooks.descriptor = reports_.descriptor();
    hooks.on_readable = [this] { read_reports(); };
    hooks.ended = [this] { return ended_; };
    Terminal terminal(std::move(hooks), history_path());
    terminal_ = &terminal;
    show_prompt();
    const std::string user = client_.user_id();
    terminal.print("Connected to " + url_ + (user.empty() ? "" : " as " + printable(user)) +
                   ". `help` lists the commands.");
    named_ = !user.empty();
    while (!ended_) {
      const std::optional<std::string> line = terminal.read_line();
      if (!line) break;
      // A token is nobody's business.
      if (!line->empty() && !line->starts_with("token")) terminal.remember(*line);
      perform(parse_line(*line, seen_));
    }
    terminal_ = nullptr;
    return lost_ ? 1 : 0;
  }
  void show_prompt() const {
    if (terminal_ != nullptr) terminal_->set_prompt(seen_.room.empty() ? "> " : printable(seen_.room) + "> ");
  }

  // One command after another, each answered before the next is read; what is left at the end is waited for.
  int run_script() {
    std::string input;
    bool at_end = false;
    while (!ended_) {
      const std::size_t end = input.find('\n');
      if (!waiting() && end != std::string::npos) {
        const std::string line = input.substr(0, end);
        input.erase(0, end + 1);
        perform(parse_line(line, seen_));
        continue;
      }
      if (!waiting() && at_end) break;
      int timeout = -1;
      if (wait_until_) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*wait_until_ - Clock::now()).count();
        if (left <= 0) {
          wait_until_.reset();
          show(Object{{"error", "no " + wait_event_ + " came in time"}, {"code", "timeout"}});
          failed_ = true;
          continue;
        }
        timeout = static_cast<int>(std::min<std::int64_t>(left, 60'000));
      }
      pollfd descriptors[2] = {{reports_.descriptor(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
      const bool reads_input = !waiting() && !at_end;
      if (poll(descriptors, reads_input ? 2 : 1, timeout) <= 0) continue;
      if (descriptors[0].revents != 0) read_reports();
      if (!reads_input || descriptors[1].revents == 0) continue;
      char buffer[4096];
      const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
      if (got > 0) input.append(buffer, static_cast<std::size_t>(got));
      if (got == 0) {
        at_end = true;
        if (!input.empty() && input.back() != '\n') input.push_back('\n');
      }
    }
    return failed_ || lost_ ? 1 : 0;
  }
  bool waiting() const { return unanswered_ > 0 || wait_until_.has_value(); }

  void perform(const Result<ConnectCommand>& parsed) {
    if (!parsed.ok()) {
      failed_ = true;
      return show(interactive_
                      ? Value(Object{{"error", parsed.error().detail()}, {"code", parsed.error().kebab()}})
                      : error_report(parsed.error()));
    }
    const ConnectCommand& command = *parsed;
    using Kind = ConnectCommand::Kind;
    switch (command.kind) {
      case Kind::kNothing: return;
      case Kind::kHelp: return say(connect_help());
      case Kind::kQuit: ended_ = true; return;
      case Kind::kWatch: seen_.hidden.erase(command.event); return;
      case Kind::kUnwatch: seen_.hidden.insert(command.event); return;
      case Kind::kWait:
        if (interactive_) return show(Object{{"error", "wait is for scripts"}, {"code", "invalid-format"}});
        wait_event_ = command.event;
        // What has come since the last answer counts too: an event may be quicker than it.
        if (const auto early = std::find(recent_.begin(), recent_.end(), wait_event_);
            early != recent_.end()) {
          recent_.erase(recent_.begin(), early + 1);
          return;
        }
        wait_until_ = Clock::now() + std::chrono::milliseconds(command.wait_ms);
        return;
      case Kind::kFile: {
        FileOptions file;
        file.room_id = command.room;
        ++unanswered_;
        return client_.send_file(command.path, file, answerer(command));
      }
      case Kind::kRequest: break;
    }
    ++unanswered_;
    if (command.event == "message" && command.args.size() == 1 &&
        command.args[0].find_string("content") != nullptr && command.args[0].find_string("roomId") != nullptr)
      return client_.send(*command.args[0].find_string("roomId"), *command.args[0].find_string("content"),
                          answerer(command), command.args[0].as_object());
    client_.emit_args(command.event, command.args, answerer(command));
  }

  AnswerHandler answerer(const ConnectCommand& command) {
    return [this, event = command.kind == ConnectCommand::Kind::kFile ? std::string("file") : command.event,
            room = command.room](Result<Value> answer) {
      Object report{{"answer", event}};
      if (!room.empty()) report.set("room", room);
      if (answer.ok()) {
        report.set("value", std::move(*answer));
      } else {
        report.set("error", answer.error().text());
        report.set("code", answer.error().kebab());
      }
      reports_.write(std::move(report));
    };
  }

  void read_reports() {
    for (const Value& report : reports_.read()) take(report);
  }

  void take(const Value& report) {
    if (const std::string* event = report.find_string("event")) {
      const Value& args = *report.find("args");
      learn(seen_, args);
      if (*event == "connected" && !args.as_array().empty()) learn_welcome(args.as_array().front());
      if (seen_.events.size() < 1000) seen_.events.insert(*event);
      if (wait_until_ && *event == wait_event_) {
        wait_until_.reset();
      } else if (recent_.size() < 1000) {
        recent_.push_back(*event);
      }
      if (seen_.hidden.contains(*event)) return;
      return interactive_ ? say(event_text(*event, args.as_array())) : show(report);
    }
    if (const std::string* answered = report.find_string("answer")) return answer(*answered, report);
    if (const Value* lost = report.find("disconnected")) {
      const bool over = report.find("retryIn") == nullptr;
      ended_ = ended_ || over;
      lost_ = lost_ || over;
      if (!interactive_) return show(report);
      const std::string again = over ? "" : "; again in " + report.find("retryIn")->to_json() + " ms";
      return say("-- " + printable(lost->as_string() + ": " + *report.find_string("error")) + again);
    }
    if (!interactive_) return show(report);
    if (report.find("connected") != nullptr) say("-- connected again");
    if (const std::string* room = report.find_string("rejoined");
        room != nullptr && report.find("error") != nullptr) {
      seen_.rooms.erase(*room);
      say("-- no longer in " + printable(*room) + ": " + printable(*report.find_string("error")));
    }
  }

  // Who we are, and the rooms of last time, into which the server has put us back.
  void learn_welcome(const Value& welcome) {
    if (const std::string* user = welcome.find_string("userId");
        user != nullptr && interactive_ && !std::exchange(named_, true))
      say("-- you are " + printable(*user));
    const Value* rooms = welcome.find("rooms");
    if (rooms == nullptr || !rooms->is_array()) return;
    for (const Value& room : rooms->as_array()) {
      if (room.is_string() && seen_.rooms.size() < 1000) seen_.rooms.insert(room.as_string());
    }
  }

  void answer(const std::string& event, const Value& report) {
    --unanswered_;
    const bool failed = report.find("error") != nullptr;
    failed_ = failed_ || failed;
    const std::string* room = report.find_string("room");
    if (!failed) learn(seen_, *report.find("value"));
    if (!failed && room != nullptr && event == "join-room") {
      seen_.rooms.insert(*room);
      seen_.room = *room;
    } else if (!failed && room != nullptr && event == "leave-room") {
      seen_.rooms.erase(*room);
      if (seen_.room == *room) seen_.room = seen_.rooms.empty() ? std::string() : *seen_.rooms.begin();
    }
    show_prompt();
    if (!interactive_) return show(report);
    if (failed) return show(report);
    show_answer(event, *report.find("value"));
  }

  // The answers that people ask for, as people read them.
  void show_answer(const std::string& event, const Value& value) {
    if (event == "message" || event == "private-message") return;  // what it became is shown
    if (event == "join-room") {
      const Value* count = value.find("memberCount");
      return say("-- in " + printable(seen_.room) +
                 (count == nullptr ? "" : ", members: " + count->to_json()));
    }
    const Value* list = value.find(event == "history" ? "messages" : event == "presence" ? "users" : "");
    if (list == nullptr || !list->is_array()) return say("ok " + printable(value.to_json()));
    for (const Value& element : list->as_array()) {
      const std::string* user = element.find_string("userId");
      const std::string* status = element.find_string("status");
      say(event == "history"
              ? event_text("new-message", {element})
              : printable((user == nullptr ? "" : *user) + "  " + (status == nullptr ? "" : *status)));
    }
    if (list->as_array().empty()) say("-- none");
  }

  void say(std::string_view text) {
    if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    if (terminal_ != nullptr) return terminal_->print(text);
    std::fprintf(stdout, "%.*s\n", static_cast<int>(text.size()), text.data());
    std::fflush(stdout);
  }
  void show(const Value& report) {
    const std::string* error = report.find_string("error");
    if (!interactive_ || error == nullptr) return say(report.to_json());
    const std::string* code = report.find_string("code");
    say("error: " + printable(*error) + (code == nullptr ? "" : " (" + printable(*code) + ")"));
  }

  const bool interactive_;
  const std::string url_;
  const std::vector<std::string> rooms_;
  ConnectSeen seen_;
  Terminal* terminal_ = nullptr;
  bool ended_ = false;
  bool named_ = false;   // who we are was shown
  bool lost_ = false;    // for good
  bool failed_ = false;  // a command
  int unanswered_ = 0;
  std::string wait_event_;
  std::optional<Clock::time_point> wait_until_;
  std::vector<std::string> recent_;  // events that nobody waited for yet
  Reports reports_;
  Client client_;  // last: its thread uses what is above
};

int connect(const ConnectOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);
  ClientOptions client;
  client.protocol = options.protocol == "socketio" ? Protocol::kSocketIo : Protocol::kNative;
  client.timeout = Milliseconds(options.timeout_ms);
  client.tls.verify = !options.insecure;
  client.tls.ca_file = options.ca_file;
  if (options.polling) client.transports = {ClientTransport::kPolling, ClientTransport::kWebSocket};
  if (!options.auth.empty()) {
    const Result<Value> auth = Value::from_json(options.auth);
    if (!auth.ok() || !auth->is_object()) {
      std::fprintf(stderr, "wirehall connect: --auth wants a JSON object\n");
      return 2;
    }
    client.auth = auth->as_object();
  }
  const char* token = std::getenv("WIREHALL_TOKEN");
  if (!options.token.empty() || token != nullptr)
    client.auth.set("token", options.token.empty() ? token : options.token);
  Connect session(options, std::move(client), isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1);
  return session.run();
}

}  // namespace

void add_connect(CLI::App& app, int& status) {
  auto options = std::make_shared<ConnectOptions>();
  server::Command command =
      server::Command(app).add_subcommand("connect", "Talk to a server from the terminal, or from a script");
  command
      .add_option("URL", options->url,
                  "http(s)://HOST:PORT, or ws(s)://HOST:PORT/PATH for the native protocol")
      .required();
  command.add_option("--protocol", options->protocol, "what an http URL speaks: native (default) or socketio")
      .one_of({"native", "socketio"});
  command.add_option("--token", options->token,
                     "who you are; better: the environment variable WIREHALL_TOKEN");
  command.add_option("--auth", options->auth, "what is shown to the server instead, a JSON object");
  command.add_option("--room", options->rooms, "a room to enter; may be repeated");
  command.add_flag("--polling", options->polling,
                   "socketio: begin with HTTP long-polling, as the stock client does");
  command.add_option("--ca", options->ca_file, "file with the certificates to trust (PEM)");
  command.add_flag("--insecure", options->insecure, "take any certificate");
  command
      .add_option("--timeout", options->timeout_ms,
                  "milliseconds for a connection, and for an answer (default 20000)")
      .range(1, 3'600'000);
  command.callback([options, &status] { status = connect(*options); });
}

}  // namespace wirehall::cli
