// A run as all its threads see it: the options, with everything looked up and prepared.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "client/url.h"
#include "loadgen/message.h"
#include "loadgen/options.h"
#include "wirehall/result.h"

struct ssl_ctx_st;

namespace wirehall::loadgen {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t bytes = 0;
  bool is_loopback() const;
  bool is_ipv4() const { return storage.ss_family == AF_INET; }
};

/// What one source address may have, within the usual range of ephemeral ports.
constexpr std::size_t kConnectionsPerSource = 20'000;

/// Thread:   any; it does not change while the threads run.
struct Plan {
  Options options;
  Speech speech = Speech::kSocketIo;
  bool hall = false;  ///< the server is Wirehall's application: its events are known
  client::Endpoint endpoint;
  SocketAddress address;
  std::vector<SocketAddress> sources;  ///< empty: the kernel chooses
  std::shared_ptr<ssl_ctx_st> tls;     ///< empty: none
  std::uint32_t run = 0;               ///< a random number that marks this run's messages
  std::string user_prefix;             ///< clients are called this and their number
  std::vector<std::string> tokens;     ///< one for all, or one for each connection; empty: none

  std::vector<MessageTemplate> sends;  ///< by room
  std::string join;                    ///< with `{room}` and `{user}`; empty: none
  bool wants_acks = false;             ///< sent messages carry an id, which the server acknowledges

  std::string room(std::size_t room) const;
  std::string user(std::size_t connection) const;
  std::size_t room_of(std::size_t connection) const { return connection % options.rooms; }
  std::string_view token(std::size_t connection) const;
  std::string join_text(std::size_t connection) const;
  /// Of a request: the target with what the URL and Engine.IO add to the path.
  std::string target(std::string_view transport, std::string_view session) const;
  /// The lines of a request that every one has: Host, the token, the user's own.
  std::string header_lines(std::size_t connection) const;
  /// Socket.IO: what stands between the packet's kind and the rest.
  std::string nsp() const { return endpoint.nsp == "/" ? std::string() : endpoint.nsp + ","; }
  /// Descriptors that the run wants.
  std::size_t descriptors() const;
};

/// Takes the URL apart, looks the host up, prepares TLS and source addresses.
///
/// Errors:   kConfig, with what to do.
Result<Plan> make_plan(const Options& options);

/// Prepares the messages, once it is known what the server is.
///
/// Errors:   kConfig: options that do not go with it.
Status prepare_messages(Plan& plan);

/// Raises the limit of descriptors as far as this process may.
///
/// Errors:   kConfig, with the command that mends it.
Status raise_descriptors(std::size_t wanted);

}  // namespace wirehall::loadgen
