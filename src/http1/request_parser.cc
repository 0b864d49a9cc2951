#include "http1/request_parser.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/byte_words.h"
#include "http1/grammar.h"

namespace wirehall::http1 {
namespace {

// Of a request line, besides its target: the method, two spaces and the version.
constexpr std::size_t kRequestLineRestBytesMax = 32;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; }

// Visible ASCII without '#'.
bool is_visible(std::string_view text) {
  using namespace byte_words;
  return all_of(
      text, [](Word word) { return word | below(word, 0x21) | equal_to(word, '\x7f') | equal_to(word, '#'); },
      [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
}

ErrorCode check_version(std::string_view version) {
  if (version == "HTTP/1.1" || version == "HTTP/1.0") return ErrorCode::kOk;
  const bool shaped = version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) &&
                      version[6] == '.' && is_digit(version[7]);
  return shaped ? ErrorCode::kHttpVersion : ErrorCode::kHttpBadRequest;
}

Method method_of(std::string_view name) {
  constexpr std::pair<std::string_view, Method> kMethods[] = {
      {"GET", Method::kGet},         {"POST", Method::kPost},       {"HEAD", Method::kHead},  {"PUT", Method::kPut},
      {"DELETE", Method::kDelete},   {"OPTIONS", Method::kOptions}, {"PATCH", Method::kPatch}};
  for (const auto& [text, method] : kMethods) {
    if (text == name) return method;
  }
  return Method::kOther;
}

// uri-host [ ":" port ] without user information; empty is allowed by the grammar and refused by us.
bool is_valid_host(std::string_view host) {
  if (host.empty()) return false;
  if (host.front() == '[') {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    const std::string_view inner = host.substr(1, end - 1);
    if (!std::all_of(inner.begin(), inner.end(), [](char c) {
          return std::string_view("0123456789abcdefABCDEF:.").find(c) != std::string_view::npos;
        }))
      return false;
    host.remove_prefix(end + 1);
    if (host.empty()) return true;
    if (host.front() != ':') return false;
  } else {
    const std::size_t colon = std::min(host.find(':'), host.size());
    const auto name_char = [](char c) {
      return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
             c == '_' || c == '~';
    };
    if (colon == 0 ||
        !std::all_of(host.begin(), host.begin() + static_cast<std::ptrdiff_t>(colon), name_char))
      return false;
    host.remove_prefix(colon);
    if (host.empty()) return true;
  }
  host.remove_prefix(1);
  return host.size() <= 5 && std::all_of(host.begin(), host.end(), is_digit);
}

// Absolute form (RFC 9112 section 3.2.2) becomes origin form; the authority was checked by the caller's Host.
bool to_origin_form(RequestHead& head) {
  std::string_view target = head.target();
  if (target.front() == '/') return true;
  if (target == "*") return head.method == Method::kOptions;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!same_token(target.substr(0, scheme.size()), scheme)) continue;
    const std::string_view rest = target.substr(scheme.size());
    const std::size_t slash = rest.find('/');
    if (slash == std::string_view::npos || !is_valid_host(rest.substr(0, slash))) return false;
    head.target_begin += static_cast<std::uint32_t>(scheme.size() + slash);
    head.target_size -= static_cast<std::uint32_t>(scheme.size() + slash);
    return true;
  }
  return false;
}

// The fields that say how a request is framed and what comes after it, found in one pass.
struct FramingFields {
  using Seen = RequestHead::Seen;
  explicit FramingFields(const RequestHead& head) {
    for (const RequestHead::Field& field : head.fields) {
      const auto look = [&](std::string_view name, Seen& seen) {
        if (head.is_called(field, name)) seen.add(head.value(field));
      };
      switch (field.name_size) {
        case 4: look("host", host); break;
        case 6: look("expect", expect); break;
        case 7:
          if (head.is_called(field, "upgrade"))
            lists_websocket = lists_websocket || list_has_token(head.value(field), "websocket");
          break;
        case 10:
          if (head.is_called(field, "connection")) read_options(head.value(field), lists_upgrade);
          break;
        case 14: look("content-length", length); break;
        case 16:
          look("content-encoding", content_coding);
          if (head.is_called(field, "proxy-connection")) read_options(head.value(field), proxy_lists_upgrade);
          break;
        case 17: look("transfer-encoding", coding); break;
        default: break;
      }
    }
  }
  Seen host, length, coding, content_coding, expect;
  bool closes = false;
  bool keeps_alive = false;
  bool options_are_tokens = true;
  bool lists_websocket = false;
  bool lists_upgrade = false;

 private:
  bool proxy_lists_upgrade = false;  // means nothing
  void read_options(std::string_view list, bool& upgrades) {
    options_are_tokens = options_are_tokens && each_of_list(list, [&](std::string_view option) {
                           closes = closes || same_token(option, "close");
                           keeps_alive = keeps_alive || same_token(option, "keep-alive");
                           upgrades = upgrades || same_token(option, "upgrade");
                           return is_token_text(option);
                         });
  }
};

}  // namespace

RequestParser::Step RequestParser::fail(ErrorCode code) {
  state_ = State::kError;
  error_ = code;
  return Step::kError;
}

RequestParser::Step RequestParser::next(std::string_view& input) {
  switch (state_) {
    case State::kError: return Step::kError;
    case State::kHead: return read_head(input);
    case State::kBody: return read_body(input);
    case State::kComplete:
      state_ = State::kHead;
      head_ = RequestHead();
      body_ = std::string();
      chunks_.reset();
      return input.empty() ? Step::kNeedMore : read_head(input);
  }
  return Step::kError;
}

// Where text ends: at the next control byte, where a limit is reached, or with what has come.
std::size_t RequestParser::end_of_text(std::size_t at) const {
  std::size_t end = std::min<std::size_t>(pending_.size(), limits_.http_head_bytes_max);
  if (!has_request_line_) end = std::min<std::size_t>(end, limits_.http_target_bytes_max + kRequestLineRestBytesMax);
  while (at + sizeof(byte_words::Word) <= end) {
    const byte_words::Word word = byte_words::load(pending_.data() + at);
    const byte_words::Word controls =
        (byte_words::below(word, 0x20) | byte_words::equal_to(word, '\x7f')) & byte_words::kMarks;
    if (controls != 0) {
      // The first mark is right.
      if constexpr (std::endian::native == std::endian::little)
        return at + static_cast<std::size_t>(std::countr_zero(controls)) / 8;
      break;
    }
    at += sizeof(byte_words::Word);
  }
  while (at < end && !is_control(pending_[at])) ++at;
  return at;
}

// Reads one line after the other, each byte once: what is wrong is refused as soon as it is seen. By position, not by
// how much has come: every split of the bytes gets the same answer.
RequestParser::Step RequestParser::read_head(std::string_view& input) {
  const std::size_t room =
      limits_.http_head_bytes_max + 1 - std::min<std::size_t>(pending_.size(), limits_.http_head_bytes_max);
  const std::size_t before = pending_.size();
  pending_.append(input.substr(0, room));
  for (;;) {
    scanned_ = end_of_text(scanned_);
    if (scanned_ == pending_.size()) break;
    if (!has_request_line_ && scanned_ >= limits_.http_target_bytes_max + kRequestLineRestBytesMax)
      return fail(ErrorCode::kHttpUriTooLong);
    if (scanned_ >= limits_.http_head_bytes_max) return fail(ErrorCode::kHttpHeadTooLarge);
    if (pending_[scanned_] == '\t') {
      ++scanned_;
      continue;
    }
    if (pending_[scanned_] != '\r') return fail(ErrorCode::kHttpBadRequest);
    if (scanned_ + 1 == pending_.size()) break;
    if (pending_[scanned_ + 1] != '\n') return fail(ErrorCode::kHttpBadRequest);
    if (scanned_ + 2 > limits_.http_head_bytes_max) return fail(ErrorCode::kHttpHeadTooLarge);
    const std::size_t begin = std::exchange(line_begin_, scanned_ + 2);
    const std::string_view line(pending_.data() + begin, scanned_ - begin);
    scanned_ += 2;
    if (has_request_line_ && line.empty()) {
      input.remove_prefix(scanned_ - before);
      return end_head();
    }
    if (const ErrorCode code = read_line(line); code != ErrorCode::kOk) return fail(code);
  }
  input.remove_prefix(pending_.size() - before);
  return Step::kNeedMore;
}

ErrorCode RequestParser::read_line(std::string_view line) {
  if (!has_request_line_) {
    // One empty line before a request is tolerated (RFC 9112 section 2.2), anything else is not.
    if (line.empty() && line.data() == pending_.data()) return ErrorCode::kOk;
    has_request_line_ = true;
    return read_request_line(line);
  }
  if (head_.fields.size() == limits_.http_headers_max) return ErrorCode::kHttpHeadTooLarge;
  const std::optional<FieldLine> field = split_field_line(line);
  if (!field) return ErrorCode::kHttpBadRequest;
  head_.fields.push_back({place_of(field->name), static_cast<std::uint32_t>(field->name.size()), place_of(field->value),
                          static_cast<std::uint32_t>(field->value.size())});
  return ErrorCode::kOk;
}

ErrorCode RequestParser::read_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == 0 || last == first) return ErrorCode::kHttpBadRequest;
  const std::string_view method = line.substr(0, first);
  if (!is_token_text(method)) return ErrorCode::kHttpBadRequest;
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (target.size() > limits_.http_target_bytes_max) return ErrorCode::kHttpUriTooLong;
  if (target.empty() || !is_visible(target)) return ErrorCode::kHttpBadRequest;
  head_.method = method_of(method);
  head_.target_begin = place_of(target);
  head_.target_size = static_cast<std::uint32_t>(target.size());
  head_.minor_version = line.back() == '0' ? 0 : 1;
  return check_version(line.substr(last + 1));
}

RequestParser::Step RequestParser::end_head() {
  pending_.resize(scanned_);
  head_.bytes = std::exchange(pending_, {});
  scanned_ = line_begin_ = 0;
  has_request_line_ = false;
  if (const ErrorCode code = check_framing(); code != ErrorCode::kOk) return fail(code);
  state_ = State::kBody;
  body_bytes_max_ = limits_.http_body_bytes_max;
  body_left_ = head_.content_length.value_or(0);
  if (head_.chunked) {
    chunks_ = std::make_unique<ChunkDecoder>(limits_.http_chunk_overhead_bytes_max,
                                             limits_.http_chunk_extension_bytes_max);
  }
  return Step::kHead;
}

ErrorCode RequestParser::check_framing() {
  const FramingFields fields(head_);
  if (fields.host.count > 1 || (fields.host.count == 0 && head_.minor_version == 1)) return ErrorCode::kHttpBadRequest;
  if (fields.host.count == 1 && !is_valid_host(fields.host.first)) return ErrorCode::kHttpBadRequest;
  if (!to_origin_form(head_)) return ErrorCode::kHttpBadRequest;
  if (!fields.options_are_tokens) return ErrorCode::kHttpBadRequest;
  head_.keep_alive = !fields.closes && (head_.minor_version == 1 || fields.keeps_alive);
  head_.upgrade_lists_websocket = fields.lists_websocket;
  head_.connection_lists_upgrade = fields.lists_upgrade;

  if (fields.length.count + fields.coding.count > 1) return ErrorCode::kHttpBadRequest;
  if (fields.length.count == 1) {
    const std::string_view text = fields.length.first;
    // Space behind the number, though the grammar lets it be there, is read differently by others.
    if (text.empty() || text.data()[text.size()] != '\r' || text.size() > 18 || !std::all_of(text.begin(), text.end(), is_digit))
      return ErrorCode::kHttpBadRequest;
    std::uint64_t length = 0;
    for (const char c : text) length = length * 10 + static_cast<std::uint64_t>(c - '0');
    head_.content_length = length;
  }
  if (fields.coding.count == 1) {
    if (head_.minor_version == 0 || fields.coding.first != "chunked")
      return ErrorCode::kHttpBadRequest;
    head_.chunked = true;
  }
  if (fields.content_coding.count != 0 && head_.has_body() && !same_token(fields.content_coding.first, "identity"))
    return ErrorCode::kHttpEncoding;
  if (fields.expect.count != 0 && head_.minor_version == 1) {
    if (!same_token(fields.expect.first, "100-continue") || fields.expect.count != 1)
      return ErrorCode::kHttpExpectation;
    head_.expects_continue = head_.has_body();
  }
  return ErrorCode::kOk;
}

RequestParser::Step RequestParser::read_body(std::string_view& input) {
  if (head_.content_length.value_or(0) > body_bytes_max_) return fail(ErrorCode::kHttpBodyTooLarge);
  if (!head_.chunked) {
    const auto here = static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, input.size()));
    body_.append(input.substr(0, here));
    input.remove_prefix(here);
    body_left_ -= here;
    if (body_left_ != 0) return Step::kNeedMore;
    state_ = State::kComplete;
    return Step::kComplete;
  }
  for (;;) {
    std::string_view data;
    switch (chunks_->next(input, data)) {
      case ChunkDecoder::Step::kNeedMore: return Step::kNeedMore;
      case ChunkDecoder::Step::kMalformed:
      case ChunkDecoder::Step::kTooMuchOverhead: return fail(ErrorCode::kHttpBadRequest);
      case ChunkDecoder::Step::kData:
        if (data.size() > body_bytes_max_ - body_.size()) return fail(ErrorCode::kHttpBodyTooLarge);
        body_.append(data);
        break;
      case ChunkDecoder::Step::kDone: state_ = State::kComplete; return Step::kComplete;
    }
  }
}

}  // namespace wirehall::http1
