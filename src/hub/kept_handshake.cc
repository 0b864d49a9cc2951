#include "hub/kept_handshake.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <vector>

namespace wirehall::hub {
namespace {

// The text behind a block: url, address, then for each header four bytes of lengths and its name and value, and
// the auth as JSON.
using Length = std::uint16_t;
constexpr std::size_t kLengthMax = std::numeric_limits<Length>::max();

using Header = std::pair<std::string, std::string>;

char* put(char* out, std::string_view text) {
  if (!text.empty()) std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

char* put_length(char* out, std::size_t length) {
  const auto value = static_cast<Length>(length);
  std::memcpy(out, &value, sizeof value);
  return out + sizeof value;
}

std::string_view take(const char*& in, std::size_t length) {
  const std::string_view text(in, length);
  in += length;
  return text;
}

std::size_t take_length(const char*& in) {
  Length value = 0;
  std::memcpy(&value, in, sizeof value);
  in += sizeof value;
  return value;
}

void lower(char* begin, char* end) {
  for (; begin != end; ++begin) {
    if (*begin >= 'A' && *begin <= 'Z') *begin = static_cast<char>(*begin + 32);
  }
}

bool is_none(const Value& value) { return value.unparsed_json() == nullptr && value.is_null(); }

bool has_bytes(const Value& value) {
  if (value.unparsed_json() != nullptr) return false;
  if (value.is_bytes()) return true;
  if (value.is_array()) return std::any_of(value.as_array().begin(), value.as_array().end(), has_bytes);
  if (!value.is_object()) return false;
  return std::any_of(value.as_object().begin(), value.as_object().end(),
                     [](const auto& member) { return has_bytes(member.value); });
}

}  // namespace

KeptHandshake::Block* KeptHandshake::make_block(std::size_t text_bytes) {
  return new (::operator new(sizeof(Block) + text_bytes)) Block;
}

void KeptHandshake::destroy(Block* block) {
  block->~Block();
  ::operator delete(block);
}

KeptHandshake::KeptHandshake(Handshake handshake) : block_(make_block(0)) {
  block_->open = std::make_unique<const Handshake>(std::move(handshake));
}

std::string_view KeptHandshake::address() const {
  if (block_->open) return block_->open->address;
  return {block_->text() + block_->url_bytes, block_->address_bytes};
}

bool KeptHandshake::has_auth() const {
  return block_->open ? !is_none(block_->open->auth) : block_->auth_bytes != 0;
}

KeptHandshake KeptHandshake::with_auth(const Value& auth) const {
  if (is_none(auth) && !has_auth()) return *this;
  Handshake other = get();
  other.auth = auth;
  return KeptHandshake(std::move(other));
}

KeptHandshake KeptHandshake::packed(std::span<const std::string> names, const Value& auth) const {
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  const auto keep = [&](std::string_view name, std::string_view value) {
    if (std::find(names.begin(), names.end(), name) != names.end()) headers.emplace_back(name, value);
  };
  const Handshake* const open = block_->open.get();
  if (open != nullptr) {
    for (const Header& header : open->headers) keep(header.first, header.second);
    return of({open->url, open->address, headers, open->issued, open->secure, open->xdomain}, auth);
  }
  const char* in = block_->text() + block_->url_bytes + block_->address_bytes;
  for (std::uint16_t i = 0; i < block_->header_count; ++i) {
    const std::size_t name_bytes = take_length(in), value_bytes = take_length(in);
    const std::string_view name = take(in, name_bytes);
    keep(name, take(in, value_bytes));
  }
  const std::string_view url(block_->text(), block_->url_bytes);
  return of({url, address(), headers, block_->issued, block_->secure, block_->xdomain}, auth);
}

KeptHandshake KeptHandshake::of(const Request& from, const Value& auth) {
  std::size_t size = from.url.size() + from.address.size();
  bool fits = from.url.size() <= kLengthMax && from.address.size() <= kLengthMax && !has_bytes(auth);
  for (const auto& [name, value] : from.headers) {
    size += 2 * sizeof(Length) + name.size() + value.size();
    fits = fits && name.size() <= kLengthMax && value.size() <= kLengthMax;
  }
  std::string json;
  if (const std::string* unparsed = auth.unparsed_json()) {
    json = *unparsed;
  } else if (fits && !auth.is_null()) {
    json = auth.to_json();
  }
  if (!fits || from.headers.size() > kLengthMax || json.size() > std::numeric_limits<std::uint32_t>::max()) {
    // What a block cannot say stays as it is: bytes within the auth, or texts that no request line holds.
    Handshake open;
    open.url = from.url;
    for (const auto& [name, value] : from.headers) {
      std::string& added = open.headers.emplace_back(name, value).first;
      lower(added.data(), added.data() + added.size());
    }
    open.address = from.address;
    open.issued = from.issued;
    open.secure = from.secure;
    open.xdomain = from.xdomain;
    open.auth = auth;
    return KeptHandshake(std::move(open));
  }
  KeptHandshake kept;
  Block* block = kept.block_ = make_block(size + json.size());
  block->secure = from.secure;
  block->xdomain = from.xdomain;
  block->issued = from.issued;
  block->url_bytes = static_cast<Length>(from.url.size());
  block->address_bytes = static_cast<Length>(from.address.size());
  block->header_count = static_cast<Length>(from.headers.size());
  block->auth_bytes = static_cast<std::uint32_t>(json.size());
  char* out = put(put(block->text(), from.url), from.address);
  for (const auto& [name, value] : from.headers) {
    char* const begin = put_length(put_length(out, name.size()), value.size());
    out = put(begin, name);
    lower(begin, out);
    out = put(out, value);
  }
  put(out, json);
  return kept;
}

void KeptHandshake::unpack() const {
  auto open = std::make_unique<Handshake>();
  open->issued = block_->issued;
  open->secure = block_->secure;
  open->xdomain = block_->xdomain;
  const char* in = block_->text();
  open->url = take(in, block_->url_bytes);
  open->address = take(in, block_->address_bytes);
  for (std::uint16_t i = 0; i < block_->header_count; ++i) {
    const std::size_t name_bytes = take_length(in), value_bytes = take_length(in);
    const std::string_view name = take(in, name_bytes);
    open->headers.emplace_back(name, take(in, value_bytes));
  }
  if (block_->auth_bytes != 0) open->auth = Value::from_validated_json(std::string(take(in, block_->auth_bytes)));
  block_->open = std::move(open);
}

}  // namespace wirehall::hub
