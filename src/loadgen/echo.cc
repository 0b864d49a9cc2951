// Each connection sends messages, and each is answered: by an ack, a pong, or by itself.
#include <charconv>
#include <optional>

#include "loadgen/audit.h"
#include "loadgen/measure.h"
#include "loadgen/modes.h"

namespace wirehall::loadgen {
namespace {

class Echo final : public ClientLoop {
 public:
  Echo(const Plan& plan, Control& control, std::size_t number)
      : ClientLoop(plan, control, number, plan.options.connections),
        reader_(plan.run, plan.sends.front().data_bytes()),
        states_((plan.options.connections + plan.options.threads - 1) / plan.options.threads) {}

 private:
  void on_load(std::uint64_t now) override {
    if (options().rate > 0) {
      schedule_.emplace(options().rate / static_cast<double>(options().threads), now, options().random_gaps,
                        plan().run + number());
      return;
    }
    for (const auto& connection : connections()) begin(*connection, now);
  }

  void on_ready(Connection& connection, std::uint64_t now) override {
    if (phase() == Phase::kLoad && !schedule_) begin(connection, now);
  }

  void begin(Connection& connection, std::uint64_t now) {
    if (connection.state != Connection::State::kReady) return;
    for (std::size_t i = 0; i < options().in_flight; ++i) request(connection, now);
  }

  void request(Connection& connection, std::uint64_t due) {
    InFlight& state = states_[connection.index];
    if (state.full()) {
      ++tally_.skipped;
      return;
    }
    const std::uint64_t number = state.sent(due);
    ++waiting_;
    const MessageTemplate& message = plan().sends[plan().room_of(connection.id)];
    send(connection, message, {connection.id, static_cast<std::uint32_t>(number), due}, number);
  }

  std::uint64_t next_due() const override {
    return schedule_ && phase() == Phase::kLoad ? schedule_->next_due() : ~std::uint64_t{0};
  }

  void on_turn(std::uint64_t now) override {
    if (!schedule_ || phase() != Phase::kLoad) return;
    while (schedule_->next_due() <= now) {
      const std::uint64_t due = schedule_->take();
      Connection* connection = next_ready();
      if (connection == nullptr) {
        ++tally_.skipped;
        continue;
      }
      if (in_window(due)) tally_.lag.add(now - due);
      request(*connection, due);
    }
  }

  Connection* next_ready() {
    for (std::size_t tried = 0; tried < connections().size(); ++tried) {
      turn_ = turn_ + 1 < connections().size() ? turn_ + 1 : 0;
      if (connections()[turn_]->state == Connection::State::kReady) return connections()[turn_].get();
    }
    return nullptr;
  }

  void on_message(Connection& connection, std::string_view message, std::uint64_t now) override {
    InFlight& state = states_[connection.index];
    Mark mark;
    std::uint64_t number = 0;
    if (plan().wants_acks) {
      std::uint64_t id = 0;
      if (!read_ack_id(plan(), message, hint_, id)) {
        if (is_error_answer(message)) count_error(message);
        return;
      }
      if (!number_of_id(id, state.next(), number)) return count_arrival(connection, {}, now);
      const MarkReader::Found found = reader_.read(message, mark);
      if (found == MarkReader::Found::kCorrupt ||
          (found == MarkReader::Found::kMark &&
           (mark.number != static_cast<std::uint32_t>(number) || mark.sender != connection.id)))
        ++tally_.corrupt;
    } else {
      const MarkReader::Found found = reader_.read(message, mark);
      if (found == MarkReader::Found::kNothing) return;
      if (found == MarkReader::Found::kCorrupt) {
        ++tally_.corrupt;
        return;
      }
      if (mark.sender != connection.id) return;  // a server that tells everybody
      const auto behind = static_cast<std::uint32_t>(static_cast<std::uint32_t>(state.next()) - mark.number);
      number = state.next() - behind;
    }
    const InFlight::Answer answer = state.answered(number);
    if (plan().wants_acks && answer.sent_at_ns != 0 && is_error_answer(message)) {
      --waiting_;
      count_error(message);
      ++refused_;
      if (!schedule_ && phase() == Phase::kLoad) request(connection, now);
      return;
    }
    count_arrival(connection, answer, now);
  }

  void count_arrival(Connection& connection, const InFlight::Answer& answer, std::uint64_t now) {
    switch (answer.arrival) {
      case Arrival::kUnknown: ++tally_.corrupt; return;
      case Arrival::kDuplicate: ++tally_.duplicated; return;
      case Arrival::kReordered: ++tally_.reordered; break;
      case Arrival::kNext:
      case Arrival::kAhead: break;
    }
    --waiting_;
    count_operation(answer.sent_at_ns, now);
    if (!schedule_ && phase() == Phase::kLoad) request(connection, now);
  }

  void on_sweep(std::uint64_t now) override {
    const auto timeout = static_cast<std::uint64_t>(options().timeout_s * 1e9);
    for (const auto& connection : connections()) {
      InFlight& state = states_[connection->index];
      while (!state.empty() && state.oldest_at() + timeout < now) {
        give_up(state);
        if (!schedule_ && phase() == Phase::kLoad && connection->state == Connection::State::kReady)
          request(*connection, now);
      }
    }
  }

  void give_up(InFlight& state) {
    state.give_up();
    --waiting_;
    ++tally_.lost;
  }

  void on_closed(Connection& connection, bool, std::uint64_t) override {
    InFlight& state = states_[connection.index];
    while (!state.empty()) give_up(state);
  }

  bool is_drained() const override { return waiting_ == 0; }

  void on_end(std::uint64_t) override {
    for (InFlight& state : states_) {
      while (!state.empty()) give_up(state);
    }
    tally_.expected = tally_.sent - refused_;
  }

  MarkReader reader_;
  std::vector<InFlight> states_;
  std::optional<Schedule> schedule_;
  std::size_t hint_ = 0;
  std::size_t turn_ = 0;
  std::uint64_t waiting_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace

bool number_of_id(std::uint64_t id, std::uint64_t next, std::uint64_t& out) {
  constexpr std::uint64_t kIds = MessageTemplate::kIds;
  if (id < MessageTemplate::kIdFirst || id >= MessageTemplate::kIdFirst + kIds) return false;
  const std::uint64_t behind = (next % kIds + kIds - (id - MessageTemplate::kIdFirst)) % kIds;
  if (behind == 0 || behind > next || behind > kIds / 2) return false;
  out = next - behind;
  return true;
}

bool read_ack_id(const Plan& plan, std::string_view message, std::size_t& hint, std::uint64_t& out) {
  if (plan.speech == Speech::kNative) {
    return (message.starts_with("{\"type\":\"ack\",") || message.starts_with("{\"type\":\"pong\",")) &&
           find_number(message, "\"id\":", hint, out);
  }
  if (plan.speech != Speech::kSocketIo || !message.starts_with("43")) return false;
  message.remove_prefix(2);
  if (plan.endpoint.nsp != "/") {
    if (!message.starts_with(plan.endpoint.nsp)) return false;
    message.remove_prefix(std::min(plan.endpoint.nsp.size() + 1, message.size()));
  }
  const auto [end, error] = std::from_chars(message.data(), message.data() + message.size(), out);
  return error == std::errc() && end != message.data() + message.size() && *end == '[';
}

std::unique_ptr<ClientLoop> make_echo(const Plan& plan, Control& control, std::size_t number) {
  return std::make_unique<Echo>(plan, control, number);
}

}  // namespace wirehall::loadgen
