#include "store/message_writer.h"

namespace wirehall::store {

MessageWriter::MessageWriter(MessageStore& store, const Clock& clock, WriterOptions options,
                             OnCommit on_commit)
    : store_(store), clock_(clock), options_(options), on_commit_(std::move(on_commit)), thread_([this] {
        run();
      }) {}

MessageWriter::~MessageWriter() { stop(); }

bool MessageWriter::submit(Row row) {
  const std::size_t bytes = bytes_of(row);
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= options_.queue_rows_max ||
        queued_bytes_ + bytes > options_.queue_bytes_max)
      return false;
    queued_bytes_ += bytes;
    queue_.push_back(std::move(row));
  }
  wake_.notify_one();
  return true;
}

void MessageWriter::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void MessageWriter::run() {
  for (;;) {
    std::vector<Row> batch;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      std::size_t bytes = 0;
      std::size_t count = 0;
      while (count < queue_.size() && count < options_.batch_rows_max &&
             (count == 0 || bytes + bytes_of(queue_[count]) <= options_.batch_bytes_max)) {
        bytes += bytes_of(queue_[count++]);
      }
      batch.assign(std::make_move_iterator(queue_.begin()),
                   std::make_move_iterator(queue_.begin() + static_cast<std::ptrdiff_t>(count)));
      queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
      queued_bytes_ -= bytes;
    }
    std::vector<MessageDraft> drafts;
    drafts.reserve(batch.size());
    for (const Row& row : batch) drafts.push_back(row.draft);
    started_.fetch_add(1, std::memory_order_acq_rel);
    Result<std::vector<AppendOutcome>> outcomes = store_.append(drafts, clock_.wall_now());
    on_commit_(std::move(batch), std::move(outcomes));
  }
}

}  // namespace wirehall::store
