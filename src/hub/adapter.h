// Delivery, as a stack: the rooms of this shard ⊂ all shards of this process ⊂ (later) all nodes. Each
// level passes the same contract suite (tests/contract/adapter_test.cc).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hub/environment.h"
#include "wirehall/broadcast.h"
#include "wirehall/remote_socket.h"
#include "wirehall/result.h"

namespace wirehall::hub {

class EncodedMessage;
class NamespaceShard;
class Socket;
class SocketPtr;

/// Who is meant: everybody, or the union of some rooms, without those in others. A socket's own id counts
/// as a room that holds it.
struct Selector {
  std::vector<std::string> rooms;
  std::vector<std::string> except;
};

/// Thread:   shard-affine; reaches other shards and nodes by itself.
class Adapter {
 public:
  virtual ~Adapter() = default;

  /// Sends to every matching socket, each at most once. Calls made on one shard arrive in call order;
  /// who is in a room is judged on each shard when the message reaches it.
  /// Errors:   kUnavailable, with nothing sent to anyone.
  virtual Status broadcast(const std::shared_ptr<EncodedMessage>& message, const Selector& to,
                           const EmitFlags& flags) = 0;
  using AnswersDone = std::function<void(BroadcastAnswers)>;
  /// The same for a message with an ack number. `done` is called once, here, when all receivers have
  /// answered, timed out (flags.timeout) or gone.
  /// Errors:   kUnavailable, with nothing sent to anyone; `done` is not called then.
  virtual Status broadcast_with_ack(const std::shared_ptr<EncodedMessage>& message, const Selector& to,
                                    const EmitFlags& flags, AnswersDone done) = 0;
  using SocketsDone = std::function<void(std::vector<SocketInfo>)>;
  /// Looks the matching sockets up; `done` is called once, here.
  virtual void fetch(const Selector& whom, SocketsDone done) = 0;
  /// Makes matching sockets join a room (`join`) or leave it.
  virtual void move(const Selector& whom, const std::string& room, bool join) = 0;
  virtual void disconnect(const Selector& whom, bool close) = 0;
};

/// Delivers on this shard.
class ShardAdapter final : public Adapter {
 public:
  explicit ShardAdapter(NamespaceShard& nsp) : nsp_(nsp) {}
  Status broadcast(const std::shared_ptr<EncodedMessage>& message, const Selector& to,
                   const EmitFlags& flags) override;
  Status broadcast_with_ack(const std::shared_ptr<EncodedMessage>& message, const Selector& to,
                            const EmitFlags& flags, AnswersDone done) override;
  void fetch(const Selector& whom, SocketsDone done) override;
  void move(const Selector& whom, const std::string& room, bool join) override;
  void disconnect(const Selector& whom, bool close) override;

  /// Calls `visit` for each matching socket, once.
  template <class F>
  void for_each(const Selector& selector, F&& visit);

  /// The next broadcast gets the number behind this one; for tests of what comes behind the last.
  void set_last_number(std::uint32_t number) { stamp_ = number; }

 private:
  std::uint32_t next_stamp();
  void mark_excepted(const Selector& selector, std::uint32_t stamp);
  std::vector<Socket*> matching(const Selector& selector);
  static void tell(const std::vector<SocketPtr>& sockets, EncodedMessage& message);
  NamespaceShard& nsp_;
  std::uint32_t stamp_ = 0;  // of the broadcast that went through the rooms last
};

/// Delivers on this shard and posts to the others; with connection state recovery through its log, in whose
/// order every shard delivers. When a mailbox is full, broadcasts wait here in order;
/// beyond limits.paused_broadcasts_max they are refused.
class NodeAdapter final : public Adapter {
 public:
  NodeAdapter(NamespaceShard& nsp, ShardAdapter& local) : nsp_(nsp), local_(local) {}
  Status broadcast(const std::shared_ptr<EncodedMessage>& message, const Selector& to,
                   const EmitFlags& flags) override;
  Status broadcast_with_ack(const std::shared_ptr<EncodedMessage>& message, const Selector& to,
                            const EmitFlags& flags, AnswersDone done) override;
  void fetch(const Selector& whom, SocketsDone done) override;
  void move(const Selector& whom, const std::string& room, bool join) override;
  void disconnect(const Selector& whom, bool close) override;

  /// Tries to send what waits; called every turn while something does.
  void resume();
  bool paused() const { return !waiting_.empty(); }

 private:
  struct Waiting {
    std::shared_ptr<EncodedMessage> message;
    Selector to;
    EmitFlags flags;
  };
  Status log_and_deliver(const std::shared_ptr<EncodedMessage>& message, const Selector& to,
                         const EmitFlags& flags);
  bool broadcast_to_children(const std::shared_ptr<EncodedMessage>& message, const Selector& to,
                             const EmitFlags& flags);
  bool try_send(const std::shared_ptr<EncodedMessage>& message, const Selector& to, const EmitFlags& flags);
  NamespaceShard& nsp_;
  ShardAdapter& local_;
  std::vector<Waiting> waiting_;
};

}  // namespace wirehall::hub
