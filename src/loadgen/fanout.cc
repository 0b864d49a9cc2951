#include "loadgen/fanout.h"

#include <algorithm>
#include <utility>

namespace wirehall::loadgen {

Fanout::Fanout(const Plan& plan, Control& control, std::size_t number, Board& board)
    : ClientLoop(plan, control, number, plan.options.connections),
      board_(board),
      reader_(plan.run, plan.sends.front().data_bytes()),
      slots_((plan.options.publishers + plan.options.rooms - 1) / plan.options.rooms),
      audits_((plan.options.connections / plan.options.threads + 1) * slots_),
      member_(plan.options.connections / plan.options.threads + 1),
      delivered_(plan.options.publishers) {
  for (std::size_t id = number; id < plan.options.publishers; id += plan.options.threads) {
    own_.emplace_back();
    own_.back().publisher = static_cast<std::uint32_t>(id);
  }
}

std::int64_t Fanout::receivers(std::uint32_t publisher) const {
  const auto members =
      static_cast<std::int64_t>(board_.members[plan().room_of(publisher)].load(std::memory_order_relaxed));
  return members > 0 ? members - 1 : 0;
}

void Fanout::on_ready(Connection& connection, std::uint64_t) {
  if (is_deaf(connection)) return set_deaf(connection);
  if (member_[connection.index]) return;
  member_[connection.index] = true;
  board_.members[plan().room_of(connection.id)].fetch_add(1, std::memory_order_relaxed);
}

void Fanout::on_closed(Connection& connection, bool was_ready, std::uint64_t) {
  if (!was_ready) return;
  if (is_deaf(connection)) {
    --tally_.closed;
    ++tally_.slow_closed;
    return;
  }
  board_.members[plan().room_of(connection.id)].fetch_sub(1, std::memory_order_relaxed);
}

void Fanout::on_load(std::uint64_t now) {
  if (options().rate > 0 && !own_.empty()) {
    const double share = static_cast<double>(own_.size()) / static_cast<double>(options().publishers);
    schedule_.emplace(options().rate * share, now, options().random_gaps, plan().run + number());
  }
  for (Own& own : own_) own.changed_at_ns = now;
}

std::uint64_t Fanout::next_due() const {
  return schedule_ && phase() == Phase::kLoad ? schedule_->next_due() : ~std::uint64_t{0};
}

// -- publishing -----------------------------------------------------------------------------------

void Fanout::publish(Own& own, std::uint64_t due, std::uint64_t now) {
  Connection& connection = *connections()[own.publisher / options().threads];
  if (connection.state != Connection::State::kReady || own.answers.full()) {
    ++tally_.skipped;
    return;
  }
  if (schedule_ && in_window(due)) tally_.lag.add(now - due);
  std::atomic<std::uint64_t>& published = board_.publishers[own.publisher].published;
  const std::uint64_t number = published.load(std::memory_order_relaxed);
  published.store(number + 1, std::memory_order_relaxed);
  own.expected += receivers(own.publisher);
  own.changed_at_ns = now;
  if (plan().wants_acks) own.answers.sent(due);
  send(connection, plan().sends[plan().room_of(own.publisher)],
       {own.publisher, static_cast<std::uint32_t>(number), due}, number);
}

void Fanout::publish_due(std::uint64_t now) {
  while (schedule_->next_due() <= now) {
    publish(own_[turn_], schedule_->take(), now);
    turn_ = turn_ + 1 < own_.size() ? turn_ + 1 : 0;
  }
}

// The closed loop: the next message leaves when all but in_flight - 1 have reached everybody.
void Fanout::publish_next(Own& own, std::uint64_t now) {
  const std::uint64_t delivered = board_.publishers[own.publisher].delivered.load(std::memory_order_relaxed);
  if (delivered != own.seen) {
    own.seen = delivered;
    own.changed_at_ns = now;
  } else if (own.changed_at_ns + static_cast<std::uint64_t>(options().timeout_s * 1e9) < now) {
    own.expected = static_cast<std::int64_t>(delivered);  // what has not come by now is lost
    own.changed_at_ns = now;
  }
  const std::int64_t each = receivers(own.publisher);
  if (each == 0 || connections()[own.publisher / options().threads]->state != Connection::State::kReady)
    return;
  const auto allowed = static_cast<std::int64_t>(options().in_flight - 1) * each;
  for (std::size_t i = 0; i < options().in_flight; ++i) {
    if (own.expected - static_cast<std::int64_t>(delivered) > allowed) break;
    publish(own, now, now);
  }
  // Told before the next look at what was delivered: no wake-up is missed, one too many does no harm.
  board_.publishers[own.publisher].wake_at.store(
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, own.expected - allowed)),
      std::memory_order_relaxed);
}

void Fanout::on_turn(std::uint64_t now) {
  hand_in();
  if (phase() == Phase::kDrain && options().slow != 0 && !heard_) hear_the_deaf();
  if (phase() != Phase::kLoad || own_.empty()) return;
  if (schedule_) return publish_due(now);
  for (Own& own : own_) publish_next(own, now);
}

// A close waits behind what was not read: only now it is seen who was closed.
void Fanout::hear_the_deaf() {
  heard_ = true;
  for (const auto& connection : connections()) {
    if (connection->state == Connection::State::kReady && is_deaf(*connection)) hear(*connection);
  }
}

// Deliveries are counted for their publisher, which may be another thread's and asleep.
void Fanout::hand_in() {
  for (const std::uint32_t publisher : touched_) {
    const std::uint64_t count = std::exchange(delivered_[publisher], 0);
    const std::uint64_t sum =
        board_.publishers[publisher].delivered.fetch_add(count, std::memory_order_relaxed) + count;
    const std::size_t thread = publisher % options().threads;
    if (thread != number() && sum >= board_.publishers[publisher].wake_at.load(std::memory_order_relaxed))
      board_.loops[thread]->wake();
  }
  touched_.clear();
}

// -- receiving ------------------------------------------------------------------------------------

void Fanout::on_message(Connection& connection, std::string_view message, std::uint64_t now) {
  if (is_deaf(connection)) return;
  Mark mark;
  switch (reader_.read(message, mark)) {
    case MarkReader::Found::kMark: return deliver(connection, mark, true, now);
    case MarkReader::Found::kCorrupt: ++tally_.corrupt; return;
    case MarkReader::Found::kNothing: break;
  }
  if (publishes(connection)) take_ack(connection, message, now);
}

void Fanout::deliver(Connection& connection, const Mark& mark, bool live, std::uint64_t now) {
  if (mark.sender == connection.id) return;  // its own copy
  if (mark.sender >= options().publishers || plan().room_of(mark.sender) != plan().room_of(connection.id)) {
    ++tally_.corrupt;
    return;
  }
  switch (audit(connection, mark.sender).observe(mark.number)) {
    case Arrival::kDuplicate:
    case Arrival::kUnknown: ++tally_.duplicated; return;
    case Arrival::kReordered: ++tally_.reordered; break;
    case Arrival::kNext:
    case Arrival::kAhead: break;
  }
  if (live) {
    count_operation(mark.at_ns, now);
  } else {
    ++tally_.arrived;
  }
  if (delivered_[mark.sender]++ == 0) touched_.push_back(mark.sender);
}

void Fanout::take_ack(Connection& connection, std::string_view message, std::uint64_t now) {
  std::uint64_t id = 0, number = 0;
  Own& own = own_[connection.id / options().threads];
  const bool failed = is_error_answer(message);
  if (!plan().wants_acks || !read_ack_id(plan(), message, hint_, id) ||
      !number_of_id(id, own.answers.next(), number)) {
    if (failed) count_error(message);
    return;
  }
  const InFlight::Answer answer = own.answers.answered(number);
  if (answer.sent_at_ns == 0) return;
  if (failed) {
    count_error(message);
    board_.publishers[own.publisher].refused.fetch_add(1, std::memory_order_relaxed);
    own.expected -= receivers(own.publisher);
  } else if (in_window(answer.sent_at_ns)) {
    tally_.answer.add(now - answer.sent_at_ns);
  }
}

// -- the end --------------------------------------------------------------------------------------

bool Fanout::is_drained() const {
  for (const Own& own : own_) {
    const auto delivered =
        static_cast<std::int64_t>(board_.publishers[own.publisher].delivered.load(std::memory_order_relaxed));
    if (delivered < own.expected) return false;
  }
  return true;
}

void Fanout::on_end(std::uint64_t) {
  for (const auto& connection : connections()) {
    if (!member_[connection->index]) continue;
    for (std::size_t publisher = plan().room_of(connection->id); publisher < options().publishers;
         publisher += options().rooms) {
      if (publisher == connection->id) continue;
      const Board::Publisher& from = board_.publishers[publisher];
      const std::uint64_t published = from.published.load(), refused = from.refused.load();
      const std::uint64_t missing =
          audit(*connection, static_cast<std::uint32_t>(publisher)).missing(published);
      tally_.lost += missing > refused ? missing - refused : 0;
      tally_.expected += published - refused;
    }
  }
}

std::unique_ptr<ClientLoop> make_fanout(const Plan& plan, Control& control, std::size_t number,
                                        Board& board) {
  return std::make_unique<Fanout>(plan, control, number, board);
}

}  // namespace wirehall::loadgen
