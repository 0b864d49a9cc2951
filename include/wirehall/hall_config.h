// What can be set of the hall. The keys stand in src/server/config_schema.cc with the others.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "wirehall/room_type.h"

namespace wirehall {

/// Settings of a hall.
///
/// Thread:   a plain value; the server keeps a copy.
struct HallConfig {
  bool store_lasts = true;               ///< `store`: "sqlite", under `data`; false: "memory"
  std::uint64_t database_bytes_max = 0;  ///< 0: as much as the disk has

  Retention history;              ///< of rooms whose type says nothing else
  bool create_on_join = true;     ///< whether a room that nobody created can be joined
  std::chrono::hours rejoin{24};  ///< for so long a user's rooms are remembered
  std::vector<std::pair<std::string, RoomTypeOptions>> room_types;

  std::chrono::milliseconds presence_grace{5'000};
  std::chrono::milliseconds presence_tick{1'000};
  std::uint32_t presence_tick_members = 200;

  std::uint32_t private_pending_max = 1'000;
  std::uint64_t private_pending_bytes_max = 1024 * 1024;
  std::chrono::hours private_lifetime{7 * 24};

  std::uint64_t upload_file_bytes_max = 10 * 1024 * 1024;
  std::uint64_t upload_user_bytes_max = 100 * 1024 * 1024;
  std::uint64_t upload_total_bytes_max = 10ULL * 1024 * 1024 * 1024;
  std::vector<std::string> upload_types;  ///< patterns of media types; empty: any
  std::chrono::hours upload_lifetime{24};

  std::chrono::milliseconds ring_timeout{30'000};
  std::vector<std::string> stun_urls;
  std::vector<std::string> turn_urls;
  std::string turn_secret;
  std::chrono::milliseconds turn_lifetime{3'600'000};

  std::string vapid_public_key;  ///< Web Push is on when both are set
  std::string vapid_private_key;
  std::string vapid_subject;
  std::string push_webhook_url;  ///< instead of Web Push
  std::string push_webhook_secret;
  bool push_private_endpoints = false;  ///< for tests on one machine
};

}  // namespace wirehall
