// One WebSocket connection behind its handshake: bytes in, messages out, control frames answered. It is the
// server's end, or with a source of masks the client's: a client masks what it sends and takes no masked
// frame, a server the other way round.
//
//   I1  A message is handed out whole, within its limit, and if it is text as valid UTF-8.
//   I2  A rule that is broken fails the connection once: a close frame with the right code, then silence.
//   I3  Memory follows what arrived, not what was announced; between messages there is none.
//   I4  A close frame is sent at most once, and nothing behind it.
//
//   state      input                            → state
//   open       data, ping, pong                   open
//   open       close frame                        closed     (answered with the same code)
//   open       broken rule                        closed     (close frame with the rule's code)
//   open       close()                            closing    (close frame; peer has close_timeout to answer)
//   closing    close frame                        closed
//   closing    data                               closing    (read and thrown away)
//   closed     anything                           closed     (thrown away)
//
// Spec: RFC 6455 sections 5 to 8; RFC 7692 section 7. Tests: connection_core_test.cc by section.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/frame.h"
#include "base/random.h"
#include "base/utf8.h"
#include "wirehall/clock.h"
#include "wirehall/result.h"
#include "ws/deflate.h"
#include "ws/frame.h"

namespace wirehall::ws {

/// What all connections of one kind share.
struct CoreOptions {
  std::uint64_t message_bytes_max = 1'000'000;
  std::uint32_t fragments_max = 16'384;
  std::uint32_t control_frames_per_second_max = 50;
  Duration close_timeout = std::chrono::seconds(5);
};

/// Thread:   shard-affine.
/// Lifetime: options, inflater and masks must outlive it.
class ConnectionCore {
 public:
  enum class Event : std::uint8_t {
    kNeedMore,  ///< the input is used up
    kMessage,   ///< message() is complete; call again with the rest
    kPong,      ///< a pong arrived
    kClosed,    ///< the connection has ended: close_code() says how; write what is pending, then close
  };

  /// `inflater` is the shard's; nullptr when no compression was agreed. `masks` is a client's, from the
  /// operating system (RFC 6455 section 10.3); nullptr makes this the server's end.
  /// Requires: not both; a client agrees on no compression.
  ConnectionCore(const CoreOptions& options, Inflater* inflater, RandomSource* masks = nullptr)
      : options_(&options), inflater_(inflater), is_client_(masks != nullptr) {
    WIREHALL_ASSERT(inflater == nullptr || masks == nullptr);
    if (is_client_) masks_ = masks;
  }

  /// Consumes from the front of `input`, whose bytes it may change; answers to control frames go to `out`.
  /// With kMessage `message` becomes it, with kClosed by the peer the reason in its close frame; else it stays.
  ///
  /// Lifetime: the message is valid until the next call, and no longer than the input.
  Event next(char*& cursor, char* end, MonoTime now, Outbox& out, std::string_view& message) {
    // As a rule a message comes whole and alone, and there is nothing behind it.
    if (cursor == end && !partial_) return Event::kNeedMore;
    return consume(cursor, end, now, out, message);
  }

  bool message_is_binary() const { return message_is_binary_; }

  bool open() const { return state_ == State::kOpen; }
  /// The code that the peer sent, or ours when we ended it; kNoStatus for a close frame without a code,
  /// kAbnormal while it has not ended.
  std::uint16_t close_code() const { return close_code_; }
  /// Whether the end was ours for a rule that the peer broke.
  ErrorCode error() const { return error_; }

  /// Appends a whole frame, masked where this is the client's end.
  void append(Outbox& out, Opcode opcode, std::string_view payload) const;
  /// Starts a close: sends the close frame, waits for the peer's answer. kNoStatus sends no code.
  /// Returns:  when that answer is overdue, and the caller is to cut the connection; kNever when it had closed
  ///           or begun to before.
  MonoTime close(CloseCode code, std::string_view reason, MonoTime now, Outbox& out);
  /// Fails the connection as I2 says.
  void fail(ErrorCode error, MonoTime now, Outbox& out);

  /// Bytes held for what is unfinished.
  std::size_t held_bytes() const {
    return partial_ ? partial_->message.size() + partial_->control.size() : 0;
  }

 private:
  Event consume(char*& cursor, char* end, MonoTime now, Outbox& out, std::string_view& message);
  enum class State : std::uint8_t { kOpen, kClosing, kClosed };
  struct Partial {
    std::string header;      // bytes of an unfinished header
    FrameHeader frame;       // the frame whose payload is unfinished, when in_payload
    std::uint64_t left = 0;  // payload bytes still to come
    bool in_payload = false;
    bool in_message = false;  // fragments of a message have come
    bool compressed = false;
    Opcode opcode = Opcode::kText;
    bool finished = false;  // `message` was handed out
    std::uint32_t fragments = 0;
    Utf8Validator utf8;
    std::string message;
    std::string control;
  };
  Partial& partial();
  ErrorCode begin_frame(const FrameHeader& frame);
  std::optional<Event> whole_frame(const FrameHeader& frame, char* payload, MonoTime now, Outbox& out,
                                   std::string_view& message);
  std::optional<Event> take_payload(char*& cursor, char* end, MonoTime now, Outbox& out,
                                    std::string_view& message);
  std::optional<Event> finish_data(MonoTime now, Outbox& out, std::string_view& message);
  std::optional<Event> control_frame(Opcode opcode, std::string_view payload, MonoTime now, Outbox& out,
                                     std::string_view& message);
  std::optional<Event> peer_close(std::string_view payload, MonoTime now, Outbox& out, std::string_view& message);
  bool control_allowed(MonoTime now);
  Event failed(ErrorCode error, MonoTime now, Outbox& out);
  void append_close(Outbox& out, std::uint16_t code, std::string_view reason) const;

  // A server holds one of these for each of its clients: 36 bytes, and what its owner puts behind them.
  const CoreOptions* options_;
  union {
    Inflater* inflater_;   // of a server's end
    RandomSource* masks_;  // of a client's
  };
  std::unique_ptr<Partial> partial_;
  std::uint32_t control_window_ = 0;
  std::uint32_t control_count_ = 0;
  std::uint16_t close_code_ = 1006;
  ErrorCode error_ = ErrorCode::kOk;
  State state_ : 2 = State::kOpen;
  bool message_is_binary_ : 1 = false;
  bool is_client_ : 1;
};

}  // namespace wirehall::ws
