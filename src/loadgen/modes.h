// What is done with the connections: one class for each mode, of which every thread has an object.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "loadgen/client_loop.h"

namespace wirehall::loadgen {

/// What the threads of a fan-out share.
///
/// Thread:   any.
struct Board {
  struct alignas(64) Publisher {
    std::atomic<std::uint64_t> published{0};
    std::atomic<std::uint64_t> refused{0};    ///< of these, by the server
    std::atomic<std::uint64_t> delivered{0};  ///< to all receivers together, each message once
    std::atomic<std::uint64_t> wake_at{0};    ///< the closed loop: deliveries at which the next one may leave
  };
  explicit Board(const Plan& plan)
      : publishers(plan.options.publishers), members(plan.options.rooms), top(plan.options.rooms) {}
  std::vector<Publisher> publishers;
  std::vector<std::atomic<std::uint64_t>> members;  ///< by room: connections that receive
  std::vector<std::atomic<std::uint64_t>> top;      ///< chat, by room: the highest `seq` that anybody saw
  std::vector<ClientLoop*> loops;                   ///< by thread, to wake them
};

std::unique_ptr<ClientLoop> make_echo(const Plan& plan, Control& control, std::size_t number);
std::unique_ptr<ClientLoop> make_connect(const Plan& plan, Control& control, std::size_t number);
std::unique_ptr<ClientLoop> make_idle(const Plan& plan, Control& control, std::size_t number);
std::unique_ptr<ClientLoop> make_restart(const Plan& plan, Control& control, std::size_t number);
std::unique_ptr<ClientLoop> make_fanout(const Plan& plan, Control& control, std::size_t number, Board& board);
std::unique_ptr<ClientLoop> make_jitter(const Plan& plan, Control& control, std::size_t number, Board& board);
std::unique_ptr<ClientLoop> make_chat(const Plan& plan, Control& control, std::size_t number, Board& board);

/// The one for the mode.
std::unique_ptr<ClientLoop> make_mode(const Plan& plan, Control& control, std::size_t number, Board& board);

/// The number behind which an answer stands, from the id that a server sent back; one that is far from `next`
/// is none.
bool number_of_id(std::uint64_t id, std::uint64_t next, std::uint64_t& out);

/// The id that an ack of the server names. Returns: false when the message is none.
bool read_ack_id(const Plan& plan, std::string_view message, std::size_t& hint, std::uint64_t& out);

}  // namespace wirehall::loadgen
