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

void FrameRef::destroy(Block* block) {
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

Outbox::Queue& Outbox::as_queue() {
  if (is_queue()) return *queue();
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

Outbox::Segment& Outbox::Queue::push() {
  if (count == capacity) {
    auto larger = std::make_unique<Segment[]>(capacity * 2);
    for (std::uint32_t i = 0; i < count; ++i) larger[i] = std::move(slot(i));
    heap = std::move(larger);
    capacity *= 2;
    head = 0;
  }
  return slot(count++);
}

void Outbox::Queue::pop_front() {
  slot(0) = Segment();
  head = (head + 1) & (capacity - 1);
  --count;
}

char* Outbox::append_space(std::size_t size) {
  Queue& queue = as_queue();
  queue.bytes += size;
  if (queue.count != 0) {
    Segment& last = queue.slot(queue.count - 1);
    FrameRef::Block* block = last.frame.block_;
    // A chunk of ours is referenced by this queue alone; a shared frame may not grow (I1).
    if (block->references == 1 && block->capacity - block->size >= size && last.end == block->size &&
        !block->owner) {
      char* space = block->tail() + block->size;
      block->size += size;
      last.end += static_cast<std::uint32_t>(size);
      return space;
    }
  }
  const std::size_t usual = queue.count == 0 ? kFirstChunkBytes : kNextChunkBytes;
  FrameRef::Block* block = FrameRef::make_block(size > usual ? size : usual);
  block->size = size;
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
  segment.frame = frame;
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
  if (queue.count == 0) give_back();
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
  while (queue()->count != 0) queue()->pop_front();
  give_back();
}

}  // namespace wirehall
