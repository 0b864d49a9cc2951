#include "loadgen/probe.h"

#include "loadgen/client_loop.h"

namespace wirehall::loadgen {
namespace {

constexpr std::uint64_t kListenNs = 400'000'000;

class Probe final : public ClientLoop {
 public:
  Probe(const Plan& plan, Control& control) : ClientLoop(plan, control, 0, 1) {}
  Probed result;

 private:
  void on_ready(Connection&, std::uint64_t now) override {
    ready_at_ns_ = now;
    if (result.hall) finish();
  }

  // While it is upgraded the greeting comes by polling.
  void on_early(Connection& connection, std::string_view message, std::uint64_t now) override {
    on_message(connection, message, now);
  }

  void on_message(Connection& connection, std::string_view message, std::uint64_t) override {
    const bool ready = connection.state == Connection::State::kReady;
    if (message.starts_with("{\"type\":\"connected\",\"sessionId\":")) {
      result.hall = true;
      result.speech = Speech::kNative;
      finish();
    } else if (message.starts_with("42" + plan().nsp() + "[\"connected\",{\"sessionId\":")) {
      result.hall = true;
      if (ready) finish();
    } else if (plan().speech != Speech::kSocketIo && message.starts_with("0{\"sid\":")) {
      result.failure = "it speaks Socket.IO: give the URL as http://" + plan().endpoint.authority;
      finish();
    }
  }

  void on_closed(Connection&, bool, std::uint64_t) override {
    result.failure = tally_.first_failure;
    finish();
  }

  void on_turn(std::uint64_t now) override {
    if (ready_at_ns_ != 0 && now >= ready_at_ns_ + kListenNs) finish();
  }
  std::uint64_t next_due() const override {
    return ready_at_ns_ == 0 ? ~std::uint64_t{0} : ready_at_ns_ + kListenNs;
  }
  void finish() { control().phase.store(Phase::kDone); }

  std::uint64_t ready_at_ns_ = 0;
};

// What a user may have meant instead.
std::string hint(const Plan& plan, std::string_view failure) {
  const bool strange = failure.find("HTTP 4") != std::string_view::npos ||
                       failure.find("HTTP 2") != std::string_view::npos ||
                       failure.find("said nothing") != std::string_view::npos ||
                       failure.find("no Socket.IO") != std::string_view::npos ||
                       failure.find("no HTTP") != std::string_view::npos;
  if (!strange) return {};
  const std::string& authority = plan.endpoint.authority;
  if (plan.speech == Speech::kSocketIo) {
    return "\nIs it a Socket.IO server (4.x or 3.x), under " + plan.endpoint.path +
           "? Another path is given by --path; a plain WebSocket server by ws://" + authority +
           "; a server without the WebSocket transport by --transport polling";
  }
  return "\nIs it a WebSocket server, at " + plan.endpoint.path +
         "? The path is part of the URL; a Socket.IO server is given as http://" + authority;
}

}  // namespace

Probed probe(const Plan& plan) {
  Plan one = plan;
  one.options.connections = one.options.threads = one.options.opening_max = 1;
  one.options.busy = false;
  one.options.connect_rate = 0;
  one.hall = false;
  one.join.clear();
  Control control;
  control.open_target = 1;
  Probe loop(one, control);
  loop.result.speech = plan.speech;
  loop.run();
  Probed result = std::move(loop.result);
  result.wants_token = result.failure.find("HTTP 401") != std::string::npos ||
                       result.failure.find("\"authentication-") != std::string::npos;
  if (!result.failure.empty() && !result.wants_token) result.failure += hint(plan, result.failure);
  return result;
}

}  // namespace wirehall::loadgen
