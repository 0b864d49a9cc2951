#include "store/hall_writer.h"

#include "base/log.h"
#ifdef WIREHALL_FAULT_ACK_BEFORE_COMMIT
#include "store/sqlite/fault_for_test.h"
#endif

namespace wirehall::store {
namespace {

constexpr std::size_t kWriteBytes = 256;
constexpr int kRestPerStep = 4;  // times a step's own time

// What of each write can be long.
struct Bytes {
  std::size_t operator()(const PostMessage& write) const {
    return write.message.content.size() + write.message.user_json.size();
  }
  std::size_t operator()(const ChangeMessage& write) const { return write.content ? write.content->size() : 0; }
  std::size_t operator()(const PostPrivate& write) const {
    return write.message.content.size() + write.message.from_json.size();
  }
  std::size_t operator()(const SettlePrivate& write) const { return write.ids.size() * 48; }
  std::size_t operator()(const CreateRoom& write) const { return write.record.metadata_json.size(); }
  std::size_t operator()(const SaveUser& write) const {
    std::size_t bytes = write.user_json.size();
    if (write.rooms) {
      for (const std::string& room : *write.rooms) bytes += room.size() + 32;
    }
    return bytes;
  }
  std::size_t operator()(const auto&) const { return 0; }
};

}  // namespace

std::size_t bytes_of(const HallWrite& write) { return kWriteBytes + std::visit(Bytes(), write); }

HallWriter::HallWriter(HallStore& store, const Clock& clock, WriterOptions options, OnCommit on_commit,
                       OnUpkeep on_upkeep)
    : store_(store),
      clock_(clock),
      options_(std::move(options)),
      on_commit_(std::move(on_commit)),
      on_upkeep_(std::move(on_upkeep)),
      next_upkeep_(clock.now()),
      thread_([this] { run(); }) {}

HallWriter::~HallWriter() { stop(); }

bool HallWriter::submit(HallWrite&& write, Origin origin) {
  const std::size_t bytes = bytes_of(write);
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queued_writes_ >= options_.queue_writes_max ||
        queued_bytes_ + bytes > options_.queue_bytes_max)
      return false;
    // A write goes straight to its place in a batch, and stays there.
    if (queue_.empty() || queue_.back().writes.size() >= options_.batch_writes_max ||
        queue_.back().bytes + bytes > options_.batch_bytes_max)
      queue_.emplace_back();
    Batch& batch = queue_.back();
    batch.writes.push_back(std::move(write));
    batch.origins.push_back(origin);
    batch.bytes += bytes;
    ++queued_writes_;
    queued_bytes_ += bytes;
  }
  wake_.notify_one();
  return true;
}

void HallWriter::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

HallWriter::Batch HallWriter::take_batch() {
  if (queue_.empty()) return {};
  Batch batch = std::move(queue_.front());
  queue_.pop_front();
  queued_writes_ -= batch.writes.size();
  queued_bytes_ -= batch.bytes;
  return batch;
}

void HallWriter::run() {
  for (;;) {
    Batch batch;
    {
      std::unique_lock lock(mutex_);
      const auto ready = [&] { return stopping_ || !queue_.empty(); };
      const Duration rest = next_upkeep_ - clock_.now();
      if (rest.count() > 0) wake_.wait_for(lock, rest, ready);
      if (queue_.empty() && stopping_) return;
      batch = take_batch();
    }
    if (!batch.writes.empty()) commit(std::move(batch));
    if (next_upkeep_ <= clock_.now()) upkeep();
  }
}

void HallWriter::commit(Batch batch) {
  started_.fetch_add(1, std::memory_order_acq_rel);
#ifdef WIREHALL_FAULT_ACK_BEFORE_COMMIT
  bool told = false;
  sqlite::g_before_commit = [&](const std::vector<WriteOutcome>& outcomes) {
    told = true;
    on_commit_(batch, outcomes);
  };
#endif
  Result<std::vector<WriteOutcome>> outcomes = store_.commit(batch.writes, clock_.wall_now());
#ifdef WIREHALL_FAULT_ACK_BEFORE_COMMIT
  sqlite::g_before_commit = nullptr;
  if (told) return;
#endif
  on_commit_(batch, std::move(outcomes));
}

void HallWriter::upkeep() {
  const MonoTime begin = clock_.now();
  Result<UpkeepResult> done = store_.maintain(options_.upkeep, clock_.wall_now());
  const bool more = done.ok() && done->more;
  const MonoTime end = clock_.now();
  next_upkeep_ = end + (more ? kRestPerStep * (end - begin) : options_.upkeep_interval);
  if (!done.ok()) log_line(LogLevel::kWarning, "store", "upkeep failed", {{"error", done.error().text()}});
  if (done.ok() && !done->files.empty()) on_upkeep_(done->files);
}

}  // namespace wirehall::store
