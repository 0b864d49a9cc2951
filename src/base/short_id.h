// A text that nearly always is an id of 20 letters (base/random.h), kept where it stands: 21 bytes, where a
// std::string takes 32 and a block of 48.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace wirehall {

/// Thread:   a plain value.
class ShortId {
 public:
  /// Letters that fit inside; a longer text gets a block of its own.
  static constexpr std::size_t kInsideBytes = 20;

  ShortId() = default;
  explicit ShortId(std::string_view text) {
    if (text.size() > kInsideBytes) {
      auto* outside = new std::string(text);
      std::memcpy(bytes_, &outside, sizeof outside);
      size_ = kOutside;
      return;
    }
    if (!text.empty()) std::memcpy(bytes_, text.data(), text.size());
    size_ = static_cast<std::uint8_t>(text.size());
  }
  ShortId(const ShortId& other) : ShortId(other.view()) {}
  ShortId(ShortId&& other) noexcept { take(other); }
  ShortId& operator=(const ShortId& other) { return *this = ShortId(other); }
  ShortId& operator=(ShortId&& other) noexcept {
    if (this == &other) return *this;
    drop();
    take(other);
    return *this;
  }
  ~ShortId() { drop(); }

  /// Lifetime: until this is assigned, moved or destroyed.
  std::string_view view() const {
    if (size_ != kOutside) return {bytes_, size_};
    return *outside();
  }

 private:
  static constexpr std::uint8_t kOutside = 0xFF;
  std::string* outside() const {
    std::string* text = nullptr;
    std::memcpy(&text, bytes_, sizeof text);
    return text;
  }
  void take(ShortId& other) {
    std::memcpy(bytes_, other.bytes_, sizeof bytes_);
    size_ = other.size_;
    other.size_ = 0;
  }
  void drop() {
    if (size_ == kOutside) delete outside();
    size_ = 0;
  }

  char bytes_[kInsideBytes];  // or a pointer to the text outside
  std::uint8_t size_ = 0;
};

}  // namespace wirehall
