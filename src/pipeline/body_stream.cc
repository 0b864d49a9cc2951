#include "pipeline/body_stream.h"

#include <algorithm>

#include "base/assert.h"
#include "base/log.h"
#include "pipeline/shard_core.h"

namespace wirehall::pipeline {
namespace {

constexpr Milliseconds kRetryPause{50};

}  // namespace

BodyStream::BodyStream(Connection& connection, Owner& owner, http1::Response response)
    : connection_(connection), owner_(owner), response_(std::move(response)) {
  WIREHALL_ASSERT(response_.streamed_body && response_.streamed_body.size != 0);
}

void BodyStream::start() {
  if (connection_.outbox().empty()) ask();
}

void BodyStream::drained() {
  if (!piece_ && retry_at_ == kNever) ask();
}

void BodyStream::ask() {
  ShardCore& core = connection_.core();
  const http1::StreamedBody& rest = response_.streamed_body;
  const auto size =
      static_cast<std::size_t>(std::min<std::uint64_t>(rest.size, core.limits().http_body_piece_bytes_max));
  const auto piece = std::make_shared<Piece>();
  const bool accepted = core.run_blocking(
      [source = rest.source, offset = rest.offset, size, piece = std::weak_ptr<Piece>(piece)] {
        // The stream may have ended while this waited for its turn.
        if (const std::shared_ptr<Piece> wanted = piece.lock()) wanted->bytes = source(offset, size);
      },
      [stream = weak_from_this()] {
        if (const std::shared_ptr<BodyStream> waiting = stream.lock()) waiting->arrived();
      });
  if (due_ == kNever) due_ = core.now() + core.limits().http_body_read_timeout;
  retry_at_ = accepted ? kNever : core.now() + kRetryPause;
  if (accepted) piece_ = piece;
  connection_.reschedule();
}

void BodyStream::arrived() {
  Result<std::string> bytes = std::move(std::exchange(piece_, nullptr)->bytes);
  due_ = kNever;
  if (!bytes.ok()) return fail(bytes.error());
  if (bytes->empty()) return fail(Error(ErrorCode::kIo, "the body is shorter than was said"));
  http1::StreamedBody& rest = response_.streamed_body;
  WIREHALL_ASSERT(bytes->size() <= rest.size);
  if (!begun_) {
    begun_ = true;
    owner_.body_begins(response_);
  }
  rest.offset += bytes->size();
  rest.size -= bytes->size();
  connection_.outbox().append(FrameRef::of_shared(std::make_shared<const std::string>(std::move(*bytes))));
  connection_.touch();
  connection_.reschedule();
  if (rest.size == 0) owner_.body_ended();
}

void BodyStream::on_deadline(MonoTime now) {
  if (due_ <= now) {
    fail(Error(ErrorCode::kUnavailable, "the body could not be read in time"));
  } else if (retry_at_ <= now) {
    ask();
  }
}

void BodyStream::fail(const Error& error) {
  piece_.reset();
  retry_at_ = due_ = kNever;
  log_line(LogLevel::kWarning, "http", "the body of a response could not be read",
           {{"error", error.text()}, {"begun", begun_}});
  owner_.body_failed(error, begun_);
}

}  // namespace wirehall::pipeline
