// What stands behind wirehall::Client: the session, its channels, the thread, and the program's handlers.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <condition_variable>
#include <deque>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "client/channel.h"
#include "client/session.h"
#include "client/upload.h"

namespace wirehall::detail {

/// What an inbox has collected.
///
/// Thread:   any.
class InboxState {
 public:
  InboxState(std::size_t events_max, std::thread::id filler) : events_max_(events_max), filler_(filler) {}
  void put(Value value);
  Result<Value> take(Milliseconds timeout, std::string_view part);
  std::size_t size() const;
  std::uint64_t dropped() const;

 private:
  const std::size_t events_max_;
  const std::thread::id filler_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Value> events_;
  std::uint64_t dropped_ = 0;
};

/// Random bytes of OpenSSL's generator.
class OpensslRandom final : public RandomSource {
 public:
  void fill(std::span<char> out) override;
};

/// Thread:   the public functions: any; the rest runs on the client's.
/// Lifetime: kept by the Client, and by its thread until that has ended.
class ClientImpl final : public std::enable_shared_from_this<ClientImpl>, private client::ChannelOwner {
 public:
  using EventHandler = std::function<void(const ClientEvent&)>;

  ClientImpl(std::string url, ClientOptions options);

  /// Starts the thread.
  void start();
  /// Ends it; see ~Client.
  void stop();

  void connect(std::function<void(Status)> done);
  void close();
  Status request(client::Request request);
  void answer(std::uint64_t connection, std::uint64_t id, std::vector<Value> args);
  /// Gives the error to the handler.
  void fail(AnswerHandler done, Error error);
  void upload(client::ReadPiece read, std::uint64_t size, FileOptions options, AnswerHandler done);

  HandlerId add_handler(std::string event, EventHandler handler, bool once, bool value_only);
  void remove_handler(HandlerId id);
  void remove_handlers(std::string event);
  ClientInbox inbox(std::string event, std::size_t events_max);
  void on_connect(std::function<void(const ClientConnected&)> handler);
  void on_disconnect(std::function<void(const ClientDisconnected&)> handler);
  void on_rejoin(std::function<void(const std::string&, const Result<Value>&)> handler);

  const ClientOptions& options() const { return options_; }
  ClientState state() const;
  std::string user_id() const;
  std::string session_id() const;
  /// Ends the process when this is the client's thread: what waits there would wait for itself.
  void assert_may_wait() const;

 private:
  struct Handler {
    HandlerId id;
    std::string event;  // empty: every one
    EventHandler call;
    bool once;
    bool value_only;  // it cannot answer by itself
    bool removed = false;
  };
  using Handlers = std::vector<std::shared_ptr<Handler>>;

  template <class Action>
  void run(Action action) {
    if (std::this_thread::get_id() == thread_id_) return action();
    boost::asio::post(io_, [self = shared_from_this(), action = std::move(action)]() mutable {
      action();
      self->flush();
    });
  }
  void flush();
  void perform(client::Wire::Command& command);
  void dispatch(client::SessionEvent& event);
  void dispatch_event(client::SessionEvent& event);
  struct Called {
    bool any = false;
    bool may_answer = false;
  };
  void call(const Handlers& handlers, const ClientEvent& event, Called& called);
  void remember_state();
  void arm_timer();
  void drop(const std::string& event, const std::function<bool(const Handler&)>& chosen);

  void channel_opened(std::uint32_t channel) override;
  void channel_received(std::uint32_t channel, char* begin, char* end) override;
  void channel_written(std::uint32_t channel, std::size_t bytes) override;
  void channel_ended(std::uint32_t channel, const Error& error) override;

  const ClientOptions options_;
  OpensslRandom random_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer timer_;
  MonoTime timer_at_ = kNever;
  std::shared_ptr<boost::asio::ssl::context> tls_;
  client::Session session_;
  std::map<std::uint32_t, std::shared_ptr<client::Channel>> channels_;
  std::shared_ptr<client::Admission> admission_ = std::make_shared<client::Admission>();
  bool flushing_ = false;
  bool silent_ = false;  // the client was destroyed inside a handler: none is called any more

  std::unordered_map<std::string, Handlers> handlers_;
  std::vector<std::function<void(const ClientConnected&)>> on_connect_;
  std::vector<std::function<void(const ClientDisconnected&)>> on_disconnect_;
  std::vector<std::function<void(const std::string&, const Result<Value>&)>> on_rejoin_;
  std::atomic<HandlerId> last_handler_ = 0;

  mutable std::mutex mutex_;  // for what follows
  std::condition_variable ended_;
  ClientState state_ = ClientState::kClosed;
  std::string user_id_;
  std::string session_id_;
  bool finished_ = false;

  std::thread thread_;
  std::thread::id thread_id_;
};

}  // namespace wirehall::detail
