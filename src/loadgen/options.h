// What a run is told to do.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wirehall::loadgen {

enum class Mode : std::uint8_t { kEcho, kFanout, kIdle, kChat, kJitter, kRestart, kSlow, kConnect };
/// What a server speaks: Socket.IO, Wirehall's native protocol, or WebSocket with messages of any kind.
enum class Speech : std::uint8_t { kSocketIo, kNative, kWebSocket };
/// Socket.IO alone has the choice. kUpgrade begins with polling and goes on with WebSocket.
enum class Transport : std::uint8_t { kWebSocket, kPolling, kUpgrade };

std::string_view name_of(Mode mode);
/// Whether connections say anything besides their greetings.
bool carries_messages(Mode mode);
std::string_view name_of(Speech speech);
std::string_view name_of(Transport transport);

/// Thread:   a plain value.
struct Options {
  std::string url;
  Mode mode = Mode::kEcho;
  std::optional<Speech> speech;  ///< by the URL and the server's first words where it is not set
  Transport transport = Transport::kWebSocket;
  std::string engine_path = "/socket.io/";

  std::size_t connections = 100;
  std::size_t threads = 1;
  double rate = 0;            ///< messages (connect: handshakes) per second of all together; 0: a closed loop
  bool random_gaps = false;   ///< of an open loop
  std::size_t in_flight = 1;  ///< closed loop: messages of each sender that are under way at once
  std::size_t size_bytes = 128;
  std::size_t publishers = 1;
  std::size_t rooms = 1;
  std::size_t slow = 0;  ///< slow: connections that do not read

  double warm_up_s = 1;
  double duration_s = 10;
  double timeout_s = 5;           ///< for a connection, and for an answer
  double connect_rate = 0;        ///< connections per second; 0: as fast as they are accepted
  std::size_t opening_max = 100;  ///< connections that are being opened at once
  double away_every_s = 15;       ///< jitter: how long a connection lasts, on average
  double away_for_s = 2;          ///< jitter: how long it is away
  std::vector<std::string> source_addresses;

  std::string event;      ///< empty: the usual one of the mode
  std::string data;       ///< arguments or message, with `{data}` in it; empty: the usual ones
  std::string join;       ///< event (or message) with which every connection begins; empty: the usual one
  std::string join_data;  ///< its arguments; empty: the usual ones

  std::string user_prefix;           ///< of the clients' names; empty: one of this run alone
  std::vector<std::string> headers;  ///< "Name: value"
  std::string ca_file;
  bool insecure = false;

  pid_t server_pid = 0;  ///< 0: unknown, nothing is measured of the server
  bool busy = false;     ///< never sleeps, so that the server never has to wake this process
};

}  // namespace wirehall::loadgen
