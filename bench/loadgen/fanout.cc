#include <algorithm>
#include <array>
#include <cstring>

#include "client_loop.h"
#include "report.h"
#include "scenarios.h"

namespace bench {
namespace {

constexpr std::uint64_t kStallNs = 5'000'000'000;
constexpr std::string_view kHexDigits = "0123456789abcdef";

class Fanout final : public ClientLoop {
 public:
  Fanout(const Options& options, const Protocol& protocol)
      : ClientLoop(options, protocol),
        request_(protocol.request.prefix, protocol.field_bytes, protocol.request.suffix),
        receivers_(options.connections - 1),
        publishers_(options.publishers) {}

  std::string run() {
    open(options().connections);
    started_ = true;
    last_delivery_ = now_ns();
    const auto ns = [](double seconds) { return static_cast<std::uint64_t>(seconds * 1e9); };
    run_until(now_ns() + ns(options().warm_up_seconds));
    Window window(options());
    latencies_.clear();
    deliveries_ = published_ = 0;
    window.begin(spun_ns());
    run_until(now_ns() + ns(options().seconds));
    window.end(spun_ns());
    JsonObject out = describe(options());
    out.add("published", static_cast<double>(published_));
    window.report(out, deliveries_, latencies_);
    return out.str();
  }

 private:
  struct Publisher {
    std::uint64_t published = 0;
    std::uint64_t delivered = 0;  // to all receivers together
  };

  void publish(std::size_t index, std::uint64_t now) {
    Publisher& publisher = publishers_[index];
    batch_.clear();
    while (publisher.published - publisher.delivered / receivers_ < options().pipeline) {
      std::array<char, kPublisherDigits + kStampDigits> field;
      field[0] = static_cast<char>('0' + index / 10);
      field[1] = static_cast<char>('0' + index % 10);
      for (std::size_t i = 0; i < kStampDigits; ++i)
        field[kPublisherDigits + i] = kHexDigits[now >> (4 * (kStampDigits - 1 - i)) & 15];
      request_.append_to(batch_, std::string_view(field.data(), field.size()));
      ++publisher.published;
      ++published_;
    }
    if (!batch_.empty()) send(*connections()[index], batch_);
  }

  static std::uint64_t parse_stamp(std::string_view digits) {
    std::uint64_t stamp = 0;
    for (const char c : digits) stamp = stamp << 4 | static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
    return stamp;
  }

  // What follows the field. With connection state recovery an argument stands in front of the bracket: the
  // position, `,"e…"`.
  bool ends_as_expected(std::string_view rest) const {
    const std::string_view expected = protocol().arrival.suffix;
    if (rest == expected) return true;
    constexpr std::string_view kPosition = ",\"e", kEnd = "\"]";
    const std::size_t shared = expected.size() - 1;  // without the bracket
    return rest.size() > expected.size() && rest.ends_with(kEnd) && expected.ends_with(kEnd) &&
           rest.substr(0, shared) == expected.substr(0, shared) && rest.substr(shared).starts_with(kPosition);
  }

  // Every byte but the field is compared, and a publisher must not get its own message.
  void receive(Connection& connection, std::string_view message, std::uint64_t now) override {
    const Shape& shape = protocol().arrival;
    const std::size_t field_end = shape.prefix.size() + protocol().field_bytes;
    if (!message.starts_with(shape.prefix) ||
        !ends_as_expected(message.substr(std::min(field_end, message.size())))) {
      fail("not a delivery: " + std::string(message.substr(0, 160)));
    }
    const std::string_view field = message.substr(shape.prefix.size(), protocol().field_bytes);
    const auto publisher = static_cast<std::size_t>((field[0] - '0') * 10 + (field[1] - '0'));
    if (publisher >= publishers_.size() || publisher == connection.index)
      fail("a delivery to the wrong connection: " + std::string(message.substr(0, 160)));
    latencies_.add(now - parse_stamp(field.substr(kPublisherDigits)));
    ++publishers_[publisher].delivered;
    ++deliveries_;
    last_delivery_ = now;
  }

  void end_turn(std::uint64_t now) override {
    if (!started_) return;
    for (std::size_t i = 0; i < publishers_.size(); ++i) publish(i, now);
    if (now > last_delivery_ + kStallNs) fail("no delivery for five seconds");
  }

  FrameTemplate request_;
  std::uint64_t receivers_;
  std::vector<Publisher> publishers_;
  std::string batch_;
  bool started_ = false;
  Histogram latencies_;
  std::uint64_t deliveries_ = 0;
  std::uint64_t published_ = 0;
  std::uint64_t last_delivery_ = 0;
};

}  // namespace

std::string run_fanout(const Options& options) {
  const Protocol protocol = make_protocol(options);
  return Fanout(options, protocol).run();
}

}  // namespace bench
