// A file on its way, piece by piece.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "wirehall/client.h"

namespace wirehall::client {

/// Where the bytes come from: so many from an offset on.
///
/// Errors:   kIo.
using ReadPiece = std::function<Result<std::string>(std::uint64_t offset, std::size_t size)>;

/// Sends a request that may be done twice, and gives the answer to the handler.
using Ask = std::function<void(std::string event, Object fields, AnswerHandler done)>;

/// Thread:   the client's.
/// Lifetime: keeps itself until it is done.
class Upload : public std::enable_shared_from_this<Upload> {
 public:
  Upload(Ask ask, ReadPiece read, std::uint64_t size, FileOptions options, AnswerHandler done);
  void start();

 private:
  void begin();
  void begun(const Value& answer);
  void next_piece();
  void sent(Result<Value> answer);
  void stop();
  void finish(Result<Value> outcome);

  Ask ask_;
  ReadPiece read_;
  std::uint64_t size_;
  FileOptions options_;
  AnswerHandler done_;
  std::string upload_id_;
  std::uint64_t offset_ = 0;
  std::size_t chunk_bytes_ = 0;
};

/// Reads a file's pieces. Errors: kIo.
Result<std::pair<ReadPiece, std::uint64_t>> open_file(const std::string& path);

}  // namespace wirehall::client
