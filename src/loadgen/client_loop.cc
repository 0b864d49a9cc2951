#include "loadgen/client_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "loadgen/measure.h"

namespace wirehall::loadgen {
namespace {

constexpr std::size_t kReceiveBytes = 256 * 1024;
constexpr int kEventsMax = 1024;
constexpr std::uint64_t kSweepNs = 250'000'000;
constexpr std::size_t kShownBytes = 160;
// A look for events takes a microsecond. Where it took longer something else had the core: that is no CPU
// time of this thread.
constexpr std::uint64_t kSpinNsMax = 50'000;

// What a connection waited for.
std::string overdue(const Connection& connection) {
  const Channel& channel = connection.polling && connection.poll ? *connection.poll : connection.web_socket;
  if (channel.connecting) return "no connection within the timeout";
  if (connection.state == Connection::State::kSession || channel.parser == nullptr)
    return "the server took the connection and then said nothing within the timeout";
  return "no answer to the HTTP request within the timeout";
}

}  // namespace

std::string printable(std::string_view bytes) {
  std::string out(bytes.substr(0, kShownBytes));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '.');
  return out;
}

bool is_error_answer(std::string_view message) {
  // Native: `{"type":"ack","id":1,"error":…` or `{"type":"error",…`; Socket.IO: `431[{"error":…`.
  const std::string_view head = message.substr(0, 64);
  return head.find("\"error\":") != std::string_view::npos || head.starts_with("{\"type\":\"error\"");
}

ClientLoop::ClientLoop(const Plan& plan, Control& control, std::size_t number, std::size_t total)
    : plan_(plan),
      control_(control),
      number_(number),
      total_((total + plan.options.threads - 1 - number) / plan.options.threads),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      buffer_(new char[kReceiveBytes]),
      pace_(1, 0, false, 0) {
  epoll_event event{};
  event.events = EPOLLIN;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
  connections_.reserve(total_);
}

ClientLoop::~ClientLoop() {
  for (const auto& connection : connections_) close_all(*connection, false);
  ::close(wake_);
  ::close(epoll_);
}

void ClientLoop::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
}

// -- the run --------------------------------------------------------------------------------------

void ClientLoop::run() {
  bool loading = false;
  for (;;) {
    phase_ = control_.phase.load(std::memory_order_acquire);
    if (phase_ == Phase::kDone) break;
    if (phase_ != Phase::kOpen && !loading) {
      loading = true;
      on_load(now_ns());
    }
    open_more(now_ns());
    turn();
  }
  on_end(now_ns());
  publish_live();
}

void ClientLoop::open_more(std::uint64_t now) {
  const std::size_t threads = options().threads;
  const std::size_t wanted_by_all = control_.open_target.load(std::memory_order_relaxed);
  const std::size_t wanted = std::min(total_, (wanted_by_all + threads - 1 - number_) / threads);
  if (options().connect_rate > 0 && wanted != paced_for_) {
    // The pace begins anew: what was not wanted meanwhile is not made up for.
    pace_ = Schedule(options().connect_rate / static_cast<double>(threads), now, false, 0);
    paced_for_ = wanted;
  }
  const std::size_t opening_max = std::max<std::size_t>(1, options().opening_max / threads);
  while (opened_ < wanted && opening_ < opening_max) {
    if (options().connect_rate > 0) {
      if (pace_.next_due() > now) break;
      pace_.take();
    }
    auto connection = std::make_unique<Connection>();
    connection->index = static_cast<std::uint32_t>(opened_);
    connection->id = static_cast<std::uint32_t>(opened_ * threads + number_);
    ++opened_;
    connections_.push_back(std::move(connection));
    open_connection(*connections_.back(), now);
  }
  if (opened_ == wanted && opening_ == 0) live_.settled_for.store(wanted_by_all, std::memory_order_release);
}

int ClientLoop::wait_for_events(std::span<epoll_event> events, std::uint64_t left_ns) {
  constexpr std::uint64_t kMs = 1'000'000, kSecond = 1'000'000'000;
  const auto count = static_cast<int>(events.size());
  if (waits_in_ns_) {
    const timespec wait{static_cast<time_t>(left_ns / kSecond), static_cast<long>(left_ns % kSecond)};
    const int got = epoll_pwait2(epoll_, events.data(), count, &wait, nullptr);
    if (got >= 0 || errno != ENOSYS) return got;
    waits_in_ns_ = false;  // Linux before 5.11, or valgrind
  }
  // Rounded down: rather a look too many than a message that leaves late.
  return epoll_wait(epoll_, events.data(), count, static_cast<int>(left_ns / kMs));
}

void ClientLoop::turn() {
  const bool busy = options().busy;
  std::uint64_t now = now_ns();
  std::uint64_t left = 0;
  if (!busy) {
    std::uint64_t due = std::min(next_due(), swept_at_ns_ + kSweepNs);
    if (options().connect_rate > 0 && opened_ < total_) due = std::min(due, pace_.next_due());
    left = due > now ? due - now : 0;
  }
  std::array<epoll_event, kEventsMax> events;
  const int count = wait_for_events(events, left);
  const std::uint64_t before = now;
  now = now_ns();
  if (busy && count <= 0 && in_window_ && now - before < kSpinNsMax) tally_.spun_ns += now - before;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.ptr == nullptr) {
      std::uint64_t times = 0;
      [[maybe_unused]] const ssize_t got = ::read(wake_, &times, sizeof times);
    } else {
      serve(*static_cast<Channel*>(event.data.ptr), event.events);
    }
  }
  now = now_ns();
  window_edges(now);
  on_turn(now);
  if (now >= swept_at_ns_ + kSweepNs) {
    swept_at_ns_ = now;
    sweep(now);
  }
  graveyard_.clear();
  publish_live();
}

void ClientLoop::window_edges(std::uint64_t now) {
  begin_ns_ = control_.begin_ns.load(std::memory_order_relaxed);
  end_ns_ = control_.end_ns.load(std::memory_order_relaxed);
  const bool inside = in_window(now);
  if (inside == in_window_) return;
  in_window_ = inside;
  if (inside) {
    cpu_at_begin_ns_ = thread_cpu_ns();
    began_at_ns_ = now;
    return;
  }
  tally_.cpu_ns = thread_cpu_ns() - cpu_at_begin_ns_;
  const auto elapsed = static_cast<double>(now - began_at_ns_);
  const auto worked = static_cast<double>(tally_.cpu_ns) - static_cast<double>(tally_.spun_ns);
  tally_.busiest = elapsed > 0 ? std::max(0.0, worked / elapsed) : 0;
}

void ClientLoop::sweep(std::uint64_t now) {
  if (opening_ != 0) {
    const auto timeout = static_cast<std::uint64_t>(options().timeout_s * 1e9);
    for (const auto& connection : connections_) {
      const bool opening = connection->state == Connection::State::kConnecting ||
                           connection->state == Connection::State::kSession;
      if (!opening || now - connection->opened_at_ns < timeout) continue;
      drop(*connection, overdue(*connection));
    }
  }
  on_sweep(now);
}

void ClientLoop::publish_live() {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  live_.ready.store(ready_now_, kRelaxed);
  live_.failed.store(tally_.failed, kRelaxed);
  live_.operations.store(tally_.arrived, kRelaxed);
  live_.latency_sum_ns.store(latency_sum_ns_, kRelaxed);
  live_.latencies.store(latencies_, kRelaxed);
  live_.problems.store(
      tally_.errors + tally_.closed + tally_.duplicated + tally_.reordered + tally_.corrupt + tally_.lost,
      kRelaxed);
  live_.finished.store(phase_ == Phase::kLoad && is_finished(), std::memory_order_release);
  live_.drained.store(phase_ == Phase::kDrain && is_drained(), std::memory_order_release);
}

void ClientLoop::count_operation(std::uint64_t due_ns, std::uint64_t now) {
  const std::uint64_t latency = now > due_ns ? now - due_ns : 0;
  ++tally_.arrived;
  if (in_window(now)) ++tally_.operations;
  if (in_window(due_ns)) tally_.latency.add(latency);
  latency_sum_ns_ += latency;
  ++latencies_;
}

void ClientLoop::count_error(std::string_view message) {
  ++tally_.errors;
  if (tally_.first_error.empty()) tally_.first_error = printable(message);
}

// -- the life of a connection ---------------------------------------------------------------------

void ClientLoop::open_connection(Connection& connection, std::uint64_t now) {
  connection.state = Connection::State::kConnecting;
  connection.opened_at_ns = now;
  connection.step = 0;
  connection.posting = connection.pausing = false;
  connection.session.clear();
  connection.outgoing.clear();
  connection.fragments.reset();
  ++opening_;
  connection.polling = options().transport != Transport::kWebSocket;
  Channel& channel = connection.polling ? make_channel(connection.poll, connection, Channel::Kind::kPoll)
                                        : connection.web_socket;
  channel.owner = &connection;
  connect(channel);
}

std::string ClientLoop::connect_text(const Connection& connection) const {
  const std::string_view token = plan_.token(connection.id);
  const std::string where = "40" + plan_.nsp();
  return token.empty() ? where : where + "{\"token\":\"" + std::string(token) + "\"}";
}

// The greetings: with Socket.IO the answer to CONNECT, with the native hall its `connected`; then the join's
// answer.
void ClientLoop::begin_session(Connection& connection, std::uint64_t now) {
  connection.state = Connection::State::kSession;
  connection.step = 0;
  if (plan_.speech == Speech::kSocketIo) {
    say(connection, connect_text(connection));
  } else if (!plan_.hall) {
    next_greeting(connection, now);
  }
}

void ClientLoop::next_greeting(Connection& connection, std::uint64_t now) {
  connection.step = 1;
  const std::string join = join_text(connection);
  if (join.empty()) return become_ready(connection, now);
  say(connection, join);
  // Nobody says how a server of its own kind answers.
  if (plan_.speech == Speech::kWebSocket) become_ready(connection, now);
}

void ClientLoop::greet(Connection& connection, std::string_view message, std::uint64_t now) {
  const bool socketio = plan_.speech == Speech::kSocketIo;
  if (connection.step == 0) {
    if (socketio && message.starts_with("44"))
      return drop(connection, "refused: " + printable(message.substr(2)));
    if (socketio ? !message.starts_with("40") : !message.starts_with("{\"type\":\"connected\""))
      return on_early(connection, message, now);
    on_connected(connection, message);
    // By polling and upgrade the WebSocket comes before anything else is said.
    if (options().transport == Transport::kUpgrade && connection.polling) {
      connection.step = 2;
      connection.web_socket.owner = &connection;
      connect(connection.web_socket);
      return;
    }
    return next_greeting(connection, now);
  }
  if (connection.step != 1) return on_early(connection, message, now);
  const bool is_answer = socketio ? message.starts_with("43" + plan_.nsp() + "1[")
                                  : message.starts_with("{\"type\":\"ack\",\"id\":1,");
  const bool refused = is_error_answer(message);
  if (!is_answer && !(refused && !socketio)) return on_early(connection, message, now);
  if (refused) return drop(connection, "the join was refused: " + printable(message));
  on_joined(connection, message, now);
  become_ready(connection, now);
}

void ClientLoop::become_ready(Connection& connection, std::uint64_t now) {
  connection.state = Connection::State::kReady;
  --opening_;
  ++ready_now_;
  ++tally_.ready;
  tally_.opening.add(now - connection.opened_at_ns);
  on_ready(connection, now);
}

void ClientLoop::drop(Connection& connection, std::string reason) {
  const Connection::State state = connection.state;
  if (state == Connection::State::kClosed || state == Connection::State::kNew) return;
  close_all(connection, false);
  connection.state = Connection::State::kClosed;
  if (tally_.first_failure.empty()) tally_.first_failure = std::move(reason);
  const bool was_ready = state == Connection::State::kReady;
  if (was_ready) {
    --ready_now_;
    ++tally_.closed;
  } else {
    --opening_;
    ++tally_.failed;
  }
  on_closed(connection, was_ready, now_ns());
}

void ClientLoop::hear(Connection& connection) {
  connection.deaf = false;
  if (connection.web_socket.socket >= 0) read(connection.web_socket, true);
}

void ClientLoop::part(Connection& connection) {
  constexpr std::string_view kNormalClosure = "\x03\xe8";  // 1000
  scratch_.clear();
  if (plan_.speech == Speech::kSocketIo) append_masked_frame(scratch_, kTextFrame, "41" + plan_.nsp());
  append_masked_frame(scratch_, kCloseFrame, kNormalClosure);
  send_bytes(connection.web_socket, scratch_);
  cut(connection);
}

void ClientLoop::cut(Connection& connection) {
  if (connection.state == Connection::State::kReady) {
    --ready_now_;
  } else if (connection.state == Connection::State::kConnecting ||
             connection.state == Connection::State::kSession) {
    --opening_;
  }
  close_all(connection, true);
  connection.state = Connection::State::kClosed;
}

// -- sending --------------------------------------------------------------------------------------

void ClientLoop::send(Connection& connection, const MessageTemplate& message, const Mark& mark,
                      std::uint64_t id_number) {
  ++tally_.sent;
  if (connection.polling) {
    if (!connection.outgoing.empty()) connection.outgoing += '\x1e';
    message.append_text(connection.outgoing, mark, id_number);
    return post(connection);
  }
  if (current_ == &connection.web_socket) return message.append_frame(reply_, mark, id_number);
  scratch_.clear();
  message.append_frame(scratch_, mark, id_number);
  send_bytes(connection.web_socket, scratch_);
}

void ClientLoop::say(Connection& connection, std::string_view message) {
  if (connection.polling) {
    if (!connection.outgoing.empty()) connection.outgoing += '\x1e';
    connection.outgoing += message;
    return post(connection);
  }
  std::string frame;
  append_masked_frame(frame, kTextFrame, message);
  if (current_ == &connection.web_socket) {
    reply_ += frame;
  } else {
    send_bytes(connection.web_socket, frame);
  }
}

// -- reading --------------------------------------------------------------------------------------

void ClientLoop::serve(Channel& channel, std::uint32_t events) {
  if (channel.socket < 0) return;
  if (channel.connecting && !finish_connect(channel)) return;
  if ((events & EPOLLOUT) != 0 && !channel.unsent.empty()) write_unsent(channel);
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0) return;
  const bool ends = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  if (channel.owner->deaf && channel.owner->state == Connection::State::kReady) {
    if (ends) drop(*channel.owner, "the server closed it");
    return;
  }
  read(channel, ends);
}

void ClientLoop::read(Channel& channel, bool ends) {
  while (channel.socket >= 0) {
    const std::ptrdiff_t got = receive(channel, buffer_.get(), kReceiveBytes);
    if (got == 0) return;  // nothing more for now, or the connection has ended
    std::string_view bytes(buffer_.get(), static_cast<std::size_t>(got));
    // Not in the channel: it may be closed, and its bytes with it, while they are read.
    std::string held = std::exchange(channel.unread, {});
    if (!held.empty()) bytes = held.append(bytes);
    current_ = &channel;
    const std::size_t used = take(channel, bytes, now_ns());
    current_ = nullptr;
    if (channel.socket >= 0) {
      if (!held.empty()) {
        channel.unread = std::move(held.erase(0, used));
      } else if (used != bytes.size()) {
        channel.unread.assign(bytes.substr(used));
      }
      if (!reply_.empty()) send_bytes(channel, reply_);
    }
    reply_.clear();
    // A short read has emptied the socket; what comes later is reported anew.
    if (static_cast<std::size_t>(got) < kReceiveBytes && !ends && channel.tls == nullptr) return;
  }
}

// Returns how many bytes were whole responses or frames.
std::size_t ClientLoop::take(Channel& channel, std::string_view bytes, std::uint64_t now) {
  std::size_t used = 0;
  if (channel.parser) used = take_http(channel, bytes, now);
  if (channel.socket >= 0 && !channel.parser && used < bytes.size())
    used += take_frames(channel, bytes.substr(used), now);
  return used;
}

std::size_t ClientLoop::take_frames(Channel& channel, std::string_view bytes, std::uint64_t now) {
  std::size_t used = 0;
  while (channel.socket >= 0) {
    Frame frame;
    switch (parse_frame(bytes.substr(used), frame)) {
      case FrameStep::kNeedMore: return used;
      case FrameStep::kMalformed:
        drop(*channel.owner, "not a frame of WebSocket: " + printable(bytes.substr(used)));
        return used;
      case FrameStep::kFrame: break;
    }
    take_frame(channel, frame, now);
    used += frame.bytes;
  }
  return used;
}

void ClientLoop::take_frame(Channel& channel, const Frame& frame, std::uint64_t now) {
  Connection& connection = *channel.owner;
  if (frame.opcode == kPingFrame) return append_masked_frame(reply_, kPongFrame, frame.payload);
  if (frame.opcode == kPongFrame) return;
  if (frame.opcode == kCloseFrame) {
    std::string reason = "closed by the server";
    if (frame.payload.size() >= 2) {
      const auto code = static_cast<unsigned>(static_cast<unsigned char>(frame.payload[0]) << 8 |
                                              static_cast<unsigned char>(frame.payload[1]));
      reason += " with " + std::to_string(code) + " " + printable(frame.payload.substr(2));
    }
    return drop(connection, reason);
  }
  if (frame.final && frame.opcode != kContinuation) return take_text(connection, frame.payload, false, now);
  if (!connection.fragments) connection.fragments = std::make_unique<std::string>();
  if (connection.fragments->size() + frame.payload.size() > kFrameBytesMax)
    return drop(connection, "a message in fragments is too long");
  connection.fragments->append(frame.payload);
  if (!frame.final) return;
  const std::unique_ptr<std::string> whole = std::move(connection.fragments);
  take_text(connection, *whole, false, now);
}

void ClientLoop::take_text(Connection& connection, std::string_view text, bool by_poll, std::uint64_t now) {
  if (plan_.speech == Speech::kSocketIo && (text.empty() || text[0] != '4')) {
    if (text == "2") return say(connection, "3");
    if (text.starts_with("0") && connection.state == Connection::State::kConnecting)
      return engine_open(connection, text, now);
    if (text == "1") return drop(connection, "the server ended the session");
    if (text == "3probe" && !by_poll && connection.polling) connection.pausing = true;
    return;  // a noop, or a binary attachment
  }
  if (connection.state == Connection::State::kReady) return on_message(connection, text, now);
  if (connection.state == Connection::State::kSession) greet(connection, text, now);
}

}  // namespace wirehall::loadgen
