// An event for many receivers, and the bytes of each form in which somebody receives it.
//
//   I1  Each form is built at most once per shard, by the first receiver that needs it, and then shared.
//   I2  What crosses shards is frozen: immutable text, never a Value that two shards could look into.
//
// The message does not know what a frame is: whoever sends it says how a form is built.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/frame.h"
#include "base/json.h"
#include "wirehall/broadcast.h"

namespace wirehall::hub {

/// The forms: codec × framing.
enum class Form : std::uint8_t {
  kSocketioWebSocket,          ///< JSON packet as WebSocket frames
  kSocketioWebSocketDeflated,  ///< the same, compressed with a 15-bit window
  kSocketioPieces,             ///< `4` and the packet, attachments apart: for polling, and what waits
  kNativeJson,                 ///< native JSON as a WebSocket frame
  kNativeJsonDeflated,
  kNativeMsgpack,  ///< native MessagePack as a WebSocket frame
  kNativeMsgpackDeflated,
  kCount
};

/// One part of a form: a frame, or a polling packet that may be bytes.
struct Part {
  FrameRef bytes;
  bool binary = false;
};

/// An event as immutable text, safe to share between threads.
struct FrozenMessage {
  std::string nsp;
  std::string event;
  std::optional<std::uint64_t> ack;  ///< receivers answer under this number
  std::string args_json;  ///< a JSON array, attachments as placeholders
  std::vector<std::string> attachments;
  /// Of the only argument, an object: where its members stand in its text; empty: nobody has noted it.
  std::vector<json::MemberPlace> members;
  std::uint64_t tag = 0;  ///< for who watches the log; means nothing here
  struct SharedPart {
    std::shared_ptr<const std::string> bytes;
    bool binary = false;
  };
  std::array<std::vector<SharedPart>, static_cast<std::size_t>(Form::kCount)> forms;
  std::size_t bytes() const;
};

/// Thread:   shard-affine; freeze() gives what may leave the shard.
class EncodedMessage {
 public:
  EncodedMessage(std::string nsp, std::string event, Args args);
  /// A copy for this shard of what another shard froze; forms that were built there are shared.
  explicit EncodedMessage(std::shared_ptr<const FrozenMessage> frozen);

  const std::string& nsp() const { return frozen_ ? frozen_->nsp : nsp_; }
  const std::string& event() const { return frozen_ ? frozen_->event : event_; }
  const Args& args();
  /// The arguments as text, with commas in between, where they were frozen and have no attachments.
  std::optional<std::string_view> args_text() const;
  /// Where the members of the only argument stand in args_text(); empty: that is not known.
  std::span<const json::MemberPlace> members() const;
  std::optional<std::uint64_t> ack() const { return frozen_ ? frozen_->ack : ack_; }
  /// Receivers are asked to answer under this number. Requires: nothing was built yet.
  void set_ack(std::uint64_t id) { ack_ = id; }

  /// The position that recovery appends to the arguments; empty: none. Requires: nothing was built yet.
  void set_offset(std::string offset) { offset_ = std::move(offset); }
  const std::string& offset() const { return offset_; }

  /// The parts of a form, built by `build(EncodedMessage&, std::vector<Part>&)` at the first use.
  template <class F>
  const std::vector<Part>& form(Form form, F&& build) {
    std::vector<Part>& parts = forms_[static_cast<std::size_t>(form)];
    if (parts.empty()) {
      if (!thaw(form)) build(*this, parts);
    }
    return parts;
  }

  /// What may cross shards, with the forms that were built so far.
  std::shared_ptr<const FrozenMessage> freeze();

 private:
  bool thaw(Form form);

  std::string nsp_;
  std::string event_;
  std::optional<std::uint64_t> ack_;
  std::string offset_;
  Args args_;
  bool has_args_ = false;
  std::shared_ptr<const FrozenMessage> frozen_;
  std::array<std::vector<Part>, static_cast<std::size_t>(Form::kCount)> forms_;
};

/// Which forms the connections of this process have needed so far, so that a message is frozen with them.
class FormsInUse {
 public:
  void mark(Form form) {
    // Asked once for each delivery, and written once for each form: shards would pass the line around.
    if (!used(form)) mask_.fetch_or(1u << static_cast<unsigned>(form), std::memory_order_relaxed);
  }
  bool used(Form form) const {
    return (mask_.load(std::memory_order_relaxed) >> static_cast<unsigned>(form) & 1u) != 0;
  }

 private:
  std::atomic<std::uint32_t> mask_{0};
};

}  // namespace wirehall::hub
