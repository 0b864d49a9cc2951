// bench_durable_load: publishers of `wirehall serve`, each with one message in flight, over the native
// protocol. bench/durable measures with it. Like bench_load, whose parts it uses, it shares no code with the
// server.
//
// Every publisher is a member of one room, as it must be, so it is delivered what others publish there. What
// an acknowledgement says is checked: at the end the rooms' numbers add up to the acknowledged messages.
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "client_loop.h"
#include "report.h"

namespace bench {
namespace {

constexpr std::size_t kContentBytes = 128;
constexpr std::size_t kIdDigits = 16;
constexpr std::uint64_t kStallNs = 10'000'000'000;
constexpr std::string_view kJoined = "{\"type\":\"ack\",\"id\":1,\"success\":true";
constexpr std::string_view kAcknowledged = "{\"type\":\"ack\",\"id\":2,\"success\":true";
constexpr std::string_view kDelivered = "{\"type\":\"chat\"";

std::uint64_t to_ns(double seconds) { return static_cast<std::uint64_t>(seconds * 1e9); }

std::string room_name(std::size_t room) { return "bench-" + std::to_string(room); }

class Publishers final : public ClientLoop {
 public:
  Publishers(const Options& options, const Protocol& protocol, std::size_t rooms)
      : ClientLoop(options, protocol), sent_at_(options.publishers), seq_(rooms) {
    for (std::size_t room = 0; room < rooms; ++room) {
      messages_.emplace_back("{\"type\":\"message\",\"id\":2,\"roomId\":\"" + room_name(room) +
                                 "\",\"content\":\"" + std::string(kContentBytes, 'x') +
                                 "\",\"clientMessageId\":\"",
                             kIdDigits, "\"}");
    }
  }

  std::string run() {
    open(options().publishers);
    join();
    for (const auto& connection : connections()) {
      std::string frame;
      append_message(*connection, frame, now_ns());
      send(*connection, frame);
    }
    run_until(now_ns() + to_ns(options().warm_up_seconds));
    Window window(options());
    latencies_.clear();
    const std::uint64_t before = acknowledged_;
    const std::uint64_t delivered_before = delivered_;
    window.begin(spun_ns());
    run_until(now_ns() + to_ns(options().seconds));
    window.end(spun_ns());
    const std::uint64_t counted = acknowledged_ - before;
    const std::uint64_t delivered = delivered_ - delivered_before;
    const Histogram latencies = latencies_;
    finish();

    JsonObject out;
    out.add("publishers", static_cast<double>(options().publishers));
    out.add("rooms", static_cast<double>(seq_.size()));
    out.add("content_bytes", static_cast<double>(kContentBytes));
    out.add("deliveries", static_cast<double>(delivered));
    window.report(out, counted, latencies);
    return out.str();
  }

 private:
  std::size_t room_of(const Connection& connection) const { return connection.index % seq_.size(); }

  void join() {
    for (const auto& connection : connections()) {
      std::string frame;
      append_masked_frame(
          frame, kTextFrame,
          "{\"type\":\"join\",\"id\":1,\"roomId\":\"" + room_name(room_of(*connection)) + "\"}");
      send(*connection, frame);
    }
    wait_until([this] { return joined_ == connections().size(); }, "joined");
  }

  // Lets every message be answered, and counts what the rooms say that they have.
  void finish() {
    finishing_ = true;
    wait_until([this] { return acknowledged_ == begun_; }, "was answered");
    std::uint64_t stored = 0;
    for (const std::uint64_t seq : seq_) stored += seq;
    if (stored != acknowledged_) {
      fail("the rooms hold " + std::to_string(stored) + " messages, acknowledged were " +
           std::to_string(acknowledged_));
    }
  }

  template <class Condition>
  void wait_until(Condition condition, const char* what) {
    const std::uint64_t deadline = now_ns() + kStallNs;
    while (!condition()) {
      if (now_ns() > deadline) fail("not everybody " + std::string(what));
      run_until(now_ns() + 1'000'000);
    }
  }

  void append_message(const Connection& connection, std::string& out, std::uint64_t now) {
    std::array<char, kIdDigits> digits;
    digits.fill('0');
    std::array<char, kIdDigits> number;
    const auto end = std::to_chars(number.data(), number.data() + number.size(), ++begun_, 16).ptr;
    std::copy(number.data(), end, digits.end() - (end - number.data()));
    messages_[room_of(connection)].append_to(out, {digits.data(), digits.size()});
    sent_at_[connection.index] = now;
  }

  void receive(Connection& connection, std::string_view message, std::uint64_t now) override {
    if (message.starts_with(kAcknowledged)) {
      note_seq(connection, message);
      latencies_.add(now - sent_at_[connection.index]);
      ++acknowledged_;
      last_answer_ = now;
      if (!finishing_) append_message(connection, reply_buffer(), now);
    } else if (message.starts_with(kDelivered)) {
      ++delivered_;
    } else if (message.starts_with(kJoined)) {
      ++joined_;
    } else if (message.starts_with("{\"type\":\"ack\"") || message.starts_with("{\"type\":\"error\"")) {
      fail("refused: " + std::string(message.substr(0, 160)));
    }
  }

  void note_seq(const Connection& connection, std::string_view answer) {
    constexpr std::string_view kSeq = "\"seq\":";
    const std::size_t at = answer.find(kSeq);
    std::uint64_t seq = 0;
    if (at == std::string_view::npos || answer.find("\"duplicate\"") != std::string_view::npos)
      fail("not the answer: " + std::string(answer.substr(0, 160)));
    const std::string_view digits = answer.substr(at + kSeq.size());
    std::from_chars(digits.data(), digits.data() + digits.size(), seq);
    std::uint64_t& newest = seq_[room_of(connection)];
    newest = std::max(newest, seq);
  }

  void end_turn(std::uint64_t now) override {
    if (last_answer_ != 0 && !finishing_ && now > last_answer_ + kStallNs) fail("no answer for ten seconds");
  }

  std::vector<FrameTemplate> messages_;  // one for each room
  std::vector<std::uint64_t> sent_at_;   // by publisher
  std::vector<std::uint64_t> seq_;       // the newest of each room
  Histogram latencies_;
  std::size_t joined_ = 0;
  std::uint64_t begun_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t last_answer_ = 0;
  bool finishing_ = false;
};

[[noreturn]] void usage() {
  std::fputs(
      "usage: bench_durable_load PORT --pid PID [--publishers N] [--rooms N] [--seconds S] [--warmup S] "
      "[--busy]\n",
      stderr);
  std::exit(2);
}

double number(const char* text, double min, double max) {
  char* end = nullptr;
  const double value = std::strtod(text, &end);
  if (end == text || *end != '\0' || !(value >= min) || !(value <= max)) usage();
  return value;
}

Options parse(int argc, char** argv, std::size_t& rooms) {
  Options out;
  out.seconds = 3;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--busy") {
      out.busy = true;
    } else if (!flag.starts_with("--")) {
      out.port = static_cast<std::uint16_t>(number(argv[i], 1, 65'535));
    } else if (++i == argc) {
      usage();
    } else if (flag == "--pid") {
      out.server = static_cast<pid_t>(number(argv[i], 1, 1e9));
    } else if (flag == "--publishers") {
      out.publishers = static_cast<std::size_t>(number(argv[i], 1, 15'000));
    } else if (flag == "--rooms") {
      rooms = static_cast<std::size_t>(number(argv[i], 1, 15'000));
    } else if (flag == "--seconds") {
      out.seconds = number(argv[i], 0.1, 3'600);
    } else if (flag == "--warmup") {
      out.warm_up_seconds = number(argv[i], 0, 60);
    } else {
      usage();
    }
  }
  if (out.port == 0 || out.server == 0) usage();
  out.connections = out.publishers;
  return out;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  std::size_t rooms = 16;
  const bench::Options options = bench::parse(argc, argv, rooms);
  std::signal(SIGPIPE, SIG_IGN);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  bench::Protocol protocol;
  protocol.target = "/ws";
  bench::Publishers publishers(options, protocol, rooms);
  std::printf("%s\n", publishers.run().c_str());
  return 0;
}
