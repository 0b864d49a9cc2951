// The Engine.IO endpoint of one shard: which session a request belongs to, new sessions, and requests that
// arrived on another shard than their session's.
//
//   I1  A session lives on the shard that its id names; requests for it are forwarded there, in order, and
//       answered through their Responder. Only a WebSocket upgrade moves its connection.
//   I2  Every request is answered exactly once.
//
// Spec: Engine.IO protocol v4; engine.io `Server` for codes and order.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash_map.h"
#include "engineio/handshake.h"
#include "pipeline/handshake_of.h"
#include "pipeline/world.h"

namespace wirehall::pipeline {

class EngineClient;
class HttpStage;
class ShardCore;

/// Thread:   shard-affine.
class EngineServer {
 public:
  explicit EngineServer(ShardCore& core);
  ~EngineServer();

  /// The head of a POST has come: its session is told, so that a second one at the same time is noticed.
  void post_begins(HttpStage& stage, const HeadPtr& head);
  /// A complete request over HTTP.
  void request(HttpStage& stage, const HeadPtr& head, std::string body);
  /// A request to upgrade to WebSocket.
  void upgrade(HttpStage& stage, const HeadPtr& head);

  EngineClient* find(std::string_view sid) const;
  std::size_t session_count() const { return sessions_.size(); }
  std::size_t polling_count() const;

  // -- from the sessions ----------------------------------------------------------------------------
  /// Something is queued: the session is pumped at the end of the turn.
  void touched(EngineClient& client);
  /// The session has ended: it is destroyed at the end of the turn.
  void ended(EngineClient& client);
  /// An upgrade of a session that lives here, on a connection that has arrived here.
  void begin_probe(HttpStage& stage, const HeadPtr& head, const engineio::RequestParameters& parameters,
                   EngineClient& client);

  void end_turn();
  void sweep();
  /// Ends every session in order.
  void shut_down();
  /// Ends the given number of sessions in order. Returns: how many there were.
  std::vector<EngineClient*> all() const;

  /// A request for a session of that shard, which HttpStage::watch_abort() was asked to watch, has ended without reaching
  /// it: its peer has gone (`lost`), or it was refused before it was complete.
  void request_aborted(unsigned shard, const http1::RequestHead& head, const Responder& from, bool lost);

 private:
  struct Arrival {
    Responder from;
    HeadPtr head;
    RequestOrigin origin;
    std::optional<Error> refusal;  ///< the session is let in only to be told
  };
  void post_arrives(const Responder& from, const engineio::RequestParameters& parameters);
  void arrived(const Arrival& arrival, const engineio::RequestParameters& parameters, std::string body);
  void handshake(const Arrival& arrival, const engineio::RequestParameters& parameters);
  void open_websocket(HttpStage& stage, const HeadPtr& head, const engineio::RequestParameters& parameters);
  /// Tells who listens of a request that is refused.
  void report(const http1::RequestHead& request, engineio::RequestRefusal refusal, std::string_view message);
  void refuse(const Responder& to, const http1::RequestHead& request, engineio::RequestRefusal refusal,
              std::string_view message = {});
  std::string make_sid(const engineio::RequestParameters& parameters);
  std::unique_ptr<EngineClient> make_client(const Arrival& arrival,
                                            const engineio::RequestParameters& parameters, std::string sid);
  EngineClient& add(std::unique_ptr<EngineClient> client);
  Arrival arrival_of(HttpStage& stage, const HeadPtr& head) const;
  bool admit(Arrival& arrival);
  void release(const Arrival& arrival);

  ShardCore& core_;
  struct SidOf {
    std::string_view operator()(const EngineClient& client) const;
  };
  NamedPointers<EngineClient, SidOf> sessions_;  // owned, until they are in the graveyard
  std::vector<EngineClient*> touched_;
  std::vector<std::unique_ptr<EngineClient>> graveyard_;
};

/// What the body of a polling response is: a payload, or the `ok` for one that has come.
enum class PollingBody : std::uint8_t { kTextPayload, kBinaryPayload, kOk };
struct PollingResponse {
  PollingBody body = PollingBody::kTextPayload;
  bool initial = false;  ///< it opens the session
  bool compress = true;  ///< something in it may be compressed
};
/// A polling response: with the fields that every one of them has, those of the hooks, and compressed where it
/// is long.
http1::Response polling_response(const World& world, const http1::RequestHead* request, std::string body,
                                 PollingResponse kind);

}  // namespace wirehall::pipeline
