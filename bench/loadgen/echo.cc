#include <charconv>
#include <cstring>

#include "client_loop.h"
#include "report.h"
#include "scenarios.h"

namespace bench {
namespace {

constexpr std::uint32_t kIdFirst = 1'000;
constexpr std::uint32_t kIds = 9'000;
constexpr std::uint64_t kStallNs = 5'000'000'000;

class Echo final : public ClientLoop {
 public:
  Echo(const Options& options, const Protocol& protocol)
      : ClientLoop(options, protocol),
        request_(protocol.request.prefix, protocol.field_bytes, protocol.request.suffix),
        arrival_bytes_(protocol.arrival.prefix.size() + protocol.field_bytes +
                       protocol.arrival.suffix.size()),
        states_(options.connections),
        sent_at_(options.connections * options.pipeline) {}

  std::string run() {
    open(options().connections);
    for (const auto& connection : connections()) {
      std::string first;
      for (std::size_t i = 0; i < options().pipeline; ++i) append_request(*connection, first, now_ns());
      send(*connection, first);
    }
    const auto ns = [](double seconds) { return static_cast<std::uint64_t>(seconds * 1e9); };
    run_until(now_ns() + ns(options().warm_up_seconds));
    Window window(options());
    latencies_.clear();
    answers_ = 0;
    window.begin(spun_ns());
    run_until(now_ns() + ns(options().seconds));
    window.end(spun_ns());
    JsonObject out = describe(options());
    window.report(out, answers_, latencies_);
    return out.str();
  }

 private:
  struct State {
    std::uint32_t sent = 0;
    std::uint32_t answered = 0;
  };

  std::uint64_t& sent_at(const Connection& connection, std::uint32_t number) {
    return sent_at_[connection.index * options().pipeline + number % options().pipeline];
  }

  static std::string_view id(std::uint32_t number, std::array<char, kIdDigits>& digits) {
    std::to_chars(digits.data(), digits.data() + digits.size(), kIdFirst + number % kIds);
    return {digits.data(), digits.size()};
  }

  void append_request(const Connection& connection, std::string& out, std::uint64_t now) {
    State& state = states_[connection.index];
    std::array<char, kIdDigits> digits;
    request_.append_to(out, id(state.sent, digits));
    sent_at(connection, state.sent) = now;
    ++state.sent;
  }

  // Every byte is compared: an answer of an error, of another request or cut short is no answer.
  bool is_answer(std::string_view message, std::uint32_t number) const {
    const Shape& shape = protocol().arrival;
    if (message.size() != arrival_bytes_) return false;
    std::array<char, kIdDigits> digits;
    const std::string_view wanted = id(number, digits);
    const std::size_t field_end = shape.prefix.size() + kIdDigits;
    return message.starts_with(shape.prefix) &&
           std::memcmp(message.data() + shape.prefix.size(), wanted.data(), kIdDigits) == 0 &&
           message.substr(field_end) == shape.suffix;
  }

  void receive(Connection& connection, std::string_view message, std::uint64_t now) override {
    State& state = states_[connection.index];
    if (state.answered == state.sent || !is_answer(message, state.answered))
      fail("not the answer: " + std::string(message.substr(0, 160)));
    latencies_.add(now - sent_at(connection, state.answered));
    ++state.answered;
    ++answers_;
    last_answer_ = now;
    append_request(connection, reply_buffer(), now);
  }

  void end_turn(std::uint64_t now) override {
    if (last_answer_ != 0 && now > last_answer_ + kStallNs) fail("no answer for five seconds");
  }

  FrameTemplate request_;
  std::size_t arrival_bytes_;
  std::vector<State> states_;
  std::vector<std::uint64_t> sent_at_;
  Histogram latencies_;
  std::uint64_t answers_ = 0;
  std::uint64_t last_answer_ = 0;
};

}  // namespace

std::string run_echo(const Options& options) {
  const Protocol protocol = make_protocol(options);
  return Echo(options, protocol).run();
}

}  // namespace bench
