// Every bound of the server, with its unit in its name, its default, and what happens when it is
// reached. What can be configured is in docs/reference/configuration.md.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace wirehall {

/// Bounds of one server. A limit can be raised, never switched off.
///
/// Thread:   an immutable snapshot while the server runs.
struct Limits {
  // -- HTTP/1.1 ---------------------------------------------------------------------------------
  std::uint32_t http_target_bytes_max = 8 * 1024;   ///< 414, close
  std::uint32_t http_head_bytes_max = 16 * 1024;    ///< 431, close
  std::uint32_t http_headers_max = 100;             ///< 431, close
  std::uint32_t http_body_bytes_max = 1024 * 1024;  ///< 413 (REST; polling has maxHttpBufferSize)
  std::size_t http_bodies_in_flight_bytes_max = 64 * 1024 * 1024;  ///< 503, close: unfinished bodies of all
  std::uint32_t http_chunk_overhead_bytes_max =
      100 * 1024;                                       ///< 400, close: chunk lines and extensions of a body
  std::uint32_t http_chunk_extension_bytes_max = 1024;  ///< 400, close: extensions of a body
  std::uint32_t http_body_piece_bytes_max =
      64 * 1024;  ///< the rest is read when the piece has left: of a response's body that lies in a file
  std::chrono::milliseconds http_body_read_timeout{
      10'000};  ///< 503, or closed in the middle of a body: its next piece could not be read for so long
  std::chrono::milliseconds http_head_timeout{10'000};  ///< connection closed (408 when a request had begun)
  std::chrono::milliseconds http_request_timeout{30'000};     ///< 408, close
  std::chrono::milliseconds http_keep_alive_timeout{15'000};  ///< connection closed

  // -- WebSocket --------------------------------------------------------------------------------
  std::uint32_t ws_fragments_max = 16'384;  ///< close 1008: fragments of one message, empty ones too
  std::uint32_t ws_control_frames_per_second_max = 50;  ///< close 1008 when sustained
  std::chrono::milliseconds ws_close_timeout{5'000};    ///< TCP closed: peer does not answer a close frame

  // -- one connection ---------------------------------------------------------------------------
  std::size_t backpressure_bytes_max = 1024 * 1024;  ///< slowConsumer: disconnect (default) or drop
  std::size_t read_turn_bytes_max = 256 * 1024;      ///< the rest waits for the next loop turn
  std::uint32_t read_turn_messages_max = 64;         ///< the rest waits for the next loop turn
  std::chrono::milliseconds write_stall_timeout{
      10'000};  ///< slow-consumer: nothing could be written for so long

  // -- Engine.IO --------------------------------------------------------------------------------
  std::uint32_t engine_packets_per_payload_max = 131'072;  ///< session closed: parse error

  // -- Socket.IO --------------------------------------------------------------------------------
  std::uint32_t namespaces_per_client_max = 16;             ///< CONNECT_ERROR limit-reached
  std::uint32_t dynamic_namespaces_per_shard_max = 10'000;  ///< CONNECT_ERROR limit-reached: made for clients
  std::uint32_t refused_connects_per_client_max = 1'024;    ///< session closed: CONNECTs that were refused
  std::uint32_t namespace_bytes_max = 255;                  ///< session closed: parse error
  std::uint32_t event_name_bytes_max = 128;                 ///< session closed (native: invalid-format)
  std::uint32_t attachments_max = 10;                       ///< session closed: parse error
  std::chrono::milliseconds attachments_timeout{30'000};    ///< session closed: attachments did not arrive
  std::uint32_t json_depth_max = 32;                        ///< session closed (native: 1007)
  std::uint32_t pending_acks_max = 256;                     ///< the oldest fails first
  std::chrono::milliseconds pending_ack_timeout{30'000};    ///< the wait ends with timeout
  std::uint32_t suspended_handlers_max = 32;  ///< reading pauses: coroutine handlers of one socket; 60,000 at most

  // -- connection state recovery ------------------------------------------------------------------
  std::uint32_t recovery_messages_max = 1'000;            ///< recovered false: missed by one client
  std::size_t recovery_bytes_max = 512 * 1024;            ///< recovered false: missed by one client
  std::size_t recovery_log_bytes_max = 64 * 1024 * 1024;  ///< older entries go: kept in one namespace
  std::uint32_t recovery_log_entries_max = 65'536;        ///< older entries go: kept in one namespace
  std::uint32_t recovery_sessions_max = 100'000;          ///< the oldest go: clients that may come back

  // -- rooms ------------------------------------------------------------------------------------
  std::uint32_t rooms_per_client_max = 128;         ///< limit-reached
  std::uint32_t room_name_bytes_max = 255;          ///< invalid-format
  std::uint32_t room_changes_per_minute_max = 600;  ///< rate-limited: joins and leaves of one user
  std::uint32_t typing_per_minute_max = 300;        ///< rate-limited: typing and stop-typing of one user
  std::uint32_t queries_per_minute_max = 600;       ///< rate-limited: history, presence, receipts of one user
  std::uint32_t signals_per_minute_max = 1'200;     ///< rate-limited: calls and their candidates of one user
  std::uint32_t upload_chunks_per_minute_max = 6'000;  ///< rate-limited: of one user

  // -- connections ------------------------------------------------------------------------------
  std::uint32_t connections_max = 65'536;               ///< new ones are closed (or nofile - 512, if less)
  std::uint32_t connections_per_address_max = 2'000;    ///< 429 too-many-connections
  std::uint32_t connections_per_user_max = 100;         ///< too-many-connections
  std::uint32_t unauthenticated_per_address_max = 256;  ///< 429 too-many-connections

  // -- between shards ---------------------------------------------------------------------------
  std::uint32_t mailbox_tasks_max = 65'536;          ///< broadcasts pause, then unavailable
  std::size_t mailbox_bytes_max = 64 * 1024 * 1024;  ///< broadcasts pause, then unavailable
  std::uint32_t paused_broadcasts_max = 1'024;       ///< unavailable
  std::uint32_t blocking_queue_max = 4'096;          ///< unavailable: work waiting for the blocking pool
  std::chrono::milliseconds drain_window{5'000};     ///< SIGTERM: closes are spread over it
};

}  // namespace wirehall
