// A fan-out whose receivers lose their connections again and again: what they missed must come afterwards, in
// order and once. Natively a client says how far it got by `since`; with Socket.IO by connection state
// recovery (`pid` and the newest offset), and by `since` where that was refused.
#include <queue>
#include <utility>
#include <vector>

#include "base/random.h"
#include "loadgen/fanout.h"

namespace wirehall::loadgen {
namespace {

constexpr std::uint64_t kRetryNs = 1'000'000'000;

// The text behind `key` up to the next quotation mark; empty when there is none.
std::string_view text_behind(std::string_view message, std::string_view key) {
  const std::size_t at = message.find(key);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = message.substr(at + key.size());
  return rest.substr(0, std::min(rest.find('"'), rest.size()));
}

class Jitter final : public Fanout {
 public:
  Jitter(const Plan& plan, Control& control, std::size_t number, Board& board)
      : Fanout(plan, control, number, board),
        random_(plan.run + number),
        clients_(plan.options.connections / plan.options.threads + 1) {}

 private:
  struct Client {
    std::uint64_t seq = 0;
    std::string epoch;
    std::string pid;
    std::string offset;
    bool returning = false;
    bool recovered = false;
    std::vector<std::pair<std::uint64_t, Mark>> held;  // came before the join's answer, by `seq`
  };
  struct Due {
    std::uint64_t at_ns;
    std::uint32_t index;
    bool operator>(const Due& other) const { return at_ns > other.at_ns; }
  };

  Client& client(const Connection& connection) { return clients_[connection.index]; }
  const Client& client(const Connection& connection) const { return clients_[connection.index]; }
  void later(const Connection& connection, std::uint64_t now, double seconds) {
    due_.push({now + static_cast<std::uint64_t>(seconds * 1e9), connection.index});
  }
  double fraction() { return static_cast<double>(random_.below(1 << 20)) / (1 << 20); }

  void on_load(std::uint64_t now) override {
    Fanout::on_load(now);
    for (const auto& connection : connections()) {
      if (!publishes(*connection)) later(*connection, now, fraction() * options().away_every_s);
    }
  }

  std::uint64_t next_due() const override {
    return std::min(Fanout::next_due(), due_.empty() ? ~std::uint64_t{0} : due_.top().at_ns);
  }

  void on_turn(std::uint64_t now) override {
    Fanout::on_turn(now);
    while (!due_.empty() && due_.top().at_ns <= now) {
      Connection& connection = *connections()[due_.top().index];
      due_.pop();
      if (connection.state == Connection::State::kReady) {
        if (phase() != Phase::kLoad) continue;
        cut(connection);
        client(connection).returning = true;
        ++away_;
        later(connection, now, options().away_for_s);
      } else if (connection.state == Connection::State::kClosed) {
        client(connection).recovered = false;
        client(connection).held.clear();
        open_connection(connection, now);
      }
    }
  }

  void on_ready(Connection& connection, std::uint64_t now) override {
    Fanout::on_ready(connection, now);
    if (publishes(connection)) return;
    if (client(connection).returning) {
      client(connection).returning = false;
      --tally_.ready;
      --away_;
      ++tally_.returned;
      tally_.replay.add(now - connection.opened_at_ns);
      later(connection, now, (0.5 + fraction()) * options().away_every_s);
    }
  }

  // Not by us: the server's doing. It comes back all the same.
  void on_closed(Connection& connection, bool was_ready, std::uint64_t now) override {
    if (publishes(connection)) return Fanout::on_closed(connection, was_ready, now);
    if (phase() == Phase::kOpen) return;
    if (was_ready) {
      ++away_;
      client(connection).returning = true;
    }
    due_.push({now + kRetryNs, connection.index});
  }

  // -- what was missed ----------------------------------------------------------------------------

  std::string connect_text(const Connection& connection) const override {
    const Client& known = client(connection);
    if (!known.returning || known.pid.empty() || known.offset.empty())
      return Fanout::connect_text(connection);
    const std::string_view token = plan().token(connection.id);
    return "40" + plan().nsp() + "{" + (token.empty() ? "" : "\"token\":\"" + std::string(token) + "\",") +
           "\"pid\":\"" + known.pid + "\",\"offset\":\"" + known.offset + "\"}";
  }

  void on_connected(Connection& connection, std::string_view message) override {
    if (plan().speech != Speech::kSocketIo) return;
    Client& known = client(connection);
    const std::string_view pid = text_behind(message, "\"pid\":\"");
    known.recovered = known.returning && !pid.empty() && pid == known.pid;
    known.pid = pid;
  }

  std::string join_text(const Connection& connection) const override {
    const Client& known = client(connection);
    if (!known.returning) return Fanout::join_text(connection);
    if (known.recovered) return {};
    const std::string since =
        "\"since\":{\"seq\":" + std::to_string(known.seq) + ",\"epoch\":\"" + known.epoch + "\"}}";
    const std::string room = plan().room(plan().room_of(connection.id));
    if (plan().speech == Speech::kSocketIo)
      return "42" + plan().nsp() + "1[\"join-room\",\"" + room + "\",{" + since + "]";
    return R"({"type":"join-room","id":1,"roomId":")" + room + "\"," + since;
  }

  void on_joined(Connection& connection, std::string_view message, std::uint64_t now) override {
    Client& known = client(connection);
    if (known.returning) {
      if (message.find("\"recovered\":true") == std::string_view::npos) ++tally_.unrecovered;
      const std::size_t missed = message.find("\"missed\":");
      if (missed != std::string_view::npos) take_missed(connection, message.substr(missed), now);
    }
    known.epoch = text_behind(message, "\"epoch\":\"");
    std::size_t hint = 0;
    std::uint64_t seq = 0;
    // The room's own number stands right before its epoch.
    const std::size_t epoch_at = message.find(",\"epoch\":\"");
    const std::size_t seq_at =
        epoch_at == std::string_view::npos ? epoch_at : message.rfind("\"seq\":", epoch_at);
    if (seq_at != std::string_view::npos && find_number(message.substr(seq_at), "\"seq\":", hint, seq))
      known.seq = std::max(known.seq, seq);
    // A user is put back into its rooms before it asks: what came meanwhile and is newer than the answer.
    for (const auto& [number, mark] : known.held) {
      if (number <= known.seq) continue;
      known.seq = number;
      deliver(connection, mark, false, now);
    }
    known.held.clear();
  }

  void take_missed(Connection& connection, std::string_view messages, std::uint64_t now) {
    constexpr std::string_view kContent = "\"content\":\"";
    for (std::size_t at = 0; (at = messages.find(kContent, at)) != std::string_view::npos;
         at += kContent.size()) {
      Mark mark;
      // Up to the next one, so that no mark is read twice.
      const std::size_t end = messages.find(kContent, at + kContent.size());
      if (reader().read(messages.substr(at, end - at), mark) == MarkReader::Found::kMark)
        deliver(connection, mark, false, now);
    }
  }

  void on_early(Connection& connection, std::string_view message, std::uint64_t now) override {
    Mark mark;
    const bool marked = reader().read(message, mark) == MarkReader::Found::kMark;
    std::uint64_t seq = 0;
    if (connection.step == 1) {
      if (marked && find_number(message, "\"seq\":", seq_hint_, seq))
        client(connection).held.emplace_back(seq, mark);
      return;
    }
    if (marked) deliver(connection, mark, false, now);
    note_position(connection, message);
  }

  void on_message(Connection& connection, std::string_view message, std::uint64_t now) override {
    note_position(connection, message);
    Fanout::on_message(connection, message, now);
  }

  void note_position(Connection& connection, std::string_view message) {
    Client& known = client(connection);
    const bool socketio = plan().speech == Speech::kSocketIo;
    if (message.starts_with(socketio ? "42" + plan().nsp() + "[\"new-message\"" : "{\"type\":\"chat\"")) {
      std::uint64_t seq = 0;
      if (find_number(message, "\"seq\":", seq_hint_, seq)) known.seq = seq;
    }
    if (!socketio || !message.starts_with("42") || !message.ends_with("\"]")) return;
    const std::size_t comma = message.rfind(",\"");
    if (comma != std::string_view::npos) known.offset = message.substr(comma + 2, message.size() - comma - 4);
  }

  bool is_drained() const override { return away_ == 0 && Fanout::is_drained(); }

  SeededRandom random_;
  std::vector<Client> clients_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::uint64_t away_ = 0;
  std::size_t seq_hint_ = 0;
};

}  // namespace

std::unique_ptr<ClientLoop> make_jitter(const Plan& plan, Control& control, std::size_t number,
                                        Board& board) {
  return std::make_unique<Jitter>(plan, control, number, board);
}

}  // namespace wirehall::loadgen
