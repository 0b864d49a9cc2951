#include "client/upload.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace wirehall::client {
namespace {

constexpr std::size_t kChunkBytesMax = 1024 * 1024;

std::optional<std::uint64_t> offset_of(const Value& answer) {
  const Value* offset = answer.find("offset");
  const auto number = offset == nullptr ? std::nullopt : exact_integer(*offset);
  return number && *number >= 0 ? std::optional(static_cast<std::uint64_t>(*number)) : std::nullopt;
}

}  // namespace

Upload::Upload(Ask ask, ReadPiece read, std::uint64_t size, FileOptions options, AnswerHandler done)
    : ask_(std::move(ask)),
      read_(std::move(read)),
      size_(size),
      options_(std::move(options)),
      done_(std::move(done)) {}

void Upload::start() {
  if (options_.upload_id.empty()) return begin();
  ask_("upload-start", {{"uploadId", options_.upload_id}}, [self = shared_from_this()](Result<Value> answer) {
    if (answer.ok()) return self->begun(*answer);
    // It is too old, or was finished.
    answer.error().code() == ErrorCode::kNotFound ? self->begin() : self->finish(std::move(answer));
  });
}

void Upload::begin() {
  Object fields{{"name", options_.name}, {"size", size_}, {"mime", options_.mime}};
  if (!options_.room_id.empty()) fields.set("roomId", options_.room_id);
  if (!options_.target_user_id.empty()) fields.set("targetUserId", options_.target_user_id);
  if (!options_.sha256.empty()) fields.set("sha256", options_.sha256);
  ask_("upload-start", std::move(fields), [self = shared_from_this()](Result<Value> answer) {
    answer.ok() ? self->begun(*answer) : self->finish(std::move(answer));
  });
}

void Upload::begun(const Value& answer) {
  const std::string* id = answer.find_string("uploadId");
  const Value* chunk = answer.find("chunkSize");
  const auto size = chunk == nullptr ? std::nullopt : exact_integer(*chunk);
  const auto offset = offset_of(answer);
  if (id == nullptr || !size || *size <= 0 || !offset || *offset > size_)
    return finish(Error(ErrorCode::kWrongProtocol, "the server's answer to upload-start"));
  upload_id_ = *id;
  chunk_bytes_ = std::min(static_cast<std::size_t>(*size), kChunkBytesMax);
  offset_ = *offset;
  if (options_.on_start) options_.on_start(upload_id_);
  next_piece();
}

void Upload::next_piece() {
  if (options_.stop.stop_requested()) return stop();
  if (options_.on_progress) options_.on_progress(offset_, size_);
  const auto here = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_bytes_, size_ - offset_));
  Result<std::string> piece = read_(offset_, here);
  if (!piece.ok()) return finish(piece.error());
  Object fields{{"uploadId", upload_id_}, {"offset", offset_}, {"data", Bytes{std::move(*piece)}}};
  ask_("upload-chunk", std::move(fields),
       [self = shared_from_this()](Result<Value> answer) { self->sent(std::move(answer)); });
}

void Upload::sent(Result<Value> answer) {
  if (!answer.ok()) {
    // A piece whose answer was lost has arrived all the same: the server says where it is.
    const Result<Value> fields = Value::from_json(answer.error().fields_json());
    const auto right =
        answer.error().code() == ErrorCode::kConflict && fields.ok() ? offset_of(*fields) : std::nullopt;
    if (!right || *right == offset_ || *right > size_) return finish(std::move(answer));
    offset_ = *right;
    return next_piece();
  }
  const Value* complete = answer->find("complete");
  if (complete != nullptr && complete->is_bool() && complete->as_bool()) {
    if (options_.on_progress) options_.on_progress(size_, size_);
    return finish(std::move(answer));
  }
  const auto offset = offset_of(*answer);
  if (!offset || *offset <= offset_ || *offset > size_)
    return finish(Error(ErrorCode::kWrongProtocol, "the server's answer to upload-chunk"));
  offset_ = *offset;
  next_piece();
}

void Upload::stop() {
  ask_("upload-abort", {{"uploadId", upload_id_}}, [self = shared_from_this()](const Result<Value>&) {
    self->finish(Error(ErrorCode::kDisconnected, "the upload was ended"));
  });
}

void Upload::finish(Result<Value> outcome) {
  if (done_) std::exchange(done_, nullptr)(std::move(outcome));
}

Result<std::pair<ReadPiece, std::uint64_t>> open_file(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return Error(ErrorCode::kIo, path + ": " + error.message());
  auto file = std::make_shared<std::ifstream>(path, std::ios::binary);
  if (!*file) return Error(ErrorCode::kIo, path + " cannot be read");
  ReadPiece read = [file, path](std::uint64_t offset, std::size_t bytes) -> Result<std::string> {
    std::string piece(bytes, '\0');
    file->clear();
    file->seekg(static_cast<std::streamoff>(offset));
    file->read(piece.data(), static_cast<std::streamsize>(bytes));
    if (static_cast<std::size_t>(file->gcount()) != bytes)
      return Error(ErrorCode::kIo, path + " has become shorter");
    return piece;
  };
  return std::pair<ReadPiece, std::uint64_t>(std::move(read), size);
}

}  // namespace wirehall::client
