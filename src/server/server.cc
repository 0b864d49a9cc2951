#include "wirehall/server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <thread>

#include "hub/hub.h"
#include "server/composition.h"
#include "server/log_sink.h"
#include "server/pages.h"

namespace wirehall {

namespace {
constexpr int kConfigStatus = 78;  // sysexits.h EX_CONFIG
}

struct server::HeldSignals {
  boost::asio::io_context context;
  boost::asio::signal_set signals{context, SIGTERM, SIGINT};
};

Server::Server(Config config) : composition_(std::make_unique<server::Composition>(std::move(config))) {}
Server::~Server() = default;

Namespace& Server::of(std::string_view name) {
  hub::Registry& registry = composition_->registry();
  // While the server runs, a handler may name a child of a parent namespace that is on its shard.
  if (registry.running) {
    if (hub::Hub* hub = hub::Hub::current()) {
      if (hub::NamespaceShard* nsp = hub->find(name)) return nsp->spec().api;
    }
  }
  return registry.of(name).api;
}

Namespace& Server::of(const std::regex& names) {
  return of([names](std::string name, Value) -> Task<bool> {
    const bool matches = std::regex_search(name, names);
    co_return matches;
  });
}

Namespace& Server::of(NamespaceMatcher matcher) {
  return composition_->registry().add_parent(std::move(matcher)).api;
}

Server& Server::allow_request(std::function<std::string(const Handshake&)> decide) {
  composition_->world().allow_request = std::move(decide);
  return *this;
}
Server& Server::on_connection_error(std::function<void(const ConnectionFailure&)> handler) {
  composition_->world().connection_error_handlers.push_back(std::move(handler));
  return *this;
}
Server& Server::on_initial_headers(std::function<void(HeaderList&, const Handshake&)> hook) {
  composition_->world().initial_header_hooks.push_back(std::move(hook));
  return *this;
}
Server& Server::on_headers(std::function<void(HeaderList&, const Handshake&)> hook) {
  composition_->world().header_hooks.push_back(std::move(hook));
  return *this;
}

Server& Server::on_new_namespace(std::function<void(Namespace&)> handler) {
  composition_->registry().new_namespace_handlers.push_back(std::move(handler));
  return *this;
}

Server& Server::serve_file(std::string_view path, std::string_view content_type, std::string bytes) {
  composition_->serve_file(path, content_type, std::move(bytes));
  return *this;
}

Server& Server::serve_directory(std::string_view folder, std::string_view policy) {
  server::serve_directory(*composition_, std::string(folder));
  composition_->world().routes.content_security_policy = policy;
  return *this;
}

Server& Server::serve_dev_tokens() {
  server::serve_dev_tokens(*composition_);
  return *this;
}

Status Server::start() { return composition_->start(); }
std::uint16_t Server::port() const {
  return composition_->node() == nullptr ? 0 : composition_->node()->port();
}
void Server::stop() { composition_->stop(); }
const Config& Server::config() const { return composition_->config(); }

int Server::run() {
  server::log_to_stderr(config().log_level);
  hold_signals();
  if (const Status status = start(); !status.ok()) {
    std::fprintf(stderr, "wirehall: %s\n", status.error().text().c_str());
    return status.error().code() == ErrorCode::kConfig ? kConfigStatus : 1;
  }
  server::announce(*this);
  stop_on_signal();
  return 0;
}

void Server::hold_signals() {
  if (!signals_) signals_ = std::make_unique<server::HeldSignals>();
}

void Server::stop_on_signal() {
  hold_signals();
  auto& [context, signals] = *signals_;
  signals.async_wait([](boost::system::error_code, int) {});
  context.run_one();
  context.restart();
  std::thread draining([&held = *signals_, this] {
    composition_->stop();
    boost::asio::post(held.context, [&held] { held.signals.cancel(); });
  });
  // A second signal does not wait for anybody.
  signals.async_wait([](boost::system::error_code error, int) {
    if (!error) std::_Exit(0);
  });
  context.run();
  draining.join();
}

}  // namespace wirehall
