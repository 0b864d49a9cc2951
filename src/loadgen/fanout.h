// Some connections publish, all others of their room receive; with deaf ones among them, the mode `slow`.
#pragma once

#include <optional>
#include <vector>

#include "loadgen/audit.h"
#include "loadgen/modes.h"

namespace wirehall::loadgen {

/// Thread:   as ClientLoop.
class Fanout : public ClientLoop {
 public:
  Fanout(const Plan& plan, Control& control, std::size_t number, Board& board);

 protected:
  void on_load(std::uint64_t now) override;
  void on_ready(Connection& connection, std::uint64_t now) override;
  void on_message(Connection& connection, std::string_view message, std::uint64_t now) override;
  void on_closed(Connection& connection, bool was_ready, std::uint64_t now) override;
  void on_turn(std::uint64_t now) override;
  std::uint64_t next_due() const override;
  bool is_drained() const override;
  void on_end(std::uint64_t now) override;

  bool publishes(const Connection& connection) const { return connection.id < options().publishers; }
  bool is_deaf(const Connection& connection) const {
    return connection.id + options().slow >= options().connections;
  }
  /// A delivery; `live`: it came at its time, and not as one that had been missed.
  void deliver(Connection& connection, const Mark& mark, bool live, std::uint64_t now);
  MarkReader& reader() { return reader_; }

 private:
  struct Own {  // a publisher of this thread
    std::uint32_t publisher = 0;
    std::int64_t expected = 0;  // deliveries of all that it published
    std::uint64_t seen = 0;     // deliveries when it was looked at
    std::uint64_t changed_at_ns = 0;
    InFlight answers;
  };
  void publish(Own& own, std::uint64_t due, std::uint64_t now);
  void publish_due(std::uint64_t now);
  void publish_next(Own& own, std::uint64_t now);
  void hand_in();
  void hear_the_deaf();
  void take_ack(Connection& connection, std::string_view message, std::uint64_t now);
  std::size_t slots() const { return slots_; }
  StreamAudit& audit(const Connection& connection, std::uint32_t publisher) {
    return audits_[connection.index * slots_ + publisher / options().rooms];
  }
  std::int64_t receivers(std::uint32_t publisher) const;

  Board& board_;
  MarkReader reader_;
  std::size_t slots_;  // publishers in a room, at most
  std::vector<StreamAudit> audits_;
  std::vector<bool> member_;  // by connection: it was ready once
  std::vector<Own> own_;
  std::vector<std::uint64_t> delivered_;  // by publisher, since they were handed in
  std::vector<std::uint32_t> touched_;
  std::optional<Schedule> schedule_;
  bool heard_ = false;
  std::size_t turn_ = 0;
  std::size_t hint_ = 0;
};

}  // namespace wirehall::loadgen
