// A handshake as a connection keeps it: its texts in one block of their exact size, shared by the parts of the
// connection, and a Handshake only once somebody looks.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "wirehall/handshake.h"

namespace wirehall::hub {

/// Thread:   shard-affine: the count is not atomic, and the first look makes the Handshake.
class KeptHandshake {
 public:
  KeptHandshake() = default;
  /// A request as it came; the names of its headers are kept in lower case.
  struct Request {
    std::string_view url;
    std::string_view address;
    std::span<const std::pair<std::string_view, std::string_view>> headers;
    WallMs issued = 0;
    bool secure = false;
    bool xdomain = false;
  };
  static KeptHandshake of(const Request& request, const Value& auth = Value());
  /// As it is, until it is packed.
  explicit KeptHandshake(Handshake handshake);
  KeptHandshake(const KeptHandshake& other) : block_(other.block_) {
    if (block_ != nullptr) ++block_->references;
  }
  KeptHandshake(KeptHandshake&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  KeptHandshake& operator=(KeptHandshake other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~KeptHandshake() {
    if (block_ != nullptr && --block_->references == 0) destroy(block_);
  }
  explicit operator bool() const { return block_ != nullptr; }

  /// Lifetime: as long as any copy of this.
  const Handshake& get() const {
    if (!block_->is_open) unpack();
    return block_->open()->handshake;
  }
  /// The client's, without unpacking. Lifetime: until somebody looks at the Handshake.
  std::string_view address() const;
  /// Whether there is an auth; without unpacking.
  bool has_auth() const;

  /// Where a text stands in a packed one, for a part of the connection that would else keep it a second time.
  struct Place {
    std::uint32_t at = 0;
    std::uint32_t bytes = 0;
  };
  /// Returns: where it is; from now on what() gives it, however often the Handshake is looked at. nullopt: it is not
  ///          there, or this is not packed.
  std::optional<Place> find(std::string_view text) const;
  /// Lifetime: until somebody looks at the Handshake.
  std::string_view what(Place place) const;

  /// A packed one, with those of the headers whose (lower-case) names are given, and with that auth.
  KeptHandshake packed(std::span<const std::string> headers, const Value& auth) const;
  /// The same request with another auth. Returns: this one when neither has any.
  KeptHandshake with_auth(const Value& auth) const;

 private:
  struct Open {
    Handshake handshake;
    std::string texts;  // where they are kept
  };
  /// What stands behind it: the texts, or once it is open a pointer.
  struct Block {
    std::uint32_t references = 1;
    std::uint32_t url_bytes : 15 = 0;
    std::uint32_t address_bytes : 6 = 0;
    std::uint32_t header_count : 6 = 0;
    std::uint32_t keeps_texts : 1 = 0;  // also once it is open
    std::uint32_t is_open : 1 = 0;
    std::uint32_t secure : 1 = 0;
    std::uint32_t xdomain : 1 = 0;
    std::uint32_t has_auth : 1 = 0;
    WallMs issued = 0;
    char* text() { return reinterpret_cast<char*>(this + 1); }
    const Open*& open() { return *std::launder(reinterpret_cast<const Open**>(text())); }
  };
  static void destroy(Block* block);
  static Block* make_block(std::size_t text_bytes);
  static void open(Block* block, Open what);
  std::size_t text_bytes() const;
  void unpack() const;

  Block* block_ = nullptr;
};

}  // namespace wirehall::hub
