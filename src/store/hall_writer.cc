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

bool HallWriter::submit(Row row) {
  const std::size_t bytes = bytes_of(row.write);
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= options_.queue_writes_max ||
        queued_bytes_ + bytes > options_.queue_bytes_max)
      return false;
    queued_bytes_ += bytes;
    queue_.push_back(std::move(row));
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

std::vector<HallWriter::Row> HallWriter::take_batch() {
  std::vector<Row> batch;
  std::size_t bytes = 0;
  while (!queue_.empty() && batch.size() < options_.batch_writes_max) {
    const std::size_t next = bytes_of(queue_.front().write);
    if (!batch.empty() && bytes + next > options_.batch_bytes_max) break;
    bytes += next;
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queued_bytes_ -= bytes;
  return batch;
}

void HallWriter::run() {
  for (;;) {
    std::vector<Row> batch;
    {
      std::unique_lock lock(mutex_);
      const auto ready = [&] { return stopping_ || !queue_.empty(); };
      const Duration rest = next_upkeep_ - clock_.now();
      if (rest.count() > 0) wake_.wait_for(lock, rest, ready);
      if (queue_.empty() && stopping_) return;
      batch = take_batch();
    }
    if (!batch.empty()) commit(std::move(batch));
    if (next_upkeep_ <= clock_.now()) upkeep();
  }
}

void HallWriter::commit(std::vector<Row> batch) {
  std::vector<HallWrite> writes;
  writes.reserve(batch.size());
  for (Row& row : batch) writes.push_back(std::move(row.write));
  started_.fetch_add(1, std::memory_order_acq_rel);
#ifdef WIREHALL_FAULT_ACK_BEFORE_COMMIT
  bool told = false;
  sqlite::g_before_commit = [&](const std::vector<WriteOutcome>& outcomes) {
    told = true;
    std::vector<Row> rows = batch;
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].write = writes[i];
    on_commit_(std::move(rows), outcomes);
  };
#endif
  Result<std::vector<WriteOutcome>> outcomes = store_.commit(writes, clock_.wall_now());
#ifdef WIREHALL_FAULT_ACK_BEFORE_COMMIT
  sqlite::g_before_commit = nullptr;
  if (told) return;
#endif
  for (std::size_t i = 0; i < batch.size(); ++i) batch[i].write = std::move(writes[i]);
  on_commit_(std::move(batch), std::move(outcomes));
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
