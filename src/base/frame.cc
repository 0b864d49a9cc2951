#include "base/frame.h"

#include <cstdlib>
#include <cstring>
#include <new>

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

Outbox::~Outbox() = default;

Outbox::Segment& Outbox::push() {
  if (count_ == capacity_) {
    auto larger = std::make_unique<Segment[]>(capacity_ * 2);
    for (std::uint32_t i = 0; i < count_; ++i) larger[i] = std::move(slot(i));
    heap_ = std::move(larger);
    capacity_ *= 2;
    head_ = 0;
  }
  return slot(count_++);
}

void Outbox::pop_front() {
  slot(0) = Segment();
  head_ = (head_ + 1) & (capacity_ - 1);
  if (--count_ == 0) {
    heap_.reset();
    capacity_ = kInline;
    head_ = 0;
  }
}

char* Outbox::append_space(std::size_t size) {
  bytes_ += size;
  if (count_ != 0) {
    Segment& last = slot(count_ - 1);
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
  const std::size_t usual = count_ == 0 ? kFirstChunkBytes : kNextChunkBytes;
  FrameRef::Block* block = FrameRef::make_block(size > usual ? size : usual);
  block->size = size;
  Segment& segment = push();
  segment.frame = FrameRef(block);
  segment.begin = 0;
  segment.end = static_cast<std::uint32_t>(size);
  return block->tail();
}

void Outbox::append(std::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(append_space(bytes.size()), bytes.data(), bytes.size());
}

void Outbox::append(const FrameRef& frame) {
  const std::size_t size = frame.view().size();
  if (size == 0) return;
  Segment& segment = push();
  segment.frame = frame;
  segment.begin = 0;
  segment.end = static_cast<std::uint32_t>(size);
  bytes_ += size;
}

int Outbox::gather(iovec* parts, int parts_max) const {
  int filled = 0;
  for (std::uint32_t i = 0; i < count_ && filled < parts_max; ++i) {
    const Segment& segment = slot(i);
    parts[filled].iov_base = const_cast<char*>(segment.frame.block_->data + segment.begin);
    parts[filled].iov_len = segment.end - segment.begin;
    ++filled;
  }
  return filled;
}

std::size_t Outbox::copy_front(char* out, std::size_t room) const {
  std::size_t copied = 0;
  for (std::uint32_t i = 0; i < count_ && copied < room; ++i) {
    const Segment& segment = slot(i);
    const std::size_t here = std::min<std::size_t>(segment.end - segment.begin, room - copied);
    std::memcpy(out + copied, segment.frame.block_->data + segment.begin, here);
    copied += here;
  }
  return copied;
}

void Outbox::consume(std::size_t count) {
  WIREHALL_ASSERT(count <= bytes_);
  if (count == 0) return;
  bytes_ -= count;
  pinned_ = 0;
  while (count != 0) {
    Segment& first = slot(0);
    const std::size_t here = first.end - first.begin;
    if (count < here) {
      first.begin += static_cast<std::uint32_t>(count);
      return;
    }
    count -= here;
    pop_front();
  }
}

void Outbox::drop_unsent() {
  const bool begun = count_ != 0 && slot(0).begin != 0;
  std::uint32_t kept = begun ? 1 : 0;
  std::size_t kept_bytes = begun ? slot(0).end - slot(0).begin : 0;
  for (; kept_bytes < pinned_; ++kept) kept_bytes += slot(kept).end - slot(kept).begin;
  while (count_ > kept) {
    Segment& last = slot(count_ - 1);
    bytes_ -= last.end - last.begin;
    last = Segment();
    --count_;
  }
  if (count_ == 0) clear();
}

void Outbox::clear() {
  while (count_ != 0) pop_front();
  heap_.reset();
  capacity_ = kInline;
  head_ = 0;
  bytes_ = 0;
  pinned_ = 0;
}

}  // namespace wirehall
