#include "base/frame.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include "base/assert.h"

namespace wirehall {
namespace {

// A first chunk that glibc's per-thread cache serves, then larger ones for connections that have more.
constexpr std::size_t kFirstChunkBytes = 1024 - 64;
constexpr std::size_t kNextChunkBytes = 16 * 1024 - 64;

}  // namespace

FrameRef::Block* FrameRef::make_block(std::size_t capacity) {
  WIREHALL_ASSERT(capacity <= UINT32_MAX);
  void* memory = std::malloc(sizeof(Block) + capacity);
  if (memory == nullptr) throw std::bad_alloc();
  Block* block = new (memory) Block{1, static_cast<std::uint32_t>(capacity), 0, nullptr, nullptr};
  block->data = block->tail();
  return block;
}

// Chunks that have left, for the next answers: every one is written before the next message is read. What is here at
// the thread's end goes with it; what comes later is freed at once.
class FrameRef::SpareChunks {
 public:
  static Block* take() {
    State& state = state_;
    return state.count == 0 ? nullptr : state.chunks[--state.count];
  }
  static bool keep(Block* block) {
    State& state = state_;
    if (state.count == kSpareChunksMax || state.ended) return false;
    thread_local const End end;
    state.chunks[state.count++] = block;
    return true;
  }

 private:
  static constexpr std::uint32_t kSpareChunksMax = 16;
  struct State {
    std::uint32_t count;
    bool ended;
    Block* chunks[kSpareChunksMax];
  };
  struct End {
    End() = default;
    ~End() {
      state_.ended = true;
      while (state_.count != 0) std::free(state_.chunks[--state_.count]);
    }
  };
  static constinit thread_local State state_;
};
constinit thread_local FrameRef::SpareChunks::State FrameRef::SpareChunks::state_{};

FrameRef::Block* FrameRef::make_chunk(std::size_t size, bool first) {
  const std::size_t usual = first ? kFirstChunkBytes : kNextChunkBytes;
  Block* block = nullptr;
  if (size <= kFirstChunkBytes && first) block = SpareChunks::take();
  if (block != nullptr) {
    block->references = 1;
  } else {
    block = make_block(size > usual ? size : usual);
  }
  block->size = size;
  return block;
}

void FrameRef::destroy(Block* block) {
  if (block->capacity == kFirstChunkBytes && SpareChunks::keep(block)) return;
  block->~Block();
  std::free(block);
}

FrameRef FrameRef::copy_of(std::string_view bytes) {
  Block* block = make_block(bytes.size());
  std::memcpy(block->tail(), bytes.data(), bytes.size());
  block->size = bytes.size();
  return FrameRef(block);
}

FrameRef FrameRef::of_shared(std::shared_ptr<const std::string> bytes) {
  Block* block = make_block(0);
  block->data = bytes->data();
  block->size = bytes->size();
  block->owner = std::move(bytes);
  return FrameRef(block);
}

// -- Outbox -------------------------------------------------------------------------------------

// The queues of a thread's outboxes. Where several messages meet in a turn every receiver has one until its end,
// so many are kept for the next; each is 168 bytes.
class Outbox::Pool {
 public:
  ~Pool() {
    for (Queue* queue : spare_) delete queue;
  }
  Queue* take() {
    if (spare_.empty()) return new Queue;
    Queue* queue = spare_.back();
    spare_.pop_back();
    return queue;
  }
  void give(Queue* queue) {
    if (spare_.size() == kSpareQueuesMax) {
      delete queue;
    } else {
      spare_.push_back(queue);
    }
  }

 private:
  static constexpr std::size_t kSpareQueuesMax = 16 * 1024;
  std::vector<Queue*> spare_;
};

Outbox::Pool& Outbox::pool() {
  thread_local Pool pool;
  return pool;
}

Outbox::Queue& Outbox::make_queue() {
  FrameRef frame(state_ == 0 ? nullptr : lone());  // takes the reference over
  Queue* queue = pool().take();
  state_ = reinterpret_cast<std::uintptr_t>(queue);
  if (frame) {
    Segment& segment = queue->push();
    segment.begin = 0;
    segment.end = static_cast<std::uint32_t>(frame.view().size());
    queue->bytes = segment.end;
    segment.frame = std::move(frame);
  }
  return *queue;
}

void Outbox::give_back() {
  Queue* queue = this->queue();
  state_ = 0;
  queue->heap.reset();
  queue->head = queue->pinned = 0;
  queue->capacity = Queue::kInline;
  queue->bytes = 0;
  pool().give(queue);
}

void Outbox::Queue::grow() {
  auto larger = std::make_unique<Segment[]>(capacity * 2);
  for (std::uint32_t i = 0; i < count; ++i) larger[i] = std::move(slot(i));
  heap = std::move(larger);
  capacity *= 2;
  head = 0;
}

void Outbox::Queue::pop_front() {
  slot(0) = Segment();
  head = (head + 1) & (capacity - 1);
  --count;
}

char* Outbox::append_space(std::size_t size) {
  if (state_ == 0) {
    FrameRef::Block* block = FrameRef::make_chunk(size, true);
    hold_alone(block);
    return block->tail();
  }
  if (!is_queue()) {
    if (char* space = FrameRef::extend(*lone(), size)) return space;
  }
  return append_space_to_queue(size);
}

char* Outbox::append_space_to_queue(std::size_t size) {
  Queue& queue = as_queue();
  queue.bytes += size;
  if (queue.count != 0) {
    Segment& last = queue.slot(queue.count - 1);
    FrameRef::Block* block = last.frame.block_;
    if (last.end == block->size) {
      if (char* space = FrameRef::extend(*block, size)) {
        last.end += static_cast<std::uint32_t>(size);
        return space;
      }
    }
  }
  FrameRef::Block* block = FrameRef::make_chunk(size, queue.count == 0);
  Segment& segment = queue.push();
  segment.frame = FrameRef(block);
  segment.begin = 0;
  segment.end = static_cast<std::uint32_t>(size);
  return block->tail();
}

void Outbox::append(std::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(append_space(bytes.size()), bytes.data(), bytes.size());
}

void Outbox::append_to_queue(const FrameRef& frame) {
  const std::size_t size = frame.view().size();
  if (size == 0) return;
  Queue& queue = as_queue();
  Segment& segment = queue.push();
  segment.frame.block_ = frame.block_;
  ++frame.block_->references;
  segment.begin = 0;
  segment.end = static_cast<std::uint32_t>(size);
  queue.bytes += size;
}

void Outbox::pin(std::size_t count) {
  if (state_ != 0) as_queue().pinned = static_cast<std::uint32_t>(count);
}

int Outbox::gather(iovec* parts, int parts_max) const {
  if (!is_queue()) {
    if (state_ == 0 || parts_max == 0) return 0;
    parts[0] = {const_cast<char*>(lone()->data), lone()->size};
    return 1;
  }
  int filled = 0;
  for (std::uint32_t i = 0; i < queue()->count && filled < parts_max; ++i) {
    const Segment& segment = queue()->slot(i);
    parts[filled].iov_base = const_cast<char*>(segment.frame.block_->data + segment.begin);
    parts[filled].iov_len = segment.end - segment.begin;
    ++filled;
  }
  return filled;
}

std::size_t Outbox::copy_front(char* out, std::size_t room) const {
  if (!is_queue()) return front().copy(out, room);
  std::size_t copied = 0;
  for (std::uint32_t i = 0; i < queue()->count && copied < room; ++i) {
    const Segment& segment = queue()->slot(i);
    const std::size_t here = std::min<std::size_t>(segment.end - segment.begin, room - copied);
    std::memcpy(out + copied, segment.frame.block_->data + segment.begin, here);
    copied += here;
  }
  return copied;
}

void Outbox::consume_from_queue(std::size_t count) {
  WIREHALL_ASSERT(count <= bytes());
  if (count == 0) return;
  Queue& queue = as_queue();
  if (count == queue.bytes) return clear_all();  // as a rule everything goes at once
  queue.bytes -= count;
  queue.pinned = 0;
  while (count != 0) {
    Segment& first = queue.slot(0);
    const std::size_t here = first.end - first.begin;
    if (count < here) {
      first.begin += static_cast<std::uint32_t>(count);
      return;
    }
    count -= here;
    queue.pop_front();
  }
}

void Outbox::drop_unsent() {
  if (state_ == 0) return;
  if (!is_queue()) return drop_lone();
  Queue& queue = *this->queue();
  const bool begun = queue.slot(0).begin != 0;
  std::uint32_t kept = begun ? 1 : 0;
  std::size_t kept_bytes = begun ? queue.slot(0).end - queue.slot(0).begin : 0;
  for (; kept_bytes < queue.pinned; ++kept) kept_bytes += queue.slot(kept).end - queue.slot(kept).begin;
  while (queue.count > kept) {
    Segment& last = queue.slot(queue.count - 1);
    queue.bytes -= last.end - last.begin;
    last = Segment();
    --queue.count;
  }
  if (queue.count == 0) give_back();
}

void Outbox::clear_all() {
  if (!is_queue()) return drop_lone();
  Queue& queue = *this->queue();
  for (std::uint32_t i = 0; i < queue.count; ++i) {
    FrameRef::Block* block = std::exchange(queue.slot(i).frame.block_, nullptr);
    if (--block->references == 0) FrameRef::destroy(block);
  }
  queue.count = 0;
  give_back();
}

}  // namespace wirehall
