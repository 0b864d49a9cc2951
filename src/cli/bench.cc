// `wirehall bench URL`: the load generator (src/loadgen) at the command line.
#include <CLI/CLI.hpp>

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>

#include "auth/http_fetch.h"
#include "auth/jwt.h"
#include "cli/commands.h"
#include "client/url.h"
#include "io/system.h"
#include "loadgen/gate.h"
#include "loadgen/plan.h"
#include "loadgen/probe.h"
#include "loadgen/report.h"
#include "loadgen/run.h"

namespace wirehall::cli {
namespace {

using loadgen::Mode;
using loadgen::Plan;
using loadgen::Speech;
using loadgen::Transport;

constexpr int kConditionHolds = 1, kUsage = 64, kServerUnavailable = 69, kCannotWrite = 73,
              kInterrupted = 130;
constexpr std::int64_t kTokenSeconds = 86'400;

struct BenchOptions {
  loadgen::Options load;
  std::string mode = "echo";
  std::string protocol;
  std::string transport = "websocket";
  std::string token;
  std::string token_url;
  std::string secret;
  std::string json;
  std::vector<std::string> fail_if;
  bool progress = false;
  bool no_progress = false;
};

// The token of a user.
using TokenSource = std::function<Result<std::string>(const std::string& user)>;

std::atomic<bool> interrupted{false};

int fail(int status, const std::string& text) {
  std::fprintf(stderr, "wirehall bench: %s\n", text.c_str());
  return status;
}

int fail(int status, const Error& error) {
  return fail(status, error.detail().empty() ? std::string(error.text()) : std::string(error.detail()));
}

std::size_t usual_threads() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  const int count = sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : 1;
  return static_cast<std::size_t>(std::clamp(count / 2, 1, 8));
}

const std::map<std::string, Mode> kModes = {{"echo", Mode::kEcho},       {"fanout", Mode::kFanout},
                                            {"idle", Mode::kIdle},       {"chat", Mode::kChat},
                                            {"slow", Mode::kSlow},       {"jitter", Mode::kJitter},
                                            {"restart", Mode::kRestart}, {"connect", Mode::kConnect}};

// -- who the clients are --------------------------------------------------------------------------

Result<std::string> fetch_token(const std::string& url) {
  Result<std::string> body = auth::fetch_https(url);
  if (!body.ok()) return body.error();
  const Result<Value> answer = Value::from_json(*body);
  if (!answer.ok()) return *body;  // the bare token
  const std::string* token = answer->find_string("token");
  if (token == nullptr) return Error(ErrorCode::kConfig, "its answer has no \"token\"");
  return *token;
}

std::string url_for(std::string url, const std::string& user) {
  const std::string name = client::encode_component(user);
  const std::size_t at = url.find("{user}");
  return at == std::string::npos ? url + name : url.replace(at, 6, name);
}

Result<TokenSource> token_source(const BenchOptions& options) {
  if (!options.token.empty())
    return TokenSource([token = options.token](const std::string&) { return token; });
  if (!options.token_url.empty()) {
    return TokenSource([url = options.token_url](const std::string& user) -> Result<std::string> {
      Result<std::string> token = fetch_token(url_for(url, user));
      if (token.ok()) return token;
      return Error(
          ErrorCode::kConfig,
          "--token-url gave no token: " +
              std::string(token.error().detail().empty() ? token.error().text() : token.error().detail()));
    });
  }
  if (options.secret.empty()) return TokenSource();
  Result<auth::SigningKey> key =
      auth::SigningKey::from_secret(*auth::algorithm_from_name("HS256"), options.secret);
  if (!key.ok()) return key.error();
  const auto shared = std::make_shared<const auth::SigningKey>(std::move(*key));
  return TokenSource([shared](const std::string& user) {
    const std::int64_t now = io::SystemClock().wall_now() / 1000;
    return auth::sign({{"sub", user}, {"user", {{"name", user}}}, {"iat", now}, {"exp", now + kTokenSeconds}},
                      *shared);
  });
}

Status take_tokens(Plan& plan, const TokenSource& source, std::size_t count) {
  for (std::size_t i = plan.tokens.size(); i < count; ++i) {
    Result<std::string> token = source(plan.user(i));
    if (!token.ok()) return token.error();
    if (token->empty() || token->find_first_of("\r\n\"\\") != std::string::npos)
      return Error(ErrorCode::kConfig, "what was given as a token is none");
    plan.tokens.push_back(std::move(*token));
  }
  return {};
}

// A server in development on this machine gives tokens away; no other one is asked.
TokenSource dev_tokens(const Plan& plan) {
  const std::string base = (plan.endpoint.tls ? "https://" : "http://") + plan.endpoint.authority;
  return [base](const std::string& user) { return fetch_token(url_for(base + "/dev/token?user=", user)); };
}

// -- the first connection -------------------------------------------------------------------------

// Finds out what the server is; asks a server in development for tokens when it wants some.
int meet(Plan& plan, const BenchOptions& options, TokenSource& source) {
  if (source) {
    if (const Status taken = take_tokens(plan, source, 1); !taken.ok()) return fail(kUsage, taken.error());
  }
  loadgen::Probed probed = loadgen::probe(plan);
  const bool bare = plan.speech == Speech::kWebSocket && plan.endpoint.path == "/";
  if (!probed.failure.empty() && bare && probed.failure.find("HTTP 4") != std::string::npos) {
    Plan other = plan;
    other.endpoint.path = "/ws";
    const loadgen::Probed again = loadgen::probe(other);
    if (again.failure.empty() || again.wants_token) {
      plan.endpoint.path = "/ws";
      probed = again;
    }
  }
  if (probed.wants_token && !source && plan.address.is_loopback()) {
    TokenSource dev = dev_tokens(plan);
    if (take_tokens(plan, dev, 1).ok()) {
      source = std::move(dev);
      std::fprintf(stderr, "wirehall bench: tokens come from the server's /dev/token\n");
      probed = loadgen::probe(plan);
    }
  }
  if (!probed.failure.empty()) {
    std::string text = options.load.url + " cannot be measured: " + probed.failure;
    if (probed.wants_token)
      text += source ? "\nThe token was not accepted."
                     : "\nIt wants to know who connects: give --token, --token-url, --secret or --header";
    return fail(kServerUnavailable, text);
  }
  plan.hall = probed.hall && options.load.speech != Speech::kWebSocket;
  if (plan.hall) plan.speech = probed.speech;
  return 0;
}

// -- the run --------------------------------------------------------------------------------------

int write_json(const BenchOptions& options, const std::string& json) {
  if (options.json.empty()) return 0;
  if (options.json == "-") {
    std::printf("%s\n", json.c_str());
    return std::fflush(stdout) == 0 ? 0 : kCannotWrite;
  }
  std::ofstream file(options.json);
  file << json << "\n";
  file.close();
  return file ? 0 : fail(kCannotWrite, options.json + " could not be written");
}

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted.store(true); };
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // a second one ends at once
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int check(const loadgen::Options& options) {
  const bool fans_out =
      options.mode == Mode::kFanout || options.mode == Mode::kSlow || options.mode == Mode::kJitter;
  if (fans_out && options.publishers > options.connections)
    return fail(kUsage, "there are more --publishers than --connections");
  if (fans_out && options.connections < 2) return fail(kUsage, "a fan-out wants two --connections or more");
  if (options.rooms > options.connections) return fail(kUsage, "there are more --rooms than --connections");
  if (options.threads > options.connections)
    return fail(kUsage, "there are more --threads than --connections");
  if (options.mode == Mode::kSlow && options.slow + options.publishers >= options.connections)
    return fail(kUsage, "with so many --slow nobody is left who reads");
  if (options.mode == Mode::kSlow && options.transport != Transport::kWebSocket)
    return fail(kUsage, "--mode slow is for --transport websocket");
  constexpr std::string_view kNameLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-";
  if (options.user_prefix.find_first_not_of(kNameLetters) != std::string::npos)
    return fail(kUsage, "--user-prefix takes letters, digits and . _ @ -");
  if (options.mode == Mode::kConnect && options.transport == Transport::kPolling)
    return fail(kUsage, "--mode connect is for --transport websocket or upgrade");
  if (options.mode != Mode::kSlow && options.slow != 0) return fail(kUsage, "--slow is for --mode slow");
  return 0;
}

int measure(const BenchOptions& given) {
  BenchOptions options = given;
  loadgen::Options& load = options.load;
  load.mode = kModes.at(options.mode);
  load.transport = options.transport == "polling"   ? Transport::kPolling
                   : options.transport == "upgrade" ? Transport::kUpgrade
                                                    : Transport::kWebSocket;
  if (options.protocol == "socketio") load.speech = Speech::kSocketIo;
  if (options.protocol == "native") load.speech = Speech::kNative;
  if (options.protocol == "websocket") load.speech = Speech::kWebSocket;
  if (load.threads == 0) load.threads = std::min(usual_threads(), load.connections);
  if (load.mode == Mode::kSlow && load.slow == 0) load.slow = std::max<std::size_t>(1, load.connections / 10);
  // A message a second: what people do, and what the hall's usual limit allows.
  if (load.mode == Mode::kJitter && load.rate == 0) load.rate = static_cast<double>(load.publishers);
  if (const int status = check(load); status != 0) return status;

  std::vector<loadgen::Condition> conditions;
  for (const std::string& text : options.fail_if) {
    Result<loadgen::Condition> condition = loadgen::parse_condition(text, loadgen::figures_of(load));
    if (!condition.ok()) return fail(kUsage, condition.error());
    conditions.push_back(std::move(*condition));
  }
  catch_interrupts();
  Result<Plan> plan = loadgen::make_plan(load);
  if (!plan.ok()) return fail(kUsage, plan.error());
  if (const Status raised = loadgen::raise_descriptors(plan->descriptors()); !raised.ok())
    return fail(kUsage, raised.error());
  Result<TokenSource> source = token_source(options);
  if (!source.ok()) return fail(kUsage, source.error());
  if (const int status = meet(*plan, options, *source); status != 0) return status;
  if (const Status prepared = loadgen::prepare_messages(*plan); !prepared.ok())
    return fail(kUsage, prepared.error());
  if (*source && options.token.empty()) {
    if (const Status taken = take_tokens(*plan, *source, load.connections); !taken.ok())
      return fail(kUsage, taken.error());
  }

  const bool progress = options.progress || (!options.no_progress && isatty(STDERR_FILENO) == 1);
  const Result<loadgen::Outcome> outcome = loadgen::run(*plan, interrupted, progress);
  if (!outcome.ok()) return fail(kServerUnavailable, outcome.error());
  const std::vector<std::string> failed = loadgen::failures(conditions, loadgen::figures_of(*plan, *outcome));
  // With the JSON on standard output the table makes way for it.
  std::fputs(loadgen::table_of(*plan, *outcome).c_str(), options.json == "-" ? stderr : stdout);
  for (const std::string& warning : loadgen::warnings_of(*plan, *outcome))
    std::fprintf(stderr, "warning: %s\n", warning.c_str());
  for (const std::string& condition : failed) std::fprintf(stderr, "failed: %s\n", condition.c_str());
  if (const int status = write_json(options, loadgen::json_of(*plan, *outcome, failed).to_json());
      status != 0)
    return status;
  if (outcome->interrupted) return kInterrupted;
  if (!failed.empty()) return kConditionHolds;
  if (load.mode == Mode::kConnect && outcome->tally.arrived == 0)
    return fail(kServerUnavailable, "no handshake was completed: " + outcome->tally.first_failure);
  if (load.mode != Mode::kRestart && outcome->tally.closed >= outcome->connected)
    return fail(kServerUnavailable, "every connection was closed: " + outcome->tally.first_failure);
  return 0;
}

// -- options --------------------------------------------------------------------------------------

void add_load_options(CLI::App& command, BenchOptions& options) {
  loadgen::Options& load = options.load;
  load.threads = 0;
  command
      .add_option("URL", load.url, "http(s)://HOST:PORT for Socket.IO, ws(s)://HOST:PORT/PATH for WebSocket")
      ->required();
  command.add_option("--mode", options.mode, "what is measured (default echo)")
      ->check(CLI::IsMember({"echo", "fanout", "idle", "chat", "jitter", "restart", "slow", "connect"}))
      ->type_name("WORD");
  command
      .add_option("--protocol", options.protocol,
                  "what the server speaks; default: by the URL and the server's first words")
      ->check(CLI::IsMember({"socketio", "native", "websocket"}))
      ->type_name("WORD");
  command.add_option("--transport", options.transport, "of Socket.IO (default websocket)")
      ->check(CLI::IsMember({"websocket", "polling", "upgrade"}))
      ->type_name("WORD");
  command.add_option("--path", load.engine_path, "of Socket.IO (default /socket.io/)")->type_name("PATH");
  command.add_option("--connections", load.connections, "clients (default 100)")
      ->check(CLI::Range(1, 10'000'000))
      ->type_name("N");
  command
      .add_option("--threads", load.threads,
                  "of the generator; default: half of the cores it may use, at most 8")
      ->check(CLI::Range(1, 256))
      ->type_name("N");
  command.add_option("--duration", load.duration_s, "seconds that are measured (default 10)")
      ->check(CLI::Range(0.1, 604'800.0))
      ->type_name("SECONDS");
  command.add_option("--warm-up", load.warm_up_s, "seconds of load before (default 1)")
      ->check(CLI::Range(0.0, 3'600.0))
      ->type_name("SECONDS");
  command
      .add_option("--rate", load.rate,
                  "messages per second of all senders together, connect: handshakes (an open loop); default: "
                  "each sends when its last one was answered (a closed loop)")
      ->check(CLI::Range(0.001, 1e8))
      ->type_name("N");
  command.add_flag("--random", load.random_gaps,
                   "open loop: gaps as of many independent users (Poisson), rather than even ones");
  command
      .add_option("--in-flight", load.in_flight,
                  "closed loop: messages of a sender under way at once (default 1)")
      ->check(CLI::Range(1, 10'000))
      ->type_name("N");
  command
      .add_option("--size", load.size_bytes, "bytes of a sent message (default 128; 40 of them are the mark)")
      ->check(CLI::Range(1, 16'000'000))
      ->type_name("BYTES");
  command
      .add_option("--publishers", load.publishers,
                  "fanout, jitter, slow: connections that publish (default 1)")
      ->check(CLI::Range(1, 100'000))
      ->type_name("N");
  command.add_option("--rooms", load.rooms, "rooms over which connections are spread (default 1)")
      ->check(CLI::Range(1, 1'000'000))
      ->type_name("N");
  command.add_option("--slow", load.slow, "slow: connections that do not read (default a tenth)")
      ->check(CLI::Range(1, 10'000'000))
      ->type_name("N");
  command
      .add_option("--away-every", load.away_every_s,
                  "jitter: seconds that a connection lasts, on average (default 15)")
      ->check(CLI::Range(0.1, 86'400.0))
      ->type_name("SECONDS");
  command.add_option("--away-for", load.away_for_s, "jitter: seconds that it is away (default 2)")
      ->check(CLI::Range(0.0, 86'400.0))
      ->type_name("SECONDS");
}

void add_connection_options(CLI::App& command, BenchOptions& options) {
  loadgen::Options& load = options.load;
  command
      .add_option(
          "--event", load.event,
          "event that is sent; default: echo, publish; with a Wirehall hall ping, broadcast (or message)")
      ->type_name("NAME");
  command
      .add_option("--data", load.data,
                  "its arguments as JSON (native: an object; websocket: the whole message) with {data} where "
                  "the mark belongs; {room} is known too")
      ->type_name("TEXT");
  command
      .add_option("--join", load.join,
                  "event (websocket: message) with which every connection begins; it must be acknowledged")
      ->type_name("NAME");
  command.add_option("--join-data", load.join_data, "its arguments, with {room} and {user}")
      ->type_name("TEXT");
  command
      .add_option("--connect-rate", load.connect_rate,
                  "connections per second; default: as fast as they are accepted")
      ->check(CLI::Range(0.1, 1e6))
      ->type_name("N");
  command
      .add_option("--connect-at-once", load.opening_max,
                  "connections that are being opened at the same time (default 100)")
      ->check(CLI::Range(1, 100'000))
      ->type_name("N");
  command
      .add_option("--source-addresses", load.source_addresses,
                  "addresses of this machine to connect from, between commas; default on loopback: "
                  "127.0.0.1, 127.0.0.2, … as many as are needed")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("ADDRESS");
  command.add_option("--timeout", load.timeout_s, "seconds for a connection, and for an answer (default 5)")
      ->check(CLI::Range(0.1, 3'600.0))
      ->type_name("SECONDS");
  command
      .add_option("--token", options.token,
                  "token that every client shows; better: the environment variable WIREHALL_TOKEN")
      ->envname("WIREHALL_TOKEN")
      ->type_name("TOKEN");
  command
      .add_option("--token-url", options.token_url,
                  "where each client gets one of its own: {user}, or what is put behind, is its name")
      ->type_name("URL");
  command
      .add_option("--user-prefix", load.user_prefix,
                  "{user} is this and a number; default: one of this run alone, as bench1a2b-")
      ->type_name("TEXT");
  command
      .add_option("--secret", options.secret,
                  "HMAC secret to sign a token for each client (HS256); better: the environment variable "
                  "WIREHALL_BENCH_SECRET")
      ->envname("WIREHALL_BENCH_SECRET")
      ->type_name("SECRET");
  command.add_option("--header", load.headers, "header of every request, \"Name: value\"; may be repeated")
      ->allow_extra_args(false)
      ->type_name("HEADER");
  command.add_option("--ca", load.ca_file, "file with the certificates to trust (PEM)")->type_name("FILE");
  command.add_flag("--insecure", load.insecure, "take any certificate");
}

}  // namespace

void add_bench(CLI::App& app, int& status) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* command =
      app.add_subcommand("bench", "Put a Socket.IO or WebSocket server under load, and measure it");
  add_load_options(*command, *options);
  add_connection_options(*command, *options);
  command
      ->add_option("--server-pid", options->load.server_pid,
                   "process of the server on this machine: its CPU time and memory are measured")
      ->check(CLI::Range(1, 1 << 30))
      ->type_name("PID");
  command->add_flag("--busy", options->load.busy,
                    "spin instead of sleeping, so that the server never has to wake this process");
  command
      ->add_option(
          "--json", options->json,
          "write the report to this file; - is standard output, the table then goes to standard error")
      ->type_name("FILE");
  command
      ->add_option("--fail-if", options->fail_if,
                   "condition under which the exit status is 1, as p99>5ms or lost>0; may be repeated")
      ->type_name("CONDITION");
  command->add_flag("--progress", options->progress,
                    "a line each second also where standard error is no terminal");
  command->add_flag("--no-progress", options->no_progress, "no such lines");
  command->callback([options, &status] { status = measure(*options); });
}

}  // namespace wirehall::cli
