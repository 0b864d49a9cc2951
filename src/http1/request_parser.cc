#include "http1/request_parser.h"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/verb.hpp>

#include <algorithm>
#include <bit>

#include "base/byte_words.h"
#include "http1/grammar.h"

namespace wirehall::http1 {
namespace {

namespace beast = boost::beast;
namespace bhttp = boost::beast::http;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Receives what Beast finds in one head, as offsets into the head's own bytes.
class HeadCollector final : public bhttp::basic_parser<true> {
 public:
  explicit HeadCollector(RequestHead& head) : head_(head) { skip(true); }

 private:
  std::uint32_t offset(beast::string_view part) const {
    return static_cast<std::uint32_t>(part.data() - head_.bytes.data());
  }

  void on_request_impl(bhttp::verb method, beast::string_view, beast::string_view target, int version,
                       beast::error_code&) override {
    switch (method) {
      case bhttp::verb::get: head_.method = Method::kGet; break;
      case bhttp::verb::head: head_.method = Method::kHead; break;
      case bhttp::verb::post: head_.method = Method::kPost; break;
      case bhttp::verb::put: head_.method = Method::kPut; break;
      case bhttp::verb::delete_: head_.method = Method::kDelete; break;
      case bhttp::verb::options: head_.method = Method::kOptions; break;
      case bhttp::verb::patch: head_.method = Method::kPatch; break;
      default: head_.method = Method::kOther;
    }
    head_.target_begin = offset(target);
    head_.target_size = static_cast<std::uint32_t>(target.size());
    head_.minor_version = static_cast<std::uint8_t>(version % 10);
  }
  void on_field_impl(bhttp::field, beast::string_view name, beast::string_view value,
                     beast::error_code&) override {
    head_.fields.push_back({offset(name), static_cast<std::uint32_t>(name.size()),
                            value.empty() ? 0 : offset(value), static_cast<std::uint32_t>(value.size())});
  }
  void on_response_impl(int, beast::string_view, int, beast::error_code&) override {}
  void on_header_impl(beast::error_code&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, beast::error_code&) override {}
  std::size_t on_body_impl(beast::string_view body, beast::error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, beast::error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, beast::error_code&) override {
    return body.size();
  }
  void on_finish_impl(beast::error_code&) override {}

  RequestHead& head_;
};

// -- what Beast would let pass ------------------------------------------------------------------

bool is_token(std::string_view text) {
  for (const char c : text) {
    if (!is_token_char(c)) return false;
  }
  return true;
}

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

ErrorCode check_request_line(std::string_view line, std::uint32_t target_bytes_max) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == 0 || last == first) return ErrorCode::kHttpBadRequest;
  if (!is_token(line.substr(0, first))) return ErrorCode::kHttpBadRequest;
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (target.size() > target_bytes_max) return ErrorCode::kHttpUriTooLong;
  if (target.empty() || !is_visible(target)) return ErrorCode::kHttpBadRequest;
  return check_version(line.substr(last + 1));
}

ErrorCode check_field_line(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return ErrorCode::kHttpBadRequest;
  // This refuses white space before the colon, and folded lines, which begin with it.
  if (!is_token(line.substr(0, colon))) return ErrorCode::kHttpBadRequest;
  return is_field_text(line.substr(colon + 1)) ? ErrorCode::kOk : ErrorCode::kHttpBadRequest;
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

// The fields that say how a request is framed, found in one pass.
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
        case 14: look("content-length", length); break;
        case 16: look("content-encoding", content_coding); break;
        case 17: look("transfer-encoding", coding); break;
        default: break;
      }
    }
  }
  Seen host, length, coding, content_coding, expect;
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

// Goes over what is no control byte, eight bytes at once, as far as no limit can be reached.
std::size_t RequestParser::skip_plain(std::size_t at) const {
  if (at == 0 || pending_[at - 1] == '\r') return at;
  std::size_t limit = std::min<std::size_t>(pending_.size(), limits_.http_head_bytes_max);
  if (!line_ended_) limit = std::min<std::size_t>(limit, limits_.http_target_bytes_max + 32u);
  while (at + sizeof(byte_words::Word) <= limit) {
    const byte_words::Word low =
        byte_words::below(byte_words::load(pending_.data() + at), '\r' + 1) & byte_words::kMarks;
    if (low != 0) {
      // The first mark is right.
      if constexpr (std::endian::native == std::endian::little) at += static_cast<std::size_t>(std::countr_zero(low)) / 8;
      break;
    }
    at += sizeof(byte_words::Word);
  }
  return at;
}

RequestParser::Step RequestParser::read_head(std::string_view& input) {
  // One empty line before a request is tolerated (RFC 9112 section 2.2), anything else is not.
  const std::size_t room =
      limits_.http_head_bytes_max + 1 - std::min<std::size_t>(pending_.size(), limits_.http_head_bytes_max);
  const std::size_t before = pending_.size();
  pending_.append(input.substr(0, room));
  const std::size_t from = scanned_ >= 3 ? scanned_ - 3 : 0;
  std::size_t end = std::string::npos;
  for (std::size_t i = from; i < pending_.size(); ++i) {
    i = skip_plain(i);
    if (i == pending_.size()) break;
    const char c = pending_[i];
    // Control bytes are refused as soon as they are seen, not after the whole head has come.
    if (c == '\0') return fail(ErrorCode::kHttpBadRequest);
    if (c == '\n') {
      if (i == 0 || pending_[i - 1] != '\r') return fail(ErrorCode::kHttpBadRequest);
      if (i >= 3 && pending_[i - 2] == '\n') {
        if (i == 3) return fail(ErrorCode::kHttpBadRequest);  // nothing but empty lines
        end = i + 1;
        break;
      }
    } else if (i > 0 && pending_[i - 1] == '\r') {
      return fail(ErrorCode::kHttpBadRequest);
    }
    // Decided by position, not by how much has come: every split of the bytes gets the same answer.
    line_ended_ = line_ended_ || (c == '\n' && i > 1);
    if (!line_ended_ && i + 1 > limits_.http_target_bytes_max + 32u) return fail(ErrorCode::kHttpUriTooLong);
    if (i + 1 > limits_.http_head_bytes_max) return fail(ErrorCode::kHttpHeadTooLarge);
  }
  scanned_ = pending_.size();
  if (end == std::string::npos) {
    input.remove_prefix(pending_.size() - before);
    return Step::kNeedMore;
  }
  input.remove_prefix(end - before);
  if (end > limits_.http_head_bytes_max) return fail(ErrorCode::kHttpHeadTooLarge);
  pending_.resize(end);
  head_.bytes = pending_.starts_with("\r\n") ? pending_.substr(2) : std::move(pending_);
  pending_ = std::string();
  scanned_ = 0;
  line_ended_ = false;
  if (const ErrorCode code = parse_head(); code != ErrorCode::kOk) return fail(code);
  state_ = State::kBody;
  body_bytes_max_ = limits_.http_body_bytes_max;
  body_left_ = head_.content_length.value_or(0);
  if (head_.chunked) {
    chunks_ = std::make_unique<ChunkDecoder>(limits_.http_chunk_overhead_bytes_max,
                                             limits_.http_chunk_extension_bytes_max);
  }
  return Step::kHead;
}

ErrorCode RequestParser::parse_head() {
  std::string_view rest = head_.bytes;
  const std::size_t line_end = rest.find("\r\n");
  if (const ErrorCode code = check_request_line(rest.substr(0, line_end), limits_.http_target_bytes_max);
      code != ErrorCode::kOk)
    return code;
  rest.remove_prefix(line_end + 2);
  std::uint32_t lines = 0;
  for (std::size_t end = 0; rest != "\r\n"; rest.remove_prefix(end + 2)) {
    end = rest.find("\r\n");
    if (++lines > limits_.http_headers_max) return ErrorCode::kHttpHeadTooLarge;
    if (const ErrorCode code = check_field_line(rest.substr(0, end)); code != ErrorCode::kOk) return code;
  }
  head_.fields.reserve(lines);
  HeadCollector collector(head_);
  collector.header_limit(limits_.http_head_bytes_max);
  beast::error_code error;
  collector.put(boost::asio::const_buffer(head_.bytes.data(), head_.bytes.size()), error);
  if (error || !collector.is_header_done()) return ErrorCode::kHttpBadRequest;
  head_.keep_alive = collector.keep_alive();
  return check_framing();
}

ErrorCode RequestParser::check_framing() {
  const FramingFields fields(head_);
  if (fields.host.count > 1 || (fields.host.count == 0 && head_.minor_version == 1)) return ErrorCode::kHttpBadRequest;
  if (fields.host.count == 1 && !is_valid_host(fields.host.first)) return ErrorCode::kHttpBadRequest;
  if (!to_origin_form(head_)) return ErrorCode::kHttpBadRequest;

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
