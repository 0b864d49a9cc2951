// Connections that are only there; and those that come back when their server was away.
#include <algorithm>
#include <cmath>
#include <queue>

#include "base/random.h"
#include "loadgen/modes.h"

namespace wirehall::loadgen {
namespace {

class Idle final : public ClientLoop {
 public:
  Idle(const Plan& plan, Control& control, std::size_t number)
      : ClientLoop(plan, control, number, plan.options.connections) {}

 private:
  void on_message(Connection&, std::string_view, std::uint64_t) override {}
};

// As the stock clients do: a second, doubled up to five, each time half as much more or less.
constexpr double kDelayNs = 1e9, kDelayMaxNs = 5e9, kSpread = 0.5;

class Restart final : public ClientLoop {
 public:
  Restart(const Plan& plan, Control& control, std::size_t number)
      : ClientLoop(plan, control, number, plan.options.connections),
        random_(plan.run + number),
        attempts_(plan.options.connections / plan.options.threads + 1) {}

 private:
  struct Again {
    std::uint64_t at_ns;
    std::uint32_t index;
    bool operator>(const Again& other) const { return at_ns > other.at_ns; }
  };

  void on_message(Connection&, std::string_view, std::uint64_t) override {}

  void on_closed(Connection& connection, bool was_ready, std::uint64_t now) override {
    if (phase() == Phase::kOpen) return;
    int& attempts = attempts_[connection.index];
    if (was_ready) {
      ++lost_;
      --tally_.closed;
      attempts = 0;
      tally_.first_lost_ns = std::min(tally_.first_lost_ns, now);
    } else {
      --tally_.failed;
    }
    if (phase() != Phase::kLoad) return;  // it is counted as away
    const double delay = std::min(kDelayMaxNs, std::ldexp(kDelayNs, std::min(attempts, 8)));
    const double factor = 1 - kSpread + 2 * kSpread * static_cast<double>(random_.below(10'000)) / 1e4;
    ++attempts;
    again_.push({now + static_cast<std::uint64_t>(delay * factor), connection.index});
  }

  void on_ready(Connection&, std::uint64_t now) override {
    if (phase() != Phase::kLoad || lost_ == 0) return;
    --tally_.ready;
    ++tally_.returned;
    tally_.last_back_ns = now;
  }

  std::uint64_t next_due() const override { return again_.empty() ? ~std::uint64_t{0} : again_.top().at_ns; }

  void on_turn(std::uint64_t now) override {
    while (!again_.empty() && again_.top().at_ns <= now) {
      Connection& connection = *connections()[again_.top().index];
      again_.pop();
      open_connection(connection, now);
    }
  }

  bool all_ready() const {
    return std::all_of(connections().begin(), connections().end(),
                       [](const auto& connection) { return connection->state == Connection::State::kReady; });
  }
  bool is_finished() const override { return lost_ >= connections().size() && again_.empty() && all_ready(); }

  void on_end(std::uint64_t) override {
    for (const auto& connection : connections())
      tally_.away += connection->state != Connection::State::kReady ? 1u : 0u;
  }

  SeededRandom random_;
  std::vector<int> attempts_;
  std::priority_queue<Again, std::vector<Again>, std::greater<>> again_;
  std::uint64_t lost_ = 0;
};

}  // namespace

std::unique_ptr<ClientLoop> make_idle(const Plan& plan, Control& control, std::size_t number) {
  return std::make_unique<Idle>(plan, control, number);
}

std::unique_ptr<ClientLoop> make_restart(const Plan& plan, Control& control, std::size_t number) {
  return std::make_unique<Restart>(plan, control, number);
}

std::unique_ptr<ClientLoop> make_mode(const Plan& plan, Control& control, std::size_t number, Board& board) {
  switch (plan.options.mode) {
    case Mode::kEcho: return make_echo(plan, control, number);
    case Mode::kConnect: return make_connect(plan, control, number);
    case Mode::kIdle: return make_idle(plan, control, number);
    case Mode::kRestart: return make_restart(plan, control, number);
    case Mode::kFanout:
    case Mode::kSlow: return make_fanout(plan, control, number, board);
    case Mode::kJitter: return make_jitter(plan, control, number, board);
    case Mode::kChat: return make_chat(plan, control, number, board);
  }
  return nullptr;
}

}  // namespace wirehall::loadgen
