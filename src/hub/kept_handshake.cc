#include "hub/kept_handshake.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <vector>

#include "base/ascii.h"

namespace wirehall::hub {
namespace {

// The text behind a block: url, address, then for each header four bytes of lengths and its name and value; four
// bytes of the auth's length, and the auth as JSON, where there is one.
using Length = std::uint16_t;
constexpr std::size_t kLengthMax = std::numeric_limits<Length>::max();
constexpr std::uint32_t kUrlBytesMax = 32'767;
constexpr std::uint32_t kAddressBytesMax = 63;
constexpr std::uint32_t kHeadersMax = 63;

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

bool is_none(const Value& value) { return value.unparsed_json() == nullptr && value.is_null(); }

std::string_view take_auth(const char*& in) {
  std::uint32_t bytes = 0;
  std::memcpy(&bytes, in, sizeof bytes);
  in += sizeof bytes;
  return take(in, bytes);
}

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
  return new (::operator new(sizeof(Block) + std::max(text_bytes, sizeof(Open*)))) Block;
}

void KeptHandshake::destroy(Block* block) {
  if (block->is_open) delete block->open();
  ::operator delete(block);
}

// In the place of the texts, of which it has copies.
void KeptHandshake::open(Block* block, Open what) {
  const auto* open = new Open(std::move(what));
  block->is_open = true;
  new (block->text()) const Open*(open);
}

KeptHandshake::KeptHandshake(Handshake handshake) : block_(make_block(0)) {
  open(block_, {std::move(handshake), {}});
}

std::string_view KeptHandshake::address() const {
  if (block_->is_open) return block_->open()->handshake.address;
  return {block_->text() + block_->url_bytes, block_->address_bytes};
}

bool KeptHandshake::has_auth() const {
  if (!block_->is_open) return block_->has_auth;
  return !is_none(block_->open()->handshake.auth);
}

std::optional<KeptHandshake::Place> KeptHandshake::find(std::string_view text) const {
  if (block_->is_open || text.empty()) return std::nullopt;
  const std::size_t at = std::string_view(block_->text(), text_bytes()).find(text);
  if (at == std::string_view::npos) return std::nullopt;
  block_->keeps_texts = 1;
  return Place{static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(text.size())};
}

std::string_view KeptHandshake::what(Place place) const {
  return {(block_->is_open ? block_->open()->texts.data() : block_->text()) + place.at, place.bytes};
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
  if (block_->is_open) {
    const Handshake& open = block_->open()->handshake;
    for (const Header& header : open.headers) keep(header.first, header.second);
    return of({open.url, open.address, headers, open.issued, open.secure, open.xdomain}, auth);
  }
  const char* in = block_->text() + block_->url_bytes + block_->address_bytes;
  for (unsigned i = 0; i < block_->header_count; ++i) {
    const std::size_t name_bytes = take_length(in), value_bytes = take_length(in);
    const std::string_view name = take(in, name_bytes);
    keep(name, take(in, value_bytes));
  }
  const std::string_view url(block_->text(), block_->url_bytes);
  return of({url, address(), headers, block_->issued, block_->secure != 0, block_->xdomain != 0}, auth);
}

KeptHandshake KeptHandshake::of(const Request& from, const Value& auth) {
  std::size_t size = from.url.size() + from.address.size();
  bool fits = from.url.size() <= kUrlBytesMax && from.address.size() <= kAddressBytesMax && !has_bytes(auth);
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
  if (!fits || from.headers.size() > kHeadersMax || json.size() > std::numeric_limits<std::uint32_t>::max()) {
    // What a block cannot say stays as it is: bytes within the auth, or texts that no request line holds.
    Handshake open;
    open.url = from.url;
    for (const auto& [name, value] : from.headers) {
      std::string& added = open.headers.emplace_back(name, value).first;
      make_ascii_lower(added);
    }
    open.address = from.address;
    open.issued = from.issued;
    open.secure = from.secure;
    open.xdomain = from.xdomain;
    open.auth = auth;
    return KeptHandshake(std::move(open));
  }
  KeptHandshake kept;
  const auto auth_bytes = static_cast<std::uint32_t>(json.size());
  if (auth_bytes != 0) size += sizeof auth_bytes + auth_bytes;
  Block* block = kept.block_ = make_block(size);
  block->secure = from.secure;
  block->xdomain = from.xdomain;
  block->issued = from.issued;
  block->url_bytes = static_cast<std::uint32_t>(from.url.size()) & kUrlBytesMax;
  block->address_bytes = static_cast<std::uint32_t>(from.address.size()) & kAddressBytesMax;
  block->header_count = static_cast<std::uint32_t>(from.headers.size()) & kHeadersMax;
  block->has_auth = auth_bytes != 0;
  char* out = put(put(block->text(), from.url), from.address);
  for (const auto& [name, value] : from.headers) {
    char* const begin = put_length(put_length(out, name.size()), value.size());
    out = put(begin, name);
    make_ascii_lower({begin, out});
    out = put(out, value);
  }
  if (auth_bytes != 0) {
    std::memcpy(out, &auth_bytes, sizeof auth_bytes);
    put(out + sizeof auth_bytes, json);
  }
  return kept;
}

std::size_t KeptHandshake::text_bytes() const {
  const char* in = block_->text() + block_->url_bytes + block_->address_bytes;
  for (unsigned i = 0; i < block_->header_count; ++i) {
    const std::size_t name_bytes = take_length(in), value_bytes = take_length(in);
    in += name_bytes + value_bytes;
  }
  if (block_->has_auth) take_auth(in);
  return static_cast<std::size_t>(in - block_->text());
}

void KeptHandshake::unpack() const {
  Open opened;
  if (block_->keeps_texts != 0) opened.texts.assign(block_->text(), text_bytes());
  Handshake& handshake = opened.handshake;
  handshake.issued = block_->issued;
  handshake.secure = block_->secure != 0;
  handshake.xdomain = block_->xdomain != 0;
  const char* in = block_->text();
  handshake.url = take(in, block_->url_bytes);
  handshake.address = take(in, block_->address_bytes);
  for (unsigned i = 0; i < block_->header_count; ++i) {
    const std::size_t name_bytes = take_length(in), value_bytes = take_length(in);
    const std::string_view name = take(in, name_bytes);
    handshake.headers.emplace_back(name, take(in, value_bytes));
  }
  if (block_->has_auth) handshake.auth = Value::from_validated_json(std::string(take_auth(in)));
  open(block_, std::move(opened));
}

}  // namespace wirehall::hub
