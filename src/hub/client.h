// One Socket.IO client: the namespaces it joined over one engine session, and the rules of their packets.
//
//   I1  Until it joined a namespace a client has connect_timeout; then the session is closed.
//   I2  A packet that the protocol does not allow in this state ends the session: an event or answer before
//       CONNECT, a second CONNECT, CONNECT_ERROR from a client, anything malformed.
//   I3  Every socket is closed exactly once, with the reference's reason.
//
// Spec: Socket.IO protocol v5; socket.io `Client` for the order of calls.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/timer_wheel.h"
#include "hub/socket.h"
#include "hub/socket_link.h"
#include "socketio/packet.h"
#include "socketio/packet_encoder.h"
#include "wirehall/config.h"

namespace wirehall::hub {

class Hub;

/// What a client needs of its engine session; implemented by the pipeline.
///
/// Thread:   shard-affine. As SocketLink: nothing is closed before a call returns.
class EnginePort {
 public:
  /// Lifetime: longer than the client's.
  virtual Hub& engine_hub() const = 0;
  virtual bool engine_open() const = 0;
  /// The revision of Engine.IO: 4, or 3 with a client of Socket.IO 2.
  virtual std::uint8_t engine_protocol() const = 0;
  /// Whether the client has said that it goes: it does not come back for what it missed.
  virtual bool engine_peer_left() const = 0;
  virtual std::string_view engine_sid() const = 0;
  /// A query's fields as a JSON object; of fields with one name the last.
  virtual std::string engine_query_json(std::string_view query) const = 0;
  virtual std::string_view engine_transport() const = 0;
  /// Sends a packet whose text begins with the `4` of an Engine.IO message.
  virtual SendResult engine_send(const socketio::EncodedPacket& packet, const EmitFlags& flags) = 0;
  /// Sends what others get too, and counts it among the messages out.
  virtual SendResult engine_send_shared(EncodedMessage& message, const EmitFlags& flags) = 0;
  /// An orderly close; the port reports it to engine_closed() only if it did not ask for it here.
  /// Returns: whether the session has ended already; else what is queued leaves first.
  virtual bool engine_close() = 0;
  virtual void engine_pause_reading(bool paused) = 0;
  /// The opening request with all its headers, and from the first namespace on with the configured ones.
  virtual const KeptHandshake& engine_handshake() const = 0;
  /// The names of the headers that are kept.
  virtual const std::vector<std::string>& engine_kept_headers() const = 0;
  /// A namespace was joined: headers beyond the configured ones may go. The first one's auth is kept with the session's
  /// handshake, so that both are one.
  /// Returns:  whether it was the first.
  virtual bool engine_joined(const Value& auth) = 0;
  /// SocketLink::prefetch_ahead(): the port stands around its client.
  virtual void engine_prefetch_ahead() const = 0;

 protected:
  ~EnginePort() = default;
};

/// The sockets of one client: one, as a rule, and then no memory beyond two words.
class ClientSockets {
 public:
  std::span<const SocketPtr> all() const {
    if (many_) return *many_;
    return {&one_, one_ ? std::size_t{1} : 0};
  }
  std::size_t size() const { return all().size(); }
  void add(SocketPtr socket);
  void remove(const Socket& socket);
  /// Leaves none here.
  std::vector<SocketPtr> take();

 private:
  SocketPtr one_;                                 // none when there are many
  std::unique_ptr<std::vector<SocketPtr>> many_;  // in the order in which they came
};

/// With the decoder's limits as its base, so that a client finds all of it through its decoder.
struct ClientOptions : socketio::DecoderLimits {
  Parser parser = Parser::kJson;
  Duration connect_timeout = std::chrono::milliseconds(45'000);
  std::uint32_t namespaces_max = 16;
};

/// Thread:   shard-affine.
/// Lifetime: port and options outlive it.
class Client final : public SocketLink {
 public:
  Client(EnginePort& engine, const ClientOptions& options);
  ~Client();

  // -- from the engine session --------------------------------------------------------------------
  /// Requires: text is valid UTF-8.
  void receive_text(std::string_view text);
  void receive_binary(std::string_view bytes);
  /// Connects to the main namespace without being asked: revision 3.
  void connect_main();
  /// Answers every CONNECT with this refusal, and then ends the session.
  void refuse_all(const Error& error) { opening().refusal.emplace(error); }
  /// The session has ended.
  void engine_closed(std::string_view reason);

  // -- SocketLink ---------------------------------------------------------------------------------
  Protocol protocol() const override { return Protocol::kSocketIo; }
  std::string_view transport() const override { return engine_.engine_transport(); }
  std::string_view engine_id() const override { return engine_.engine_sid(); }
  std::uint8_t engine_revision() const override { return engine_.engine_protocol(); }
  bool peer_left() const override { return engine_.engine_peer_left(); }
  void connected(Socket& socket) override;
  void refused(Socket& socket, const Verdict& verdict) override;
  SendResult emit(Socket& socket, std::string_view event, std::span<const Value> args,
                  std::optional<std::uint64_t> ack, const EmitFlags& flags) override;
  SendResult deliver(Socket& socket, EncodedMessage& message, const EmitFlags& flags) override;
  void prefetch_ahead() const override { engine_.engine_prefetch_ahead(); }
  void answer(Socket& socket, const AckId& ack, std::span<const Value> args) override;
  void report_failure(Socket& socket, const Error& error) override;
  void disconnect(Socket& socket, bool close) override;
  void end_connection(ErrorCode error, std::string_view reason) override;
  void pause_reading(bool paused) override { engine_.engine_pause_reading(paused); }

 private:
  /// What a client has until it joined its first namespace, and afterwards only while it needs it.
  struct Opening final : Timer {
    explicit Opening(Client& owner) : client(owner) {}
    void on_timer(MonoTime now) override { client.on_deadline(now); }
    Client& client;
    MonoTime connect_deadline = kNever;
    std::optional<Verdict> refusal;
    std::shared_ptr<bool> alive;  // set while parents of namespaces are asked
    std::uint32_t asking = 0;     // CONNECTs for which they are
  };
  Opening& opening();
  void on_deadline(MonoTime now);
  void packet(socketio::Packet& packet);
  void connect(socketio::Packet& packet);
  bool is_v3() const { return engine_.engine_protocol() == 3; }
  void split_query(socketio::Packet& packet) const;
  static void read_recovery(Socket& socket);
  void connect_to(NamespaceShard& nsp, std::string auth);
  Task<> ask_parents(std::shared_ptr<const bool> alive, std::string name, std::string auth);
  void send_limit_reached(std::string_view nsp, std::string_view what);
  void send_refusal(std::string_view nsp, std::string_view message, const Value* data,
                    bool known_namespace = true);
  void packet_of(Socket& socket, socketio::Packet& packet);
  void decoder_failed();
  /// Ends the session for a packet out of place, as the reference's Client.close().
  void close();
  void close_sockets(std::string_view reason);
  Socket* find(std::string_view nsp) const;
  void forget(const Socket& socket);
  void schedule();
  socketio::EncodedPacket& scratch();
  Hub& hub() const { return engine_.engine_hub(); }
  const ClientOptions& options() const { return static_cast<const ClientOptions&>(decoder_.limits()); }
  socketio::PacketEncoder encoder() const { return socketio::PacketEncoder(options().parser); }

  EnginePort& engine_;
  ClientSockets sockets_;  // connecting and connected
  std::unique_ptr<Opening> opening_;
  [[no_unique_address]] socketio::PacketDecoder decoder_;  // what comes next stands in its last bytes
  bool closed_ = false;
  std::uint32_t refused_connects_ = 0;
};

}  // namespace wirehall::hub
