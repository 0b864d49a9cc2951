// Bytes on their way out: frames shared between receivers, and the queue of one connection.
//
//   I1  A FrameRef's bytes never change once it was shared.
//   I2  Counts are not atomic: a FrameRef never leaves its shard. What crosses shards is the
//       std::shared_ptr that a frame can be made of.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace wirehall {

/// Immutable bytes shared by the connections of one shard.
///
/// Thread:   shard-affine (I2).
/// Lifetime: the bytes live as long as any FrameRef to them.
class FrameRef {
 public:
  FrameRef() = default;
  FrameRef(const FrameRef& other) : block_(other.block_) {
    if (block_ != nullptr) ++block_->references;
  }
  FrameRef(FrameRef&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  FrameRef& operator=(FrameRef other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~FrameRef() {
    if (block_ != nullptr && --block_->references == 0) destroy(block_);
  }

  static FrameRef copy_of(std::string_view bytes);
  /// Shares bytes that other shards may share too.
  static FrameRef of_shared(std::shared_ptr<const std::string> bytes);

  explicit operator bool() const { return block_ != nullptr; }
  std::string_view view() const { return {block_->data, block_->size}; }

 private:
  friend class Outbox;
  struct Block {
    std::uint32_t references;
    std::uint32_t capacity;  // of the bytes behind the block; 0 when they are somewhere else
    std::size_t size;
    const char* data;
    std::shared_ptr<const std::string> owner;
    char* tail() { return reinterpret_cast<char*>(this + 1); }
  };
  explicit FrameRef(Block* block) : block_(block) {}
  class SpareChunks;
  static Block* make_block(std::size_t capacity);
  /// A block for small pieces, with room for `size` bytes at least; `first`: nothing waits in front of them.
  static Block* make_chunk(std::size_t size, bool first);
  /// Room behind the bytes of a chunk that nobody else refers to (I1); nullptr where there is none.
  static char* extend(Block& block, std::size_t size) {
    if (block.references != 1 || block.capacity - block.size < size || block.owner) return nullptr;
    char* space = block.tail() + block.size;
    block.size += size;
    return space;
  }
  static void destroy(Block* block);

  Block* block_ = nullptr;
};

/// What one connection has still to write, in order: its own small pieces, gathered in chunks, and shared
/// frames by reference. It is one word: nothing; one whole frame, shared as a broadcast leaves it or a chunk of its own
/// with an answer; or a queue, which the thread lends while there is something in it, since few connections have one at
/// a time.
///
/// Thread:   shard-affine.
class Outbox {
 public:
  Outbox() = default;
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;
  ~Outbox() { clear(); }

  void append(std::string_view bytes);
  /// Appends `size` bytes that the caller writes at once.
  /// Lifetime: the pointer dies at the next call.
  char* append_space(std::size_t size);
  void append(const FrameRef& frame) {
    if (state_ != 0 || frame.block_->size == 0) return append_to_queue(frame);
    ++frame.block_->references;
    hold_alone(frame.block_);
  }

  bool empty() const { return state_ == 0; }
  /// Whether there is one piece, of which nothing has left yet.
  bool is_one_piece() const { return (state_ & kLone) != 0; }
  /// Exact; the base of all decisions about backpressure.
  std::size_t bytes() const { return is_queue() ? queue()->bytes : front().size(); }
  /// Without the piece that is leaving.
  std::size_t bytes_behind_front() const { return is_queue() ? queue()->bytes - front().size() : 0; }
  /// The piece that leaves next; empty where there is none.
  std::string_view front() const {
    if (!is_queue()) return state_ == 0 ? std::string_view() : std::string_view(lone()->data, lone()->size);
    const Segment& first = queue()->slot(0);
    return {first.frame.block_->data + first.begin, first.end - first.begin};
  }
  /// Says that the first `count` bytes have been given away, as to TLS, though they are not consumed yet.
  /// Requires: count <= bytes().
  void pin(std::size_t count);
  std::size_t pinned() const { return is_queue() ? queue()->pinned : 0; }

  /// Fills at most `parts_max` pieces from the front.
  /// Returns:  how many.
  int gather(iovec* parts, int parts_max) const;
  /// Copies up to `room` bytes from the front. Returns: how many.
  std::size_t copy_front(char* out, std::size_t room) const;
  /// Forgets bytes from the front that were written. Requires: count <= bytes().
  void consume(std::size_t count) {
    if ((state_ & kLone) == 0 || count != lone()->size) return consume_from_queue(count);
    drop_lone();
  }
  /// Forgets the piece, which was written whole. Requires: is_one_piece().
  void drop_piece() { drop_lone(); }
  /// Forgets everything that has not begun to leave. A frame never straddles two pieces, so what remains
  /// ends where a frame ends.
  void drop_unsent();
  void clear() {
    if (state_ != 0) clear_all();
  }

 private:
  struct Segment {
    FrameRef frame;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };
  /// A ring of segments; never empty while an outbox has it, never with an empty segment.
  struct Queue {
    static constexpr std::uint32_t kInline = 8;
    Segment& slot(std::uint32_t i) { return segments()[(head + i) & (capacity - 1)]; }
    Segment* segments() { return heap ? heap.get() : inline_segments; }
    /// An empty segment at the end.
    Segment& push() {
      if (count == capacity) grow();
      return slot(count++);
    }
    void grow();
    void pop_front();

    Segment inline_segments[kInline];
    std::unique_ptr<Segment[]> heap;
    std::uint32_t head = 0;
    std::uint32_t count = 0;
    std::uint32_t capacity = kInline;  // a power of two
    std::uint32_t pinned = 0;
    std::size_t bytes = 0;
  };
  class Pool;
  static Pool& pool();
  static constexpr std::uintptr_t kLone = 1;

  bool is_queue() const { return state_ != 0 && (state_ & kLone) == 0; }
  Queue* queue() const { return reinterpret_cast<Queue*>(state_); }
  void hold_alone(FrameRef::Block* block) { state_ = reinterpret_cast<std::uintptr_t>(block) | kLone; }
  FrameRef::Block* lone() const { return reinterpret_cast<FrameRef::Block*>(state_ & ~kLone); }
  void drop_lone() {
    FrameRef::Block* block = lone();
    state_ = 0;
    if (--block->references == 0) FrameRef::destroy(block);
  }
  /// The queue, made of whatever there is.
  Queue& as_queue() { return is_queue() ? *queue() : make_queue(); }
  Queue& make_queue();
  void append_to_queue(const FrameRef& frame);
  char* append_space_to_queue(std::size_t size);
  void consume_from_queue(std::size_t count);
  void clear_all();
  void give_back();

  std::uintptr_t state_ = 0;
};

}  // namespace wirehall
