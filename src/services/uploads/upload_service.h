// Files on their way in: begun, filled piece by piece over any connection of their user, published whole.
//
//   I1  The bytes that are there say where an upload stands, also after a restart; a piece that does not begin
//       there changes nothing.
//   I2  A file appears in one commit with the message that names it, and not before all its bytes are durable
//       and match what was declared.
#pragma once

#include <string>

#include "services/hall/hall_shared.h"
#include "services/hall/hall_socket.h"
#include "wirehall/task.h"

namespace wirehall::services {

class HallShard;

/// Thread:   shard-affine.
class UploadService {
 public:
  explicit UploadService(HallShard& hall) : hall_(hall) {}

  Task<Result<Object>> start(hub::SocketPtr socket, Object fields);
  /// A wrong offset is kConflict, with the right one as its field `offset`.
  Task<Result<Object>> chunk(hub::SocketPtr socket, Object fields);
  Task<Result<Object>> abort(hub::SocketPtr socket, Object fields);

 private:
  Task<Result<UploadRecord>> find(std::string id, std::string user_id);
  Task<Result<Object>> resume(hub::SocketPtr socket, std::string id);
  Task<Result<Object>> publish(hub::SocketPtr socket, std::shared_ptr<UploadRecord> record);
  Task<Status> may_publish(hub::SocketPtr socket, std::string room, std::string file_name);
  Task<> drop(std::string id);
  Task<> remove_orphan(std::string id);
  Task<> remove_bytes(std::string id);
  Status check(const StoredFile& file) const;

  HallShard& hall_;
};

}  // namespace wirehall::services
