// The program of the behaviours on Wirehall. reference.mjs is the same program on npm socket.io: whoever
// changes one changes the other. README.md says what it offers.
//
//   behaviour_server <profile> [<threads> [<directory of the stock client>]]
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <regex>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <wirehall/server.h>

#include "operations.h"
#include "report.h"

namespace {

using namespace behaviours;

constexpr int kOwnNamespaces = 64;
constexpr int kManyNamespaces = 20;
constexpr int kUnknownProfile = 3;

// -- gates: a middleware that waits for another event of its connection ----------------------------

struct Gate {
  std::coroutine_handle<> waiting;
  std::string decision;
};
// Each shard has its own: a connection stays on its shard.
thread_local std::unordered_map<std::string, Gate> t_gates;

class GateOpened {
 public:
  explicit GateOpened(Gate& gate) : gate_(gate) {}
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) { gate_.waiting = handle; }
  void await_resume() const {}

 private:
  Gate& gate_;
};

Task<Verdict> pass_gate(Socket& socket) {
  report(socket, {Value("gate")});
  const std::string tag = tag_of(socket);
  GateOpened opened(t_gates[tag]);
  co_await opened;
  const std::string decision = t_gates[tag].decision;
  t_gates.erase(tag);
  Verdict verdict;
  if (decision != "open") verdict = Verdict::refuse(decision);
  co_return verdict;
}

void open_gate(Socket& socket, std::string decision) {
  const auto found = t_gates.find(tag_of(socket));
  if (found == t_gates.end()) return;
  found->second.decision = std::move(decision);
  found->second.waiting.resume();
}

// -- the events that every namespace handles -------------------------------------------------------

thread_local std::unordered_map<std::string, std::vector<Ack>> t_held;

void connected(Socket& socket) {
  report(socket, {Value("connect"), rooms_of(socket)});
  if (const auto greeting = socket.handshake().query("greet"))
    socket.emit("greeting", *greeting, socket.connected());
}

void release(Socket& socket, const Args& args) {
  const std::vector<Ack> acks = std::exchange(t_held[socket.id()], {});
  for (Ack ack : acks) ack.answer(args);
}

// Of rooms that want it: ["room", what, room, id].
void report_room(const std::string& nsp, const char* what, std::string_view room, std::string_view id) {
  if (room.find("watched") == std::string_view::npos) return;
  report_as(nsp, nsp, {Value("room"), Value(what), Value(room), id.empty() ? Value() : Value(id)});
}
void watch_rooms(Namespace& nsp) {
  const std::string name = nsp.name();
  nsp.on_create_room([name](std::string_view room) { report_room(name, "create-room", room, {}); });
  nsp.on_delete_room([name](std::string_view room) { report_room(name, "delete-room", room, {}); });
  nsp.on_join_room(
      [name](std::string_view room, std::string_view id) { report_room(name, "join-room", room, id); });
  nsp.on_leave_room(
      [name](std::string_view room, std::string_view id) { report_room(name, "leave-room", room, id); });
}

void serve(Namespace& nsp) {
  nsp.on_connection(connected);
  nsp.on_disconnecting([](Socket& socket, std::string_view reason) {
    report(socket, {Value("disconnecting"), Value(reason), rooms_of(socket)});
  });
  nsp.on_disconnect([](Socket& socket, std::string_view reason) {
    t_held.erase(socket.id());
    report(socket, {Value("disconnect"), Value(reason), rooms_of(socket)});
  });
  nsp.on_event("do", run_steps);
  nsp.on_event("echo", [](Socket& socket, Args args) { socket.emit_args("echoed", args); });
  nsp.on_event("reply", [](Args args, Ack ack) { ack.answer(args); });
  nsp.on_event("reply-twice", [](Ack ack) {
    ack("first");
    ack("second");
  });
  nsp.on_event("hold", [](Socket& socket, Ack ack) {
    if (ack) t_held[socket.id()].push_back(ack);
  });
  nsp.on_event("release", [](Socket& socket, Args args) { release(socket, args); });
  nsp.on_event("gate", [](Socket& socket, std::string decision) { open_gate(socket, std::move(decision)); });
  nsp.on_event("sync", [](Ack ack) { ack(); });
}

// -- middlewares -----------------------------------------------------------------------------------

// /auth does what the payload says.
Verdict obey_payload(Socket& socket) {
  const Value auth = socket.handshake().auth.is_null() ? Value(Object()) : socket.handshake().auth;
  report(socket, {Value("middleware"), auth, Value(socket.connected())});
  if (const Value* rooms = auth.find("join")) {
    for (const Value& room : rooms->as_array()) (void)socket.join(room.as_string()).ok();
  }
  if (const Value* data = auth.find("data")) socket.data() = *data;
  if (const Value* early = auth.find("emit")) socket.emit("early", *early);
  const std::string* refusal = auth.find_string("refuse");
  if (refusal == nullptr) return Verdict();
  const Value* data = auth.find("refuseData");
  return Verdict::refuse(*refusal, data == nullptr ? Value() : *data);
}

void register_middlewares(Server& io) {
  io.of("/auth").use(obey_payload);
  io.of("/gate").use(pass_gate);
  for (const char* label : {"first", "second", "third"}) {
    io.of("/chain").use([label](Socket& socket) {
      report(socket, {Value("middleware"), Value(label)});
      const std::string* refused = socket.handshake().auth.find_string("refuseIn");
      return refused != nullptr && *refused == label ? Verdict::refuse(std::string(label) + " says no")
                                                     : Verdict();
    });
  }
}

// -- namespaces that are made for who asks, and hooks of the engine --------------------------------

void register_dynamic(Server& io) {
  Namespace& by_pattern = io.of(std::regex("/dynamic-[\\w~-]+"));
  by_pattern.use([](Socket& socket) {
    const std::string* refusal = socket.handshake().auth.find_string("refuse");
    return refusal == nullptr ? Verdict() : Verdict::refuse(*refusal);
  });
  serve(by_pattern);
  serve(io.of([](std::string name, Value auth) -> Task<bool> {
    const std::string* token = auth.find_string("token");
    const bool allowed = name.starts_with("/asked-") && token != nullptr && *token == "good";
    co_return allowed;
  }));
  io.on_new_namespace([](Namespace& nsp) { report_as(nsp.name(), nsp.name(), {Value("new_namespace")}); });
}

void register_hooks(Server& io) {
  io.allow_request([](const Handshake& request) { return request.query("deny").value_or(""); });
  io.on_initial_headers(
      [](HeaderList& headers, const Handshake&) { headers.emplace_back("x-initial", "yes"); });
  io.on_headers([](HeaderList& headers, const Handshake&) { headers.emplace_back("x-every", "yes"); });
}

void report_refused_connections(Server& io) {
  io.on_connection_error([](const ConnectionFailure& failure) {
    const auto tag = failure.request.query("errors");
    if (!tag) return;
    report_as(*tag, "engine",
              {Value("connection_error"), Value(failure.code), Value(failure.message),
               failure.context.empty() ? Value() : Value(failure.context)});
  });
}

// -- life ------------------------------------------------------------------------------------------

// Returns: whether there is such a profile.
bool apply_profile(Config& config, const std::string& profile) {
  if (profile == "main") return true;
  if (profile == "short") {
    config.ping_interval = milliseconds(300);
    config.ping_timeout = milliseconds(200);
    config.connect_timeout = milliseconds(400);
    config.upgrade_timeout = milliseconds(300);
  } else if (profile == "options") {
    config.path = "/opts";
    config.cors_origins = {"http://one.example", "http://two.example"};
    config.cors_credentials = true;
    config.cookie = CookieConfig();
    config.max_http_buffer_size = 2000;
    config.serve_client = false;
  } else if (profile == "websocket") {
    config.transports = {"websocket"};
    config.per_message_deflate = true;
    config.per_message_deflate_threshold = 1024;
  } else if (profile == "polling") {
    config.transports = {"polling"};
  } else if (profile == "fixed") {
    config.allow_upgrades = false;
    config.cors_origins = {"*"};
  } else if (profile == "msgpack") {
    config.parser = Parser::kMsgpack;
  } else if (profile == "recovery") {
    config.connection_state_recovery = milliseconds(60'000);
  } else if (profile == "eio3") {
    config.allow_eio3 = true;
  } else if (profile == "dynamic") {
    config.cleanup_empty_child_namespaces = true;
  } else if (profile == "hooks") {
    config.initial_packet = "hello";
    config.add_trailing_slash = false;
    config.http_compression_threshold.reset();
  } else {
    return false;
  }
  return true;
}

Config common_config() {
  Config config;
  config.port = 0;
  config.threads = 2;
  config.connections_per_minute = 1'000'000;
  config.limits.connections_per_address_max = 10'000;
  config.limits.unauthenticated_per_address_max = 10'000;
  config.limits.drain_window = milliseconds(100);
  config.handshake_headers = {"x-test"};
  return config;
}

// "mark <word>" comes back behind everything that was reported before; the end of the input is the end.
void answer_marks() {
  std::thread([] {
    for (std::string line; std::getline(std::cin, line);) write_line(line);
    kill(getpid(), SIGTERM);
  }).detach();
}

}  // namespace

int main(int argc, char** argv) {
  Config config = common_config();
  const std::string profile = argc > 1 ? argv[1] : "main";
  if (argc > 2) config.threads = static_cast<unsigned>(std::atoi(argv[2]));
  if (argc > 3) config.client_directory = argv[3];
  if (!apply_profile(config, profile)) return kUnknownProfile;
  // Blocked in every thread, and taken below: a signal may come as soon as somebody knows of this process.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  Server io(config);
  g_io = &io;
  register_middlewares(io);
  for (const char* name : {"/", "/custom", "/auth", "/gate", "/chain"}) serve(io.of(name));
  for (int i = 0; i < kOwnNamespaces; ++i) {
    Namespace& own = io.of("/own-" + std::to_string(i));
    serve(own);
    watch_rooms(own);
  }
  for (int i = 0; i < kManyNamespaces; ++i) serve(io.of("/many-" + std::to_string(i)));
  if (profile == "dynamic") register_dynamic(io);
  if (profile == "hooks") register_hooks(io);
  report_refused_connections(io);
  if (const Status started = io.start(); !started.ok()) {
    std::fprintf(stderr, "%s\n", started.error().text().c_str());
    return 1;
  }
  write_line("listening " + std::to_string(io.port()) + " " + operation_names());
  answer_marks();
  int which = 0;
  sigwait(&ends, &which);
  io.stop();
  return 0;
}
