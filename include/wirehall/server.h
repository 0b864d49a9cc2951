// Server: the door of the library.
//
//   #include <wirehall/server.h>
//
//   int main(int argc, char** argv) {
//     wirehall::Server io{wirehall::Config::load(argc, argv)};
//     io.on_event("hello", [](wirehall::Socket& socket, std::string name, wirehall::Ack ack) {
//       socket.broadcast().emit("joined", name);
//       ack.success();
//     });
//     return io.run();
//   }
#pragma once

#include <functional>
#include <memory>
#include <regex>
#include <string>
#include <string_view>

#include "wirehall/auth.h"
#include "wirehall/config.h"
#include "wirehall/log.h"
#include "wirehall/namespace.h"
#include "wirehall/remote_socket.h"

namespace wirehall {

namespace server {
class Composition;
struct HeldSignals;
}  // namespace server

/// One process' server: Socket.IO and native clients on one port.
///
/// Thread:   register first, then run; what runs is used through its namespaces. Handlers run on the shard
///           of their socket: with more than one thread the same handler runs for several sockets at once.
/// Lifetime: outlives everything that was registered; the destructor stops the server.
class Server : public Emits<Server, SendResult> {
 public:
  explicit Server(Config config = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // -- registration: proxies of the namespace "/" ---------------------------------------------------
  /// The namespace of that name, made when it is new.
  Namespace& of(std::string_view name);
  template <class F>
  Server& use(F middleware) {
    main().use(std::move(middleware));
    return *this;
  }
  Server& use(JwtAuth auth) {
    main().use(auth);
    return *this;
  }
  template <class F>
  Server& on_event(std::string_view event, F handler) {
    main().on_event(event, std::move(handler));
    return *this;
  }
  Server& on_connection(std::function<void(Socket&)> handler) {
    main().on_connection(std::move(handler));
    return *this;
  }
  Server& on_disconnect(std::function<void(Socket&, std::string_view reason)> handler) {
    main().on_disconnect(std::move(handler));
    return *this;
  }
  /// A namespace for every name that matches: made when the first client connects to it, with the middlewares
  /// and handlers that are registered here. Parents are asked in the order of registration.
  Namespace& of(const std::regex& names);
  using NamespaceMatcher = std::function<Task<bool>(std::string name, Value auth)>;
  Namespace& of(NamespaceMatcher matcher);
  /// Called once for each namespace that is made while the server runs.
  Server& on_new_namespace(std::function<void(Namespace&)> handler);
  // -- the Engine.IO endpoint -----------------------------------------------------------------------
  /// Decides on each request that opens a session; the text that it returns refuses it, an empty one lets it
  /// in.
  Server& allow_request(std::function<std::string(const Handshake&)> decide);
  /// Called with each request that is refused.
  Server& on_connection_error(std::function<void(const ConnectionFailure&)> handler);
  /// Adds fields to the answer that opens a session.
  Server& on_initial_headers(std::function<void(HeaderList&, const Handshake&)> hook);
  /// Adds fields to every answer of the endpoint, and to the answers to its WebSocket upgrades.
  Server& on_headers(std::function<void(HeaderList&, const Handshake&)> hook);

  /// Serves files from memory; `path` begins with a slash.
  Server& serve_file(std::string_view path, std::string_view content_type, std::string bytes);
  /// Serves the files of a folder at `/`, `index.html` at `/` itself, and what lies in folders below it under
  /// their paths. Hidden files and node_modules are left out. They are read once; under `--dev` with every
  /// request, so that a page can be worked on. A folder that cannot be read, or holds more than 1,000 files
  /// or 64 MiB, refuses the start. `policy`: the pages' Content-Security-Policy.
  Server& serve_directory(std::string_view folder, std::string_view policy = kPagePolicy);
  /// Pages load and connect to nothing but this server.
  static constexpr std::string_view kPagePolicy =
      "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; media-src 'self' blob:; "
      "style-src 'self'; script-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";
  /// Under `--dev`, `GET /dev/token?user=NAME` gives whoever is on this machine, and asks under a name of it
  /// (localhost, 127.0.0.1, [::1]), a token for any user, so that a page needs no backend: `{token, userId}`.
  /// Without `--dev`, or without a secret, there is no such route.
  Server& serve_dev_tokens();

  // -- sending: proxies of the namespace "/" ----------------------------------------------------------
  SendResult emit_args(std::string_view event, std::span<const Value> args) {
    return main().emit_args(event, args);
  }
  BroadcastOperator to(std::string_view room) { return main().to(room); }
  BroadcastOperator in(std::string_view room) { return main().in(room); }
  BroadcastOperator except(std::string_view room) { return main().except(room); }
  BroadcastOperator volatile_() { return main().volatile_(); }
  BroadcastOperator compress(bool on) { return main().compress(on); }
  BroadcastOperator local() { return main().local(); }
  BroadcastOperator timeout(Duration time) { return main().timeout(time); }
  Task<Result<BroadcastAnswers>> emit_with_ack(std::string event, Args args) {
    return main().emit_with_ack(std::move(event), std::move(args));
  }
  Task<std::vector<RemoteSocket>> fetch_sockets() { return main().fetch_sockets(); }
  void sockets_join(std::string_view room) { main().sockets_join(room); }
  void sockets_leave(std::string_view room) { main().sockets_leave(room); }
  void disconnect_sockets(bool close = false) { main().disconnect_sockets(close); }
  Status server_side_emit(std::string_view event, Args args) {
    return main().server_side_emit(event, std::move(args));
  }

  // -- life -------------------------------------------------------------------------------------------
  /// Starts, says where it listens, waits for SIGTERM or SIGINT, ends in order. A second signal ends at once.
  /// Returns:  the process' exit status: 0, or when it could not start (the reason is printed) 1, or 78 when
  ///           the configuration is why.
  int run();
  /// Starts and returns.
  /// Errors:   kConfig: the address is in use, a file cannot be read.
  Status start();
  /// SIGTERM and SIGINT wait for stop_on_signal() from here on: called before start(), or a signal that comes
  /// between the two ends the process as it is.
  void hold_signals();
  /// What run() does once it has started: waits for a signal, ends in order. Requires: started.
  void stop_on_signal();
  /// The port it listens on.
  std::uint16_t port() const;
  /// Ends in order, spread over the drain window, and waits for it. Thread: not a handler's.
  void stop();

  const Config& config() const;
  server::Composition& composition() { return *composition_; }

 private:
  Namespace& main() { return of("/"); }
  std::unique_ptr<server::Composition> composition_;
  std::unique_ptr<server::HeldSignals> signals_;
};

}  // namespace wirehall
