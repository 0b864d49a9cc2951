#include "support/behaviour.h"

#include <iostream>
#include <stdexcept>

using namespace wirehall;

namespace app {

void Behaviour::start(const Settings& settings) {
  if (server_ != nullptr) throw std::logic_error("the server runs already: start() comes before the clients");
  server_ = std::make_unique<TestServer>(settings);
}

TestServer& Behaviour::server() {
  if (server_ == nullptr) start({});
  return *server_;
}

Client& Behaviour::add_client(const std::string& url, Object auth) {
  ClientOptions options;
  options.protocol = GetParam();
  options.auth = std::move(auth);
  options.timeout = Milliseconds(5000);
  options.reconnection_delay = Milliseconds(50);
  return *clients_.emplace_back(std::make_unique<Client>(url, std::move(options)));
}

Client& Behaviour::client_as(Object auth, const std::string& path) {
  return add_client(server().url() + path, std::move(auth));
}

Client& Behaviour::client_of(const std::string& user, const std::string& path) {
  return client_as(identity_of(server(), user), path);
}

Client& Behaviour::connect(const std::string& user) {
  Client& client = client_of(user);
  succeed(client.connect());
  return client;
}

Client& Behaviour::connect_by_cable(const std::string& user) {
  Client& client = add_client(cable().url(), identity_of(server(), user));
  succeed(client.connect());
  return client;
}

Cable& Behaviour::cable() {
  if (cable_ == nullptr) cable_ = std::make_unique<Cable>(server().url());
  return *cable_;
}

void Behaviour::TearDown() {
  clients_.clear();
  cable_.reset();
  if (server_ != nullptr && HasFailure()) std::cerr << "The server wrote:\n" << server_->log() << "\n";
}

std::string protocol_name(const testing::TestParamInfo<Protocol>& info) {
  return info.param == Protocol::kNative ? "Native" : "SocketIo";
}

}  // namespace app
