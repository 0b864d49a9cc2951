#include "http1/response_parser.h"

#include <algorithm>

#include "http1/grammar.h"
#include "http1/head.h"

namespace wirehall::http1 {
namespace {

constexpr std::uint32_t kFieldsMax = 128;
// What chunk lines may add to a body: a server that cuts it into single bytes is no use to anybody.
constexpr std::uint32_t kChunkOverheadBytesMax = 1'048'576;
constexpr std::uint32_t kChunkExtensionBytesMax = 4'096;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::optional<std::string_view> ReceivedResponse::find(std::string_view name) const {
  for (const auto& [key, value] : fields) {
    if (same_token(key, name)) return value;
  }
  return std::nullopt;
}

std::uint32_t ReceivedResponse::count(std::string_view name) const {
  return static_cast<std::uint32_t>(std::count_if(
      fields.begin(), fields.end(), [&](const auto& field) { return same_token(field.first, name); }));
}

bool ReceivedResponse::has_token(std::string_view name, std::string_view token) const {
  return std::any_of(fields.begin(), fields.end(), [&](const auto& field) {
    return same_token(field.first, name) && list_has_token(field.second, token);
  });
}

ResponseParser::Step ResponseParser::fail(ErrorCode code) {
  state_ = State::kError;
  error_ = code;
  head_ = std::string();
  return Step::kError;
}

ResponseParser::Step ResponseParser::next(std::string_view& input) {
  for (;;) {
    switch (state_) {
      case State::kError: return Step::kError;
      case State::kComplete: state_ = State::kHead; [[fallthrough]];
      case State::kHead:
        if (const Step step = read_head(input); step != Step::kComplete) return step;
        break;
      case State::kBody: return read_body(input);
    }
  }
}

ResponseParser::Step ResponseParser::end() {
  if (state_ == State::kBody && framing_ == Framing::kUntilClose) {
    state_ = State::kComplete;
    return Step::kComplete;
  }
  if (state_ == State::kError) return Step::kError;
  return in_response() ? fail(ErrorCode::kHttpBadRequest) : Step::kNeedMore;
}

// kComplete: the head is there.
ResponseParser::Step ResponseParser::read_head(std::string_view& input) {
  // Line by line: what cannot be the head of a response is refused before all of it has come.
  while (!input.empty()) {
    const char c = input.front();
    input.remove_prefix(1);
    if (head_.size() >= limits_->head_bytes_max) return fail(ErrorCode::kHttpHeadTooLarge);
    head_.push_back(c);
    constexpr std::string_view kBegin = "HTTP/1.";
    if (head_.size() <= kBegin.size() && !kBegin.starts_with(head_)) return fail(ErrorCode::kHttpVersion);
    if (c != '\n') continue;
    if (head_.size() < 2 || head_[head_.size() - 2] != '\r') return fail(ErrorCode::kHttpBadRequest);
    if (!head_.ends_with("\r\n\r\n")) continue;
    response_ = ReceivedResponse();
    const ErrorCode code = parse_head();
    head_ = std::string();
    if (code != ErrorCode::kOk) return fail(code);
    if (response_.status < 200 && response_.status != 101) continue;
    state_ = State::kBody;
    return Step::kComplete;
  }
  return Step::kNeedMore;
}

ErrorCode ResponseParser::parse_status_line(std::string_view line) {
  // HTTP/1.1 200 OK
  if (line.size() < 12 || !is_digit(line[7]) || line[8] != ' ' || !is_field_text(line))
    return ErrorCode::kHttpBadRequest;
  if (!std::all_of(line.begin() + 9, line.begin() + 12, is_digit) || line[9] == '0')
    return ErrorCode::kHttpBadRequest;
  if (line.size() > 12 && line[12] != ' ') return ErrorCode::kHttpBadRequest;
  for (const char c : line.substr(9, 3))
    response_.status = static_cast<std::uint16_t>(response_.status * 10 + (c - '0'));
  response_.reason = std::string(line.substr(std::min<std::size_t>(line.size(), 13)));
  response_.keep_alive = line[7] != '0';
  return ErrorCode::kOk;
}

ErrorCode ResponseParser::parse_head() {
  std::string_view rest = head_;
  std::size_t end = rest.find("\r\n");
  if (const ErrorCode code = parse_status_line(rest.substr(0, end)); code != ErrorCode::kOk) return code;
  for (rest.remove_prefix(end + 2); rest != "\r\n"; rest.remove_prefix(end + 2)) {
    end = rest.find("\r\n");
    const std::optional<FieldLine> field = split_field_line(rest.substr(0, end));
    if (!field || !is_field_text(field->value) || response_.fields.size() == kFieldsMax)
      return ErrorCode::kHttpBadRequest;
    response_.fields.emplace_back(field->name, field->value);
  }
  if (response_.has_token("connection", "close")) response_.keep_alive = false;
  return check_framing();
}

ErrorCode ResponseParser::check_framing() {
  framing_ = Framing::kNone;
  body_left_ = 0;
  if (response_.status < 200 || response_.status == 204 || response_.status == 304) return ErrorCode::kOk;
  const std::uint32_t lengths = response_.count("content-length");
  if (response_.count("transfer-encoding") != 0) {
    if (lengths != 0 || response_.count("transfer-encoding") != 1 ||
        !same_token(*response_.find("transfer-encoding"), "chunked"))
      return ErrorCode::kHttpBadRequest;
    framing_ = Framing::kChunked;
    chunks_ = std::make_unique<ChunkDecoder>(kChunkOverheadBytesMax, kChunkExtensionBytesMax);
    return ErrorCode::kOk;
  }
  if (lengths == 0) {
    framing_ = Framing::kUntilClose;
    response_.keep_alive = false;
    return ErrorCode::kOk;
  }
  const std::string_view text = *response_.find("content-length");
  if (lengths > 1 || text.empty() || text.size() > 18 || !std::all_of(text.begin(), text.end(), is_digit))
    return ErrorCode::kHttpBadRequest;
  for (const char c : text) body_left_ = body_left_ * 10 + static_cast<std::uint64_t>(c - '0');
  if (body_left_ > limits_->body_bytes_max) return ErrorCode::kHttpBodyTooLarge;
  framing_ = Framing::kLength;
  return ErrorCode::kOk;
}

bool ResponseParser::append_body(std::string_view piece) {
  if (piece.size() > limits_->body_bytes_max - response_.body.size()) return false;
  response_.body.append(piece);
  return true;
}

ResponseParser::Step ResponseParser::read_body(std::string_view& input) {
  if (framing_ == Framing::kChunked) {
    for (;;) {
      std::string_view data;
      switch (chunks_->next(input, data)) {
        case ChunkDecoder::Step::kNeedMore: return Step::kNeedMore;
        case ChunkDecoder::Step::kMalformed:
        case ChunkDecoder::Step::kTooMuchOverhead: return fail(ErrorCode::kHttpBadRequest);
        case ChunkDecoder::Step::kData:
          if (!append_body(data)) return fail(ErrorCode::kHttpBodyTooLarge);
          break;
        case ChunkDecoder::Step::kDone: state_ = State::kComplete; return Step::kComplete;
      }
    }
  }
  if (framing_ == Framing::kUntilClose) {
    const bool fits = append_body(input);
    input = {};
    return fits ? Step::kNeedMore : fail(ErrorCode::kHttpBodyTooLarge);
  }
  const auto here = static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, input.size()));
  response_.body.append(input.substr(0, here));
  input.remove_prefix(here);
  body_left_ -= here;
  if (body_left_ != 0) return Step::kNeedMore;
  state_ = State::kComplete;
  return Step::kComplete;
}

}  // namespace wirehall::http1
