// The hall, wired: its services on every shard, the store with the writer in front of it, files, push.
#pragma once

#include <memory>
#include <vector>

#include "hub/hub.h"
#include "io/system.h"
#include "server/composition.h"
#include "services/hall/hall_shard.h"
#include "store/file_lock.h"
#include "store/files/file_store.h"
#include "store/hall_writer.h"
#include "wirehall/hall.h"

namespace wirehall::server {

/// Thread:   made before the server runs; shard() on every shard.
class HallWiring {
 public:
  explicit HallWiring(Composition& composition);
  ~HallWiring();

  services::HallShard& shard(hub::Hub& hub) { return services::HallShard::of(hub, shared_); }
  services::HallShared& shared() { return shared_; }
  Composition& composition() { return composition_; }
  /// nullptr when it could not be opened; the server does not start then.
  HallStore* store() { return store_.get(); }
  store::FileStore* files() { return file_store_.get(); }
  /// Uses another store. Requires: before the server runs.
  void replace_store(std::unique_ptr<HallStore> store);

 private:
  class Files;
  void configure();
  void add_room_types();
  Status open_directory();
  Status open_store();
  Status open_files();
  Status open_push();
  void sweep_files();
  void start_writer();
  store::WriterOptions writer_options() const;
  void committed(const store::HallWriter::Batch& done, Result<std::vector<WriteOutcome>> outcomes);
  void log_events(const std::vector<services::CommittedWrite>& writes);

  Composition& composition_;
  io::SystemClock clock_;
  services::HallShared shared_;
  std::unique_ptr<store::FileLock> lock_;
  std::unique_ptr<HallStore> store_;
  std::unique_ptr<store::FileStore> file_store_;
  std::unique_ptr<Files> files_;
  std::unique_ptr<PushSender> push_;
  std::unique_ptr<store::HallWriter> writer_;
};

}  // namespace wirehall::server
