// What people do in a hall: mostly messages, some typing, private messages, rooms left and joined again.
// Every stream of a room is audited by its `seq`.
#include <optional>

#include "base/random.h"
#include "loadgen/audit.h"
#include "loadgen/modes.h"
#include "wirehall/value.h"

namespace wirehall::loadgen {
namespace {

constexpr double kActionsPerClientPerSecond = 0.1;
// Of a hundred actions; what is left over are messages.
constexpr std::uint64_t kTypingOfHundred = 20, kPrivateOfHundred = 5, kRejoinOfHundred = 5;

class Chat final : public ClientLoop {
 public:
  Chat(const Plan& plan, Control& control, std::size_t number, Board& board)
      : ClientLoop(plan, control, number, plan.options.connections),
        board_(board),
        reader_(plan.run, plan.sends.front().data_bytes()),
        random_(plan.run + number),
        clients_(plan.options.connections / plan.options.threads + 1) {}

 private:
  enum class Action : std::uint8_t { kMessage, kTyping, kPrivate, kLeave, kJoin };
  struct Client {
    InFlight answers;
    std::vector<std::pair<std::uint64_t, Action>> actions;  // by number, of what waits
    StreamAudit room;
    bool joined = false;
  };
  Client& client(const Connection& connection) { return clients_[connection.index]; }

  void on_load(std::uint64_t now) override {
    const double all = options().rate > 0
                           ? options().rate
                           : static_cast<double>(options().connections) * kActionsPerClientPerSecond;
    schedule_.emplace(all / static_cast<double>(options().threads), now, true, plan().run + number());
  }
  std::uint64_t next_due() const override {
    return schedule_ && phase() == Phase::kLoad ? schedule_->next_due() : ~std::uint64_t{0};
  }

  // -- acting -------------------------------------------------------------------------------------

  void on_turn(std::uint64_t now) override {
    if (!schedule_ || phase() != Phase::kLoad) return;
    while (schedule_->next_due() <= now) {
      const std::uint64_t due = schedule_->take();
      Connection& connection = *connections()[random_.below(connections().size())];
      if (connection.state != Connection::State::kReady || client(connection).answers.full()) {
        ++tally_.skipped;
        continue;
      }
      if (in_window(due)) tally_.lag.add(now - due);
      act(connection, due);
    }
  }

  void act(Connection& connection, std::uint64_t due) {
    Client& actor = client(connection);
    if (!actor.joined) return;  // on its way to the room again
    const std::uint64_t dice = random_.below(100);
    if (dice < kTypingOfHundred)
      return ask(connection, Action::kTyping, "typing", room_member(connection), due);
    if (dice < kTypingOfHundred + kPrivateOfHundred) {
      const std::string target = plan().user(random_.below(options().connections));
      return ask(connection, Action::kPrivate, "private-message",
                 "\"targetUserId\":\"" + target + "\",\"content\":\"hello\"", due);
    }
    if (dice < kTypingOfHundred + kPrivateOfHundred + kRejoinOfHundred) {
      actor.joined = false;
      // What was sent while it still counts as a member may come or not.
      const std::uint64_t missing = actor.room.missing(actor.room.next());
      tally_.expected += actor.room.received() + missing;
      tally_.lost += missing;
      return ask(connection, Action::kLeave, "leave-room", room_member(connection), due);
    }
    const std::uint64_t number = remember(connection, Action::kMessage, due);
    send(connection, plan().sends[plan().room_of(connection.id)],
         {connection.id, static_cast<std::uint32_t>(number), due}, number);
  }

  std::string room_member(const Connection& connection) const {
    return "\"roomId\":\"" + plan().room(plan().room_of(connection.id)) + "\"";
  }

  std::uint64_t remember(Connection& connection, Action action, std::uint64_t due) {
    const std::uint64_t number = client(connection).answers.sent(due);
    client(connection).actions.emplace_back(number, action);
    ++waiting_;
    return number;
  }

  void ask(Connection& connection, Action action, std::string_view event, const std::string& members,
           std::uint64_t due) {
    const std::uint64_t number = remember(connection, action, due);
    ++tally_.sent;
    const std::string id = std::to_string(MessageTemplate::kIdFirst + number % MessageTemplate::kIds);
    const std::string name(event);
    if (plan().speech == Speech::kSocketIo) {
      // Joining and leaving take the bare name too, but an object serves all.
      say(connection, "42" + plan().nsp() + id + "[\"" + name + "\",{" + members + "}]");
    } else {
      say(connection, "{\"type\":\"" + name + "\",\"id\":" + id + "," + members + "}");
    }
  }

  // -- what comes ---------------------------------------------------------------------------------

  void on_joined(Connection& connection, std::string_view message, std::uint64_t) override {
    std::uint64_t seq = 0;
    const std::size_t epoch_at = message.find(",\"epoch\":\"");
    const std::size_t seq_at =
        epoch_at == std::string_view::npos ? epoch_at : message.rfind("\"seq\":", epoch_at);
    std::size_t hint = 0;
    if (seq_at == std::string_view::npos || !find_number(message.substr(seq_at), "\"seq\":", hint, seq))
      return count_error(message);
    client(connection).room.begin_at(seq);
    client(connection).joined = true;
    raise_top(connection, seq);
  }

  void raise_top(const Connection& connection, std::uint64_t seq) {
    std::atomic<std::uint64_t>& top = board_.top[plan().room_of(connection.id)];
    std::uint64_t before = top.load(std::memory_order_relaxed);
    while (before < seq && !top.compare_exchange_weak(before, seq, std::memory_order_relaxed)) {
    }
  }

  void on_message(Connection& connection, std::string_view message, std::uint64_t now) override {
    Mark mark;
    const bool is_delivery = message.starts_with("{\"type\":\"chat\"") ||
                             message.starts_with("42" + plan().nsp() + "[\"new-message\"");
    if (is_delivery) {
      const MarkReader::Found found = reader_.read(message, mark);
      if (found == MarkReader::Found::kCorrupt) ++tally_.corrupt;
      std::uint64_t seq = 0;
      if (!find_number(message, "\"seq\":", seq_hint_, seq) || seq == 0) {
        ++tally_.corrupt;
        return;
      }
      return deliver(connection, seq, found == MarkReader::Found::kMark ? mark.at_ns : now, now);
    }
    if (take_answer(connection, message, now)) return;
    acknowledge_private(connection, message);
  }

  void deliver(Connection& connection, std::uint64_t seq, std::uint64_t due, std::uint64_t now) {
    raise_top(connection, seq);
    Client& receiver = client(connection);
    if (!receiver.joined) return;  // it has said that it leaves
    switch (receiver.room.observe(seq - 1)) {
      case Arrival::kDuplicate:
      case Arrival::kUnknown: ++tally_.duplicated; return;
      case Arrival::kReordered: ++tally_.reordered; break;
      case Arrival::kNext:
      case Arrival::kAhead: break;
    }
    count_operation(due, now);
  }

  bool take_answer(Connection& connection, std::string_view message, std::uint64_t now) {
    std::uint64_t id = 0, number = 0;
    Client& asker = client(connection);
    if (!read_ack_id(plan(), message, id_hint_, id)) {
      if (!message.starts_with("{\"type\":\"error\"")) return false;
      count_error(message);
      return true;
    }
    if (!number_of_id(id, asker.answers.next(), number)) return true;
    const InFlight::Answer answer = asker.answers.answered(number);
    if (answer.sent_at_ns == 0) {
      ++tally_.duplicated;
      return true;
    }
    --waiting_;
    if (is_error_answer(message)) {
      count_error(message);
    } else if (in_window(answer.sent_at_ns)) {
      tally_.answer.add(now - answer.sent_at_ns);
    }
    const Action action = take_action(asker, number);
    if (action == Action::kLeave) ask(connection, Action::kJoin, "join-room", room_member(connection), now);
    if (action == Action::kJoin) on_joined(connection, message, now);
    return true;
  }

  static Action take_action(Client& asker, std::uint64_t number) {
    for (auto one = asker.actions.begin(); one != asker.actions.end(); ++one) {
      if (one->first != number) continue;
      const Action action = one->second;
      asker.actions.erase(one);
      return action;
    }
    return Action::kMessage;
  }

  // The hall keeps a private message until its receiver has said that it came.
  void acknowledge_private(Connection& connection, std::string_view message) {
    if (plan().speech == Speech::kNative) {
      std::uint64_t id = 0;
      std::size_t hint = 0;
      if (message.starts_with("{\"type\":\"p") && find_number(message, "\"ackId\":", hint, id))
        say(connection, "{\"type\":\"ack\",\"ackId\":" + std::to_string(id) + "}");
      return;
    }
    std::string_view rest = message.substr(std::min<std::size_t>(2 + plan().nsp().size(), message.size()));
    const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    if (message.starts_with("42") && digits != 0)
      say(connection, "43" + plan().nsp() + std::string(rest.substr(0, digits)) + "[]");
  }

  void on_sweep(std::uint64_t now) override {
    const auto timeout = static_cast<std::uint64_t>(options().timeout_s * 1e9);
    for (Client& one : clients_) {
      while (!one.answers.empty() && one.answers.oldest_at() + timeout < now) {
        one.answers.give_up();
        --waiting_;
        ++tally_.lost;
      }
    }
  }

  void on_closed(Connection& connection, bool was_ready, std::uint64_t) override {
    Client& one = client(connection);
    if (was_ready && one.joined) leave_audit(connection, one);
    while (!one.answers.empty()) one.answers.give_up(), --waiting_, ++tally_.lost;
  }

  void leave_audit(const Connection& connection, Client& one) {
    const std::uint64_t top = board_.top[plan().room_of(connection.id)].load(std::memory_order_relaxed);
    const std::uint64_t missing = one.room.missing(top);
    tally_.lost += missing;
    tally_.expected += one.room.received() + missing;
    one.joined = false;
  }

  bool is_drained() const override { return waiting_ == 0; }

  void on_end(std::uint64_t) override {
    for (const auto& connection : connections()) {
      Client& one = client(*connection);
      tally_.lost += one.answers.waiting();
      if (one.joined) leave_audit(*connection, one);
    }
  }

  Board& board_;
  MarkReader reader_;
  SeededRandom random_;
  std::vector<Client> clients_;
  std::optional<Schedule> schedule_;
  std::size_t seq_hint_ = 0;
  std::size_t id_hint_ = 0;
  std::uint64_t waiting_ = 0;
};

}  // namespace

std::unique_ptr<ClientLoop> make_chat(const Plan& plan, Control& control, std::size_t number, Board& board) {
  return std::make_unique<Chat>(plan, control, number, board);
}

}  // namespace wirehall::loadgen
