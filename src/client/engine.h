// A client's Engine.IO 4 session: over one WebSocket, or by polling with an upgrade to one.
//
//   I1  Packets arrive in the server's order and leave in ours, each once, also across the upgrade.
//   I2  An upgrade that fails leaves polling as it was.
//
//   transport     input                         → transport
//   websocket     the open packet                 open
//   polling       the open packet                 open; a WebSocket is opened to probe, where both sides want
//   one probing       `3probe`                        pausing: no more POST or GET is begun pausing both have
//   ended                 websocket: `5`, then what waited
//
// Spec: Engine.IO protocol v4; engine.io-client 6.6 for what it leaves open.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/http_channel.h"
#include "client/link.h"
#include "client/web_socket.h"
#include "engineio/packet.h"

namespace wirehall::client {

struct EngineEvent {
  enum class Kind : std::uint8_t { kOpen, kText, kBinary, kLost };
  Kind kind = Kind::kOpen;
  std::string data;
  Lost lost;
};

/// Thread:   the client's.
/// Lifetime: the context must outlive it.
class Engine {
 public:
  explicit Engine(const LinkContext& context);
  Engine(const Engine&) = delete;

  void start(MonoTime now);
  void opened(ChannelId channel, MonoTime now);
  void received(ChannelId channel, char* begin, char* end, MonoTime now);
  void ended(ChannelId channel, const Error& error, MonoTime now);
  void on_deadline(MonoTime now);
  MonoTime next_deadline() const;

  /// A message; it waits while there is no transport that takes it.
  void send_text(std::string_view text, MonoTime now);
  void send_binary(std::string_view bytes, MonoTime now);
  /// Bytes that wait to be written.
  std::size_t unwritten() const;

  /// Ends the session: what waits is written before, where the transport allows.
  void close(MonoTime now);
  void abandon();

  std::vector<EngineEvent> take_events() { return std::exchange(events_, {}); }

 private:
  enum class Upgrade : std::uint8_t { kNone, kProbing, kPausing };
  struct Waiting {
    bool binary;
    std::string data;
  };
  std::string target(std::string_view transport) const;
  void tell(EngineEvent::Kind kind, std::string_view data);
  void lose(Lost lost);
  void open_packet(std::string_view data, MonoTime now);
  void packet(const engineio::PacketView& packet, MonoTime now);
  void heard(MonoTime now);
  void send_packet(bool binary, std::string_view data);
  void send_on_socket(bool binary, std::string_view data);

  void socket_event(WebSocket::Event event, MonoTime now);
  void socket_message(MonoTime now);
  void probe_message();
  void probe_failed();
  void finish_upgrade();

  void poll();
  void post();
  void polled(MonoTime now);
  void posted();
  void http_failed(HttpChannel& channel);
  std::string take_payload();

  LinkContext context_;
  bool use_websocket_ = false;  // the transport that messages travel by
  std::optional<WebSocket> socket_;
  HttpChannel get_;
  HttpChannel post_;
  Upgrade upgrade_ = Upgrade::kNone;
  bool open_ = false;
  bool lost_ = false;
  engineio::ReceivedOpen session_;
  std::deque<Waiting> waiting_;  // messages, while polling
  std::size_t waiting_bytes_ = 0;
  MonoTime heartbeat_ = kNever;
  MonoTime now_{};
  std::vector<EngineEvent> events_;
};

}  // namespace wirehall::client
