#include "loadgen/report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace wirehall::loadgen {
namespace {

// Above this share of its time the busiest thread was the limit rather than the server.
constexpr double kBusyShare = 0.9;
// A generator that sends so much later than it should is too slow.
constexpr std::uint64_t kLagNs = 5'000'000;

double number(std::uint64_t value) { return static_cast<double>(value); }

// Whether operations are counted, and how long each took.
bool operates(Mode mode) { return carries_messages(mode) || mode == Mode::kConnect; }

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

void add_quantiles(std::vector<Figure>& out, const std::string& prefix, const Histogram& histogram) {
  out.push_back({prefix + "mean", histogram.mean(), true});
  out.push_back({prefix + "p50", number(histogram.quantile(0.5)), true});
  out.push_back({prefix + "p90", number(histogram.quantile(0.9)), true});
  out.push_back({prefix + "p99", number(histogram.quantile(0.99)), true});
  out.push_back({prefix + "p99.9", number(histogram.quantile(0.999)), true});
  out.push_back({prefix + "max", number(histogram.max()), true});
}

std::vector<Figure> figures(const Options& options, const Outcome& outcome) {
  const Tally& tally = outcome.tally;
  const Mode mode = options.mode;
  std::vector<Figure> out;
  if (operates(mode)) {
    add_quantiles(out, "", tally.latency);
    if (mode != Mode::kEcho && mode != Mode::kConnect) add_quantiles(out, "answer.", tally.answer);
    out.push_back({"rate", ratio(number(tally.operations), outcome.window_s), false});
    for (const Figure& figure : std::initializer_list<Figure>{
             {"sent", number(tally.sent), false},
             {"expected", number(tally.expected), false},
             {"delivered", ratio(number(tally.arrived), number(tally.expected)), false},
             {"lost", number(tally.lost), false},
             {"skipped", number(tally.skipped), false}})
      out.push_back(figure);
  }
  if (carries_messages(mode)) {
    for (const Figure& figure : std::initializer_list<Figure>{{"duplicated", number(tally.duplicated), false},
                                                              {"reordered", number(tally.reordered), false},
                                                              {"corrupt", number(tally.corrupt), false},
                                                              {"errors", number(tally.errors), false}})
      out.push_back(figure);
  }
  if (mode == Mode::kJitter) {
    add_quantiles(out, "replay.", tally.replay);
    out.push_back({"returned", number(tally.returned), false});
    out.push_back({"unrecovered", number(tally.unrecovered), false});
  }
  if (mode == Mode::kRestart) {
    const bool lost = tally.first_lost_ns != ~std::uint64_t{0} && tally.last_back_ns > tally.first_lost_ns;
    out.push_back({"back", lost ? number(tally.last_back_ns - tally.first_lost_ns) : 0, true});
    out.push_back({"returned", number(tally.returned), false});
    out.push_back({"away", number(tally.away), false});
  }
  if (mode == Mode::kSlow) out.push_back({"slow.closed", number(tally.slow_closed), false});
  add_quantiles(out, "opening.", tally.opening);
  out.push_back({"connected", number(outcome.connected), false});
  out.push_back({"failed", number(tally.failed), false});
  out.push_back({"closed", number(tally.closed), false});
  out.push_back({"generator", tally.busiest, false});
  if (options.server_pid != 0 && operates(mode)) {
    const double used = outcome.server ? number(outcome.server->ran_ns) : 0;
    out.push_back({"server.cpu", ratio(used, number(tally.operations)), true});
  }
  return out;
}

std::string percent(double share) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.4g %%", share * 100);
  return text.data();
}

std::string decimals(double value, int digits) {
  std::array<char, 48> text;
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

void line(std::string& out, std::string_view name, const std::string& value) {
  out += "  " + std::string(name) + std::string(name.size() < 16 ? 16 - name.size() : 1, ' ') + value + "\n";
}

std::string quantile_text(const Histogram& histogram) {
  const auto at = [&](double share) { return duration_text(number(histogram.quantile(share))); };
  return "p50 " + at(0.5) + "   p90 " + at(0.9) + "   p99 " + at(0.99) + "   p99.9 " + at(0.999) + "   max " +
         duration_text(number(histogram.max()));
}

const char* operation(Mode mode) {
  return mode == Mode::kConnect ? "handshakes" : mode == Mode::kEcho ? "answers" : "deliveries";
}

Value quantiles_us(const Histogram& histogram) {
  const auto us = [](double ns) { return Value(std::round(ns) / 1e3); };
  return Object{{"count", static_cast<std::int64_t>(histogram.count())},
                {"min", us(number(histogram.min()))},
                {"mean", us(histogram.mean())},
                {"p50", us(number(histogram.quantile(0.5)))},
                {"p90", us(number(histogram.quantile(0.9)))},
                {"p99", us(number(histogram.quantile(0.99)))},
                {"p99_9", us(number(histogram.quantile(0.999)))},
                {"max", us(number(histogram.max()))}};
}

std::int64_t whole(std::uint64_t value) { return static_cast<std::int64_t>(value); }

Object generator_json(const Plan& plan, const Outcome& outcome) {
  const Tally& tally = outcome.tally;
  const double elapsed = std::max(outcome.window_s * 1e9, 1.0);
  const double threads = static_cast<double>(plan.options.threads);
  const double spare = plan.options.busy
                           ? number(tally.spun_ns) / threads
                           : elapsed - (number(tally.cpu_ns) + number(outcome.own.queued_ns)) / threads;
  return {{"threads", whole(plan.options.threads)},
          {"cores_used", number(outcome.own.ran_ns) / elapsed},
          {"busiest_thread", tally.busiest},
          {"spare", std::max(0.0, spare / elapsed)},
          {"queued", number(outcome.own.queued_ns) / elapsed},
          {"cpu_us_per_operation",
           ratio((number(tally.cpu_ns) - number(tally.spun_ns)) / 1e3, number(tally.operations))}};
}

Object server_json(const Outcome& outcome) {
  Object out;
  const double elapsed = std::max(outcome.window_s * 1e9, 1.0);
  if (outcome.server) {
    if (outcome.tally.operations != 0)
      out.set("cpu_us_per_operation",
              ratio(number(outcome.server->ran_ns) / 1e3, number(outcome.tally.operations)));
    if (outcome.tally.operations != 0 && outcome.server->user_ns + outcome.server->system_ns != 0) {
      out.set("user_us_per_operation",
              ratio(number(outcome.server->user_ns) / 1e3, number(outcome.tally.operations)));
      out.set("system_us_per_operation",
              ratio(number(outcome.server->system_ns) / 1e3, number(outcome.tally.operations)));
    }
    out.set("cores_used", number(outcome.server->ran_ns) / elapsed);
    out.set("queued", number(outcome.server->queued_ns) / elapsed);
    out.set("threads", whole(outcome.server_threads));
    const double ticks = number(outcome.server->user_ns + outcome.server->system_ns);
    if (ticks > 0) out.set("user_share", ratio(number(outcome.server->user_ns), ticks));
  }
  if (outcome.opening_server && outcome.opened != 0) {
    out.set("opening_cpu_us_per_connection",
            ratio(number(outcome.opening_server->ran_ns) / 1e3, static_cast<double>(outcome.opened)));
  }
  if (outcome.memory_before && outcome.memory_after) {
    const MemoryReading &before = *outcome.memory_before, &after = *outcome.memory_after;
    const double count = std::max(1.0, static_cast<double>(outcome.memory_connections));
    out.set("rss_before_bytes", whole(before.rss_bytes));
    out.set("rss_after_bytes", whole(after.rss_bytes));
    out.set("rss_bytes_per_connection", (number(after.rss_bytes) - number(before.rss_bytes)) / count);
    out.set("anonymous_bytes_per_connection",
            (number(after.anonymous_bytes) - number(before.anonymous_bytes)) / count);
  }
  return out;
}

Object kernel_json(const Outcome& outcome) {
  const MemoryReading &before = *outcome.memory_before, &after = *outcome.memory_after;
  const double count = std::max(1.0, static_cast<double>(outcome.memory_connections));
  const double queue = (number(after.tcp_queue_bytes) - number(before.tcp_queue_bytes)) / count;
  Object out{{"tcp_queue_bytes", whole(after.tcp_queue_bytes)},
             {"tcp_queue_bytes_per_connection", queue},
             {"slab_bytes_per_connection",
              (number(after.kernel_slab_bytes) - number(before.kernel_slab_bytes)) / count}};
  if (before.socket_slab_bytes != 0)
    out.set("socket_bytes_per_connection",
            queue + (number(after.socket_slab_bytes) - number(before.socket_slab_bytes)) / count);
  return out;
}

void audit_lines(std::string& out, const Tally& tally, Mode mode) {
  std::string audit = grouped(number(tally.arrived)) + " of " + grouped(number(tally.expected));
  const std::string share = " (" + percent(ratio(number(tally.arrived), number(tally.expected))) + ")";
  if (mode == Mode::kConnect) {
    audit += " handshakes completed" + share;
  } else {
    line(out, "sent", grouped(number(tally.sent)) + " messages");
    audit += " expected " + std::string(operation(mode)) + share + ": lost " + grouped(number(tally.lost)) +
             ", duplicated " + grouped(number(tally.duplicated)) + ", reordered " +
             grouped(number(tally.reordered)) + ", corrupt " + grouped(number(tally.corrupt));
  }
  line(out, "audit", audit);
  if (tally.errors != 0)
    line(out, "errors", grouped(number(tally.errors)) + "; the first: " + tally.first_error);
  if (tally.skipped != 0)
    line(out, "not sent",
         grouped(number(tally.skipped)) + (mode == Mode::kConnect
                                               ? " handshakes that were due: every client was still at one"
                                               : " messages that were due: too many were under way"));
}

void mode_lines(std::string& out, const Tally& tally, Mode mode) {
  if (mode == Mode::kJitter) {
    line(out, "came back",
         grouped(number(tally.returned)) + " times, " + grouped(number(tally.unrecovered)) +
             " of them without the server's word that nothing is missing");
    line(out, "replay", quantile_text(tally.replay));
  } else if (mode == Mode::kRestart) {
    if (tally.first_lost_ns == ~std::uint64_t{0}) {
      line(out, "restart", "the server did not go away");
    } else {
      line(out, "came back",
           grouped(number(tally.returned)) + " connections, the last one " +
               duration_text(number(
                   tally.last_back_ns > tally.first_lost_ns ? tally.last_back_ns - tally.first_lost_ns : 0)) +
               " after the first was lost; " + grouped(number(tally.away)) + " did not");
    }
  } else if (mode == Mode::kSlow) {
    line(out, "slow",
         grouped(number(tally.slow_closed)) + " of those who do not read were closed by the server");
  }
}

void server_line(std::string& out, const SchedulerTime& server, const Outcome& outcome) {
  const auto each = [&](std::uint64_t ns) {
    return decimals(ratio(number(ns) / 1e3, number(outcome.tally.operations)), 2);
  };
  std::string text = each(server.ran_ns) + " µs for each of them";
  if (server.user_ns + server.system_ns != 0)
    text += " (" + each(server.user_ns) + " of its own, " + each(server.system_ns) + " of the kernel)";
  line(out, "server CPU",
       text + ", " + decimals(ratio(number(server.ran_ns), outcome.window_s * 1e9), 2) + " cores");
}

void memory_lines(std::string& out, const Outcome& outcome) {
  const MemoryReading &before = *outcome.memory_before, &after = *outcome.memory_after;
  const double count = std::max(1.0, static_cast<double>(outcome.memory_connections));
  line(out, "server memory",
       grouped((number(after.rss_bytes) - number(before.rss_bytes)) / count) + " bytes for each connection");
  line(out, "kernel memory",
       grouped((number(after.kernel_slab_bytes + after.tcp_queue_bytes) -
                number(before.kernel_slab_bytes + before.tcp_queue_bytes)) /
               count) +
           " bytes for each connection, both ends and whatever else this machine did together");
}

}  // namespace

std::string grouped(double value) {
  std::string digits = decimals(std::abs(std::round(value)), 0);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return value < 0 ? "-" + digits : digits;
}

std::vector<Figure> figures_of(const Plan& plan, const Outcome& outcome) {
  return figures(plan.options, outcome);
}

std::vector<Figure> figures_of(const Options& options) { return figures(options, Outcome()); }

std::string table_of(const Plan& plan, const Outcome& outcome) {
  const Options& options = plan.options;
  const Tally& tally = outcome.tally;
  std::string out = std::string(name_of(options.mode)) + " over " + std::string(name_of(plan.speech));
  if (plan.speech == Speech::kSocketIo) out += " (" + std::string(name_of(options.transport)) + ")";
  out += plan.hall ? ", a Wirehall hall\n" : "\n";
  line(out, "connections",
       grouped(number(outcome.connected)) + " in " + decimals(outcome.opening_s, 2) + " s" +
           (tally.failed != 0 ? ", failed " + grouped(number(tally.failed)) : "") +
           (tally.closed != 0 ? ", closed " + grouped(number(tally.closed)) : ""));
  if (!tally.first_failure.empty() && (tally.failed != 0 || tally.closed != 0))
    line(out, "", "the first: " + tally.first_failure);
  line(out, "opening", quantile_text(tally.opening));
  if (operates(options.mode)) {
    line(out, "rate",
         grouped(ratio(number(tally.operations), outcome.window_s)) + " " + operation(options.mode) +
             "/s over " + decimals(outcome.window_s, 1) + " s" +
             (options.rate > 0              ? ", open loop"
              : options.mode == Mode::kChat ? ""
                                            : ", closed loop"));
    line(out, "latency", quantile_text(tally.latency));
    if (tally.answer.count() != 0) line(out, "answers", quantile_text(tally.answer));
    audit_lines(out, tally, options.mode);
  }
  mode_lines(out, tally, options.mode);
  if (outcome.server && operates(options.mode)) server_line(out, *outcome.server, outcome);
  if (outcome.memory_before && outcome.memory_after) memory_lines(out, outcome);
  line(out, "generator", percent(tally.busiest) + " of a core in its busiest thread");
  return out;
}

std::vector<std::string> warnings_of(const Plan& plan, const Outcome& outcome) {
  std::vector<std::string> out;
  const Tally& tally = outcome.tally;
  if (outcome.interrupted) out.push_back("interrupted: these are the figures so far");
  if (outcome.connected < plan.options.connections && !outcome.interrupted) {
    out.push_back("only " + grouped(number(outcome.connected)) + " of " +
                  grouped(number(plan.options.connections)) + " connections could be opened");
  }
  if (tally.busiest > kBusyShare) {
    out.push_back(
        "the generator itself was the limit: its busiest thread used " + percent(tally.busiest) +
        " of a core. Rates and latencies say more about it than about the server; give it more --threads, "
        "and cores of its own");
  }
  if (tally.lag.quantile(0.99) > kLagNs) {
    out.push_back("messages left late: the generator was " + duration_text(number(tally.lag.quantile(0.99))) +
                  " behind its schedule at p99 (latencies count from the schedule). Give it more --threads, "
                  "or cores of its own");
  }
  if (tally.first_error.find("rate-limited") != std::string::npos) {
    out.push_back(
        "the server limits what a user may send. Wirehall's limit is raised for a test by "
        "WIREHALL_RATE_LIMIT__MESSAGES_PER_MINUTE=1000000 in the server's environment; or send less, by "
        "--rate");
  }
  return out;
}

Value json_of(const Plan& plan, const Outcome& outcome, const std::vector<std::string>& failed) {
  const Options& options = plan.options;
  const Tally& tally = outcome.tally;
  Object out{{"url", options.url},
             {"mode", name_of(options.mode)},
             {"protocol", name_of(plan.speech)},
             {"transport", name_of(options.transport)},
             {"hall", plan.hall},
             {"connections", whole(options.connections)},
             {"connected", whole(outcome.connected)},
             {"opened_per_second",
              ratio(number(outcome.memory_connections != 0 ? outcome.memory_connections : outcome.connected),
                    outcome.opening_s)},
             {"opening_us", quantiles_us(tally.opening)},
             {"seconds", outcome.window_s},
             {"busy", options.busy},
             {"interrupted", outcome.interrupted}};
  if (carries_messages(options.mode)) {
    out.set("size_bytes", whole(options.size_bytes));
    out.set("in_flight", whole(options.in_flight));
    if (options.mode != Mode::kEcho) out.set("publishers", whole(options.publishers));
    out.set("rooms", whole(options.rooms));
  }
  if (operates(options.mode)) {
    out.set("open_loop", options.rate > 0 || options.mode == Mode::kChat);
    out.set("operations", whole(tally.operations));
    out.set("operations_per_second", ratio(number(tally.operations), outcome.window_s));
    out.set("latency_us", quantiles_us(tally.latency));
    if (tally.answer.count() != 0) out.set("answer_us", quantiles_us(tally.answer));
    if (tally.lag.count() != 0) out.set("lag_us", quantiles_us(tally.lag));
    if (options.mode == Mode::kJitter) out.set("replay_us", quantiles_us(tally.replay));
  }
  Object all;
  for (const Figure& figure : figures_of(plan, outcome)) {
    if (!figure.duration) all.set(figure.name, figure.value);
  }
  if (options.mode == Mode::kRestart) {
    for (const Figure& figure : figures_of(plan, outcome)) {
      if (figure.name == "back") all.set("back_ms", figure.value / 1e6);
    }
  }
  out.set("figures", Value(std::move(all)));
  if (!tally.first_error.empty()) out.set("first_error", tally.first_error);
  if (!tally.first_failure.empty()) out.set("first_failure", tally.first_failure);
  Object server = server_json(outcome);
  if (options.server_pid != 0) out.set("server", Value(std::move(server)));
  if (outcome.memory_before && outcome.memory_after) out.set("kernel_both_ends", Value(kernel_json(outcome)));
  out.set("generator", Value(generator_json(plan, outcome)));
  out.set("machine_cores_used", outcome.machine_cores_used);
  Array warnings, gate;
  for (const std::string& warning : warnings_of(plan, outcome)) warnings.emplace_back(warning);
  for (const std::string& condition : failed) gate.emplace_back(condition);
  out.set("warnings", Value(std::move(warnings)));
  out.set("failed", Value(std::move(gate)));
  return Value(std::move(out));
}

}  // namespace wirehall::loadgen
