// The composition root: turns a configuration and what was registered into a world, and runs it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hub/spec.h"
#include "io/node.h"
#include "pipeline/world.h"
#include "server/admission.h"
#include "wirehall/auth.h"
#include "wirehall/config.h"

namespace wirehall::server {

/// Thread:   made, started and stopped by one thread.
class Composition {
 public:
  explicit Composition(Config config);
  ~Composition();

  const Config& config() const { return config_; }
  hub::Registry& registry() { return registry_; }
  pipeline::World& world() { return world_; }
  /// nullptr before start() and after stop().
  io::Node* node() { return node_.get(); }

  /// The configuration's authenticator; errors of its keys appear in start().
  Authenticator& authenticator();

  Status start();
  void stop();
  /// Ends without waiting for clients.
  void stop_now();

  /// Called when everything that could refuse the start has been asked, right before the shards begin.
  void before_start(std::function<void()> action) { before_start_.push_back(std::move(action)); }
  /// start() will fail with this, if nothing failed before.
  void refuse_start(Error error) {
    if (refusal_.ok()) refusal_ = Status(std::move(error));
  }
  /// Called when the shards have ended, before they are destroyed.
  void before_destruction(std::function<void()> action) { before_destruction_.push_back(std::move(action)); }

  void serve_file(std::string_view path, std::string_view content_type, std::string bytes);

 private:
  void prepare_recovery(unsigned shards);
  void fill_world();
  Status serve_stock_client();

  Config config_;
  hub::Registry registry_;
  pipeline::World world_;
  std::unique_ptr<AddressAdmission> admission_;
  std::unique_ptr<Authenticator> authenticator_;
  std::unique_ptr<io::Node> node_;
  std::vector<std::function<void()>> before_start_;
  std::vector<std::function<void()>> before_destruction_;
  Status refusal_;
};

}  // namespace wirehall::server
