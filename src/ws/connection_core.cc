#include "ws/connection_core.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace wirehall::ws {
namespace {

// A text that is cut where a code point ends, so that it fits a control frame.
std::string_view fitting_reason(std::string_view reason) {
  constexpr std::size_t kReasonMax = 123;
  if (reason.size() <= kReasonMax) return reason;
  std::size_t size = kReasonMax;
  while (size > 0 && (static_cast<unsigned char>(reason[size]) & 0xC0) == 0x80) --size;
  return reason.substr(0, size);
}

}  // namespace

void ConnectionCore::append(Outbox& out, Opcode opcode, std::string_view payload) const {
  if (!is_client_) {
    append_frame(out, opcode, payload);
  } else {
    append_masked_frame(out, opcode, payload, false, static_cast<std::uint32_t>(masks_->next()));
  }
}

void ConnectionCore::append_close(Outbox& out, std::uint16_t code, std::string_view reason) const {
  std::array<char, 125> payload;
  std::size_t size = 0;
  if (code != static_cast<std::uint16_t>(CloseCode::kNoStatus)) {
    payload[0] = static_cast<char>(code >> 8);
    payload[1] = static_cast<char>(code);
    reason = fitting_reason(reason);
    if (!reason.empty()) std::memcpy(payload.data() + 2, reason.data(), reason.size());
    size = 2 + reason.size();
  }
  append(out, Opcode::kClose, {payload.data(), size});
}

ConnectionCore::Partial& ConnectionCore::partial() {
  if (!partial_) partial_ = std::make_unique<Partial>();
  return *partial_;
}

ConnectionCore::Event ConnectionCore::consume(char*& cursor, char* end, MonoTime now, Outbox& out,
                                              std::string_view& message) {
  if (partial_ && partial_->finished) partial_.reset();
  while (cursor != end) {
    if (state_ == State::kClosed) {
      cursor = end;
      break;
    }
    if (partial_ && partial_->in_payload) {
      if (const auto event = take_payload(cursor, end, now, out, message)) return *event;
      continue;
    }
    // A header that was cut is put together with the bytes that follow.
    FrameHeader frame;
    const bool cut = partial_ && !partial_->header.empty();
    const std::size_t before = cut ? partial_->header.size() : 0;
    std::string_view bytes(cursor, static_cast<std::size_t>(end - cursor));
    if (cut) {
      partial_->header.append(bytes.substr(0, 14 - before));
      bytes = partial_->header;
    }
    const HeaderStep step = parse_header(bytes, frame);
    if (step == HeaderStep::kMalformed) return failed(ErrorCode::kWsProtocol, now, out);
    if (step == HeaderStep::kNeedMore) {
      if (!cut) partial().header.assign(bytes);
      cursor = end;
      break;
    }
    cursor += frame.header_bytes - before;
    if (cut) {
      partial_->header = std::string();
      if (!partial_->in_message) partial_.reset();
    }
    if (const ErrorCode code = begin_frame(frame); code != ErrorCode::kOk) return failed(code, now, out);
    const bool control = static_cast<std::uint8_t>(frame.opcode) >= 8;
    if (control && !control_allowed(now)) return failed(ErrorCode::kWsPolicy, now, out);
    const bool whole = static_cast<std::uint64_t>(end - cursor) >= frame.payload_bytes;
    if (whole && (control || (frame.fin && !(partial_ && partial_->in_message) && !frame.rsv1))) {
      char* payload = cursor;
      cursor += frame.payload_bytes;
      if (const auto event = whole_frame(frame, payload, now, out, message)) return *event;
      continue;
    }
    Partial& state = partial();
    state.frame = frame;
    state.left = frame.payload_bytes;
    state.in_payload = true;
    if (!control) {
      if (!state.in_message) {
        state.in_message = true;
        state.opcode = frame.opcode;
        state.compressed = frame.rsv1;
        state.fragments = 0;
        state.utf8.reset();
      }
      ++state.fragments;
    }
    if (state.left == 0 || cursor != end) {
      if (const auto event = take_payload(cursor, end, now, out, message)) return *event;
    }
  }
  return Event::kNeedMore;
}

// What needs the connection's state: which frames may follow, and how much may come.
ErrorCode ConnectionCore::begin_frame(const FrameHeader& frame) {
  if (frame.masked == is_client_) return ErrorCode::kWsProtocol;
  if (static_cast<std::uint8_t>(frame.opcode) >= 8) return ErrorCode::kOk;
  const bool in_message = partial_ && partial_->in_message;
  if ((frame.opcode == Opcode::kContinuation) != in_message) return ErrorCode::kWsProtocol;
  if (frame.rsv1 && (is_client_ || inflater_ == nullptr || in_message)) return ErrorCode::kWsProtocol;
  const std::uint64_t have = in_message ? partial_->message.size() : 0;
  if (frame.payload_bytes > options_->message_bytes_max - have) return ErrorCode::kWsTooBig;
  if (in_message && partial_->fragments >= options_->fragments_max) return ErrorCode::kWsPolicy;
  return ErrorCode::kOk;
}

// The usual case: a whole frame lies in the receive buffer, and its message is handed out from there.
std::optional<ConnectionCore::Event> ConnectionCore::whole_frame(const FrameHeader& frame, char* payload,
                                                                 MonoTime now, Outbox& out,
                                                                 std::string_view& message) {
  const auto size = static_cast<std::size_t>(frame.payload_bytes);
  apply_mask(payload, size, frame.mask, 0);
  const std::string_view bytes(payload, size);
  if (static_cast<std::uint8_t>(frame.opcode) >= 8) return control_frame(frame.opcode, bytes, now, out, message);
  if (state_ != State::kOpen) return std::nullopt;
  message_is_binary_ = frame.opcode == Opcode::kBinary;
  if (!message_is_binary_ && !is_valid_utf8(bytes)) return failed(ErrorCode::kWsInvalidData, now, out);
  message = bytes;
  return Event::kMessage;
}

std::optional<ConnectionCore::Event> ConnectionCore::take_payload(char*& cursor, char* end, MonoTime now,
                                                                  Outbox& out, std::string_view& message) {
  Partial& state = *partial_;
  const auto here =
      static_cast<std::size_t>(std::min<std::uint64_t>(state.left, static_cast<std::uint64_t>(end - cursor)));
  apply_mask(cursor, here, state.frame.mask,
             static_cast<std::size_t>(state.frame.payload_bytes - state.left));
  const std::string_view piece(cursor, here);
  cursor += here;
  state.left -= here;
  const bool control = static_cast<std::uint8_t>(state.frame.opcode) >= 8;
  if (control) {
    state.control.append(piece);
  } else if (state_ == State::kOpen) {
    // Doubling, but never beyond what this frame can fill: the limit is a limit of memory too (I3).
    const std::size_t needed = state.message.size() + here;
    if (needed > state.message.capacity()) {
      const std::uint64_t most = state.message.size() + here + state.left;
      state.message.reserve(
          static_cast<std::size_t>(std::min<std::uint64_t>(most, std::max<std::uint64_t>(needed * 2, 4096))));
    }
    state.message.append(piece);
    if (state.opcode == Opcode::kText && !state.compressed && !state.utf8.feed(piece)) {
      return failed(ErrorCode::kWsInvalidData, now, out);
    }
  }
  if (state.left != 0) return std::nullopt;
  state.in_payload = false;
  if (control) {
    const std::string payload = std::move(state.control);
    const Opcode opcode = state.frame.opcode;
    state.control = std::string();
    if (!state.in_message) partial_.reset();
    return control_frame(opcode, payload, now, out, message);
  }
  return state.frame.fin ? finish_data(now, out, message) : std::nullopt;
}

std::optional<ConnectionCore::Event> ConnectionCore::finish_data(MonoTime now, Outbox& out,
                                                                 std::string_view& message) {
  if (state_ != State::kOpen) {
    partial_.reset();
    return std::nullopt;
  }
  Partial& done = *partial_;
  done.finished = true;  // and gone at the next call
  message_is_binary_ = done.opcode == Opcode::kBinary;
  if (!done.compressed) {
    if (!message_is_binary_ && !done.utf8.complete()) return failed(ErrorCode::kWsInvalidData, now, out);
  } else {
    std::string inflated;
    const Status status =
        inflater_->inflate(done.message, static_cast<std::size_t>(options_->message_bytes_max), inflated);
    if (!status.ok()) return failed(status.error().code(), now, out);
    done.message = std::move(inflated);
    if (!message_is_binary_ && !is_valid_utf8(done.message)) return failed(ErrorCode::kWsInvalidData, now, out);
  }
  message = done.message;
  return Event::kMessage;
}

std::optional<ConnectionCore::Event> ConnectionCore::control_frame(Opcode opcode, std::string_view payload,
                                                                   MonoTime now, Outbox& out,
                                                                   std::string_view& message) {
  if (opcode == Opcode::kClose) return peer_close(payload, now, out, message);
  if (opcode == Opcode::kPong) return state_ == State::kOpen ? std::optional(Event::kPong) : std::nullopt;
  if (state_ == State::kOpen) append(out, Opcode::kPong, payload);
  return std::nullopt;
}

std::optional<ConnectionCore::Event> ConnectionCore::peer_close(std::string_view payload, MonoTime now,
                                                                Outbox& out, std::string_view& message) {
  std::uint16_t code = static_cast<std::uint16_t>(CloseCode::kNoStatus);
  if (payload.size() == 1) return failed(ErrorCode::kWsProtocol, now, out);
  if (payload.size() >= 2) {
    code = static_cast<std::uint16_t>(static_cast<unsigned char>(payload[0]) << 8 |
                                      static_cast<unsigned char>(payload[1]));
    if (!is_valid_close_code(code)) return failed(ErrorCode::kWsProtocol, now, out);
    if (!is_valid_utf8(payload.substr(2))) return failed(ErrorCode::kWsInvalidData, now, out);
  }
  if (state_ == State::kOpen) {
    append_close(out, code, {});
    close_code_ = code;
    message = {};
    if (payload.size() > 2) {
      Partial& rest = partial();
      rest.message = payload.substr(2);
      rest.finished = true;
      message = rest.message;
    }
  }
  state_ = State::kClosed;
  return Event::kClosed;
}

bool ConnectionCore::control_allowed(MonoTime now) {
  // A window of two seconds that may hold twice the rate: bursts pass, a sustained flood does not.
  constexpr auto kWindow = std::chrono::seconds(2);
  const auto window = static_cast<std::uint32_t>(now.time_since_epoch() / kWindow);
  if (window != control_window_) {
    control_window_ = window;
    control_count_ = 0;
  }
  return ++control_count_ <= options_->control_frames_per_second_max * 2;
}

MonoTime ConnectionCore::close(CloseCode code, std::string_view reason, MonoTime now, Outbox& out) {
  if (state_ != State::kOpen) return kNever;
  append_close(out, static_cast<std::uint16_t>(code), reason);
  close_code_ = static_cast<std::uint16_t>(code);
  state_ = State::kClosing;
  return now + options_->close_timeout;
}

void ConnectionCore::fail(ErrorCode error, MonoTime, Outbox& out) {
  const std::uint16_t code = error_info(error).close_code;
  if (state_ == State::kOpen) {
    append_close(out, code, error_info(error).text);
    close_code_ = code;
    error_ = error;
  }
  state_ = State::kClosed;
  partial_.reset();
}

ConnectionCore::Event ConnectionCore::failed(ErrorCode error, MonoTime now, Outbox& out) {
  fail(error, now, out);
  return Event::kClosed;
}

}  // namespace wirehall::ws
