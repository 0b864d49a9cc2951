// Handshakes: every client connects, says goodbye and connects anew. An operation is one that was completed:
// the 101, or Socket.IO's answer to CONNECT (behind the upgrade, where there is one), or the hall's greeting.
#include <algorithm>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "loadgen/modes.h"

namespace wirehall::loadgen {
namespace {

// A server that refuses at once is not asked without a pause.
constexpr std::uint64_t kRetryNs = 100'000'000;

class Connect final : public ClientLoop {
 public:
  Connect(const Plan& plan, Control& control, std::size_t number)
      : ClientLoop(plan, control, number, plan.options.connections),
        due_((plan.options.connections + plan.options.threads - 1) / plan.options.threads) {}

 private:
  struct Later {
    std::uint64_t at_ns;
    std::uint32_t index;
  };

  void on_message(Connection&, std::string_view, std::uint64_t) override {}

  void on_load(std::uint64_t now) override {
    if (options().rate > 0) {
      schedule_.emplace(options().rate / static_cast<double>(options().threads), now, options().random_gaps,
                        plan().run + number());
    }
    for (const auto& connection : connections()) {
      if (connection->state == Connection::State::kReady) part(*connection);
      later_.push_back({now, connection->index});
    }
  }

  void begin(std::uint32_t index, std::uint64_t due, std::uint64_t now) {
    due_[index] = due;
    ++tally_.sent;
    ++under_way_;
    open_connection(*connections()[index], now);
  }

  // Parted from behind what is being read.
  void on_ready(Connection& connection, std::uint64_t now) override {
    const std::uint64_t due = std::exchange(due_[connection.index], 0);
    if (due == 0) return;
    --under_way_;
    count_operation(due, now);
    done_.push_back(connection.index);
  }

  void on_closed(Connection& connection, bool, std::uint64_t now) override {
    if (std::exchange(due_[connection.index], 0) == 0) return;
    --under_way_;
    ++tally_.lost;
    later_.push_back({now + kRetryNs, connection.index});
  }

  void on_turn(std::uint64_t now) override {
    const bool loading = phase() == Phase::kLoad;
    for (const std::uint32_t index : done_) {
      if (connections()[index]->state == Connection::State::kReady) part(*connections()[index]);
      idle_.push_back(index);
    }
    done_.clear();
    while (!later_.empty() && later_.front().at_ns <= now) {
      idle_.push_back(later_.front().index);
      later_.pop_front();
    }
    if (!loading) return;
    if (schedule_) return begin_due(now);
    for (; !idle_.empty(); idle_.pop_front()) begin(idle_.front(), now, now);
  }

  void begin_due(std::uint64_t now) {
    while (schedule_->next_due() <= now) {
      const std::uint64_t due = schedule_->take();
      if (idle_.empty()) {
        ++tally_.skipped;
        continue;
      }
      if (in_window(due)) tally_.lag.add(now - due);
      const std::uint32_t index = idle_.front();
      idle_.pop_front();
      begin(index, due, now);
    }
  }

  std::uint64_t next_due() const override {
    if (phase() != Phase::kLoad) return ~std::uint64_t{0};
    const std::uint64_t again = later_.empty() ? ~std::uint64_t{0} : later_.front().at_ns;
    return schedule_ ? std::min(again, schedule_->next_due()) : again;
  }

  bool is_drained() const override { return under_way_ == 0; }

  void on_end(std::uint64_t) override {
    tally_.lost += under_way_;
    tally_.expected = tally_.sent;
  }

  std::vector<std::uint64_t>
      due_;  // by connection: when the handshake that is under way was; 0: there is none
  std::vector<std::uint32_t> done_;  // handshakes that were completed in this turn
  std::deque<std::uint32_t> idle_;   // clients that may begin
  std::deque<Later> later_;          // clients that may soon; all wait equally long, so in order
  std::optional<Schedule> schedule_;
  std::uint64_t under_way_ = 0;
};

}  // namespace

std::unique_ptr<ClientLoop> make_connect(const Plan& plan, Control& control, std::size_t number) {
  return std::make_unique<Connect>(plan, control, number);
}

}  // namespace wirehall::loadgen
