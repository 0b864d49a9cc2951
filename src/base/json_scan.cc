// The validating scanner; see json.h for its invariants.
#include <array>

#include "base/json.h"
#include "base/json_text.h"

namespace wirehall::json {
namespace {

constexpr std::uint32_t kDepthBits = 1024;  // more than any limit that a configuration may set

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

class Scanner {
 public:
  Scanner(std::string_view text, std::uint32_t depth_max)
      : cursor_(text.data()),
        end_(text.data() + text.size()),
        depth_max_(depth_max < kDepthBits ? depth_max : kDepthBits) {}

  void skip_space() {
    // As a rule there is none.
    while (cursor_ != end_ && static_cast<unsigned char>(*cursor_) <= ' ' && is_space(*cursor_)) ++cursor_;
  }
  bool at_end() const { return cursor_ == end_; }
  bool take(char c) {
    if (cursor_ == end_ || *cursor_ != c) return false;
    ++cursor_;
    return true;
  }
  /// The same behind white space, of which there is none as a rule.
  bool take_next(char c) { return take(c) || (cursor_ != end_ && is_space(*cursor_) && take_behind_space(c)); }

  /// One string, the cursor behind its closing quote; `raw` is what stands between the quotes.
  bool string(std::string_view& raw, bool& escaped) {
    if (!take('"')) return false;
    const char* const begin = cursor_;
    const char* const stop = skip_plain(begin, end_);
    escaped = stop == end_ || *stop != '"';
    cursor_ = stop;
    if (escaped && !rest_of_string()) return false;
    raw = std::string_view(begin, static_cast<std::size_t>(cursor_ - begin));
    ++cursor_;
    return true;
  }

  /// One value of any kind inside `outer` open containers.
  Status value(Slice& out, std::uint32_t outer) {
    const char* begin = cursor_;
    placeholder_ = binary_ = false;
    const Status status = at_scalar() ? scalar_value() : nested(outer);
    out.text = std::string_view(begin, static_cast<std::size_t>(cursor_ - begin));
    out.placeholder = placeholder_;
    out.binary = binary_;
    return status;
  }

 private:
  [[gnu::noinline]] bool take_behind_space(char c) {
    skip_space();
    return take(c);
  }

  // From the first byte that a string cannot hold as it is to its closing quote.
  [[gnu::noinline]] bool rest_of_string() {
    for (; cursor_ != end_; cursor_ = skip_plain(cursor_, end_)) {
      if (*cursor_ == '"') return true;
      if (*cursor_ != '\\' || !escape()) return false;
    }
    return false;
  }

  bool escape() {
    ++cursor_;
    if (cursor_ == end_) return false;
    switch (*cursor_++) {
      case '"':
      case '\\':
      case '/':
      case 'b':
      case 'f':
      case 'n':
      case 'r':
      case 't': return true;
      case 'u':
        for (int i = 0; i < 4; ++i, ++cursor_) {
          if (cursor_ == end_ || !is_hex(*cursor_)) return false;
        }
        return true;
      default: return false;
    }
  }

  bool digits() {
    const char* const begin = cursor_;
    const char* cursor = begin;
    while (cursor != end_ && is_digit(*cursor)) ++cursor;
    cursor_ = cursor;
    return cursor != begin;
  }

  bool number() {
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (cursor_ != end_ && (*cursor_ == 'e' || *cursor_ == 'E')) {
      ++cursor_;
      if (cursor_ != end_ && (*cursor_ == '+' || *cursor_ == '-')) ++cursor_;
      return digits();
    }
    return true;
  }

  bool literal(std::string_view word) {
    if (static_cast<std::size_t>(end_ - cursor_) < word.size()) return false;
    if (std::string_view(cursor_, word.size()) != word) return false;
    cursor_ += word.size();
    return true;
  }

  bool scalar() {
    std::string_view raw;
    bool escaped = false;
    switch (*cursor_) {
      case '"': return string(raw, escaped);
      case 't': return literal("true");
      case 'f': return literal("false");
      case 'n': return literal("null");
      default: return number();
    }
  }

  bool key() {
    skip_space();
    std::string_view raw;
    bool escaped = false;
    if (!string(raw, escaped)) return false;
    if (escaped || raw == "_placeholder") placeholder_ = true;
    if (escaped || raw == "$binary") binary_ = true;
    skip_space();
    return take(':');
  }

  void push(bool object) {
    const std::uint64_t bit = std::uint64_t{1} << (depth_ % 64);
    std::uint64_t& word = objects_[depth_ / 64];
    word = object ? word | bit : word & ~bit;
    ++depth_;
  }
  bool in_object() const { return (objects_[(depth_ - 1) / 64] >> ((depth_ - 1) % 64) & 1) != 0; }

  // Most values are texts or numbers: nothing is inside of them.
  bool at_scalar() const { return cursor_ != end_ && (*cursor_ == '"' || is_digit(*cursor_)); }
  Status scalar_value() {
    if (++values_ > kValuesMax) return Status::kTooMany;
    std::string_view raw;
    bool escaped = false;
    const bool valid = *cursor_ == '"' ? string(raw, escaped) : number();
    return valid ? Status::kOk : Status::kSyntax;
  }

  // Walks values without recursion: which container each level is stands in one bit.
  Status nested(std::uint32_t outer) {
    depth_ = 0;
    for (;;) {
      skip_space();
      if (cursor_ == end_) return Status::kSyntax;
      if (++values_ > kValuesMax) return Status::kTooMany;
      if (*cursor_ == '[' || *cursor_ == '{') {
        if (outer + depth_ >= depth_max_) return Status::kDepth;
        const bool object = *cursor_++ == '{';
        push(object);
        skip_space();
        if (take(object ? '}' : ']')) {
          --depth_;
        } else {
          if (object && !key()) return Status::kSyntax;
          continue;
        }
      } else if (!scalar()) {
        return Status::kSyntax;
      }
      // A value has ended: close containers until one goes on.
      for (;;) {
        if (depth_ == 0) return Status::kOk;
        skip_space();
        if (take(',')) {
          if (in_object() && !key()) return Status::kSyntax;
          break;
        }
        if (!take(in_object() ? '}' : ']')) return Status::kSyntax;
        --depth_;
      }
    }
  }

  const char* cursor_;
  const char* end_;
  std::uint32_t depth_max_;
  std::uint32_t depth_ = 0;
  std::uint32_t values_ = 0;
  bool placeholder_ = false;
  bool binary_ = false;
  std::array<std::uint64_t, kDepthBits / 64> objects_;  // written before it is read
};

template <class List>
Status slice_elements(std::string_view text, std::uint32_t depth_max, List& out) {
  out.clear();
  Scanner scanner(text, depth_max);
  scanner.skip_space();
  if (!scanner.take('[')) return Status::kSyntax;
  if (depth_max == 0) return Status::kDepth;
  scanner.skip_space();
  if (!scanner.take(']')) {
    do {
      scanner.skip_space();
      Slice slice;
      const Status status = scanner.value(slice, 1);
      if (status != Status::kOk) return status;
      if (out.size() == kSlicesMax) return Status::kTooMany;
      out.push_back(slice);
      scanner.skip_space();
    } while (scanner.take(','));
    if (!scanner.take(']')) return Status::kSyntax;
  }
  scanner.skip_space();
  return scanner.at_end() ? Status::kOk : Status::kSyntax;
}

}  // namespace

Status validate(std::string_view text, std::uint32_t depth_max) {
  Scanner scanner(text, depth_max);
  scanner.skip_space();
  Slice slice;
  const Status status = scanner.value(slice, 0);
  if (status != Status::kOk) return status;
  scanner.skip_space();
  return scanner.at_end() ? Status::kOk : Status::kSyntax;
}

Status slice_array(std::string_view text, std::uint32_t depth_max, std::vector<Slice>& out) {
  return slice_elements(text, depth_max, out);
}

Status slice_array(std::string_view text, std::uint32_t depth_max, FewSlices& out) {
  return slice_elements(text, depth_max, out);
}

Status slice_object(std::string_view text, std::uint32_t depth_max, std::vector<MemberSlice>& out) {
  out.clear();
  Scanner scanner(text, depth_max);
  if (!scanner.take_next('{')) return Status::kSyntax;
  if (depth_max == 0) return Status::kDepth;
  if (!scanner.take_next('}')) {
    do {
      scanner.skip_space();
      MemberSlice member;
      if (!scanner.string(member.key, member.key_escaped)) return Status::kSyntax;
      if (!scanner.take_next(':')) return Status::kSyntax;
      scanner.skip_space();
      const Status status = scanner.value(member.value, 1);
      if (status != Status::kOk) return status;
      if (out.size() == kSlicesMax) return Status::kTooMany;
      out.push_back(member);
    } while (scanner.take_next(','));
    if (!scanner.take_next('}')) return Status::kSyntax;
  }
  scanner.skip_space();
  return scanner.at_end() ? Status::kOk : Status::kSyntax;
}

bool plain_string(std::string_view slice, std::string_view& out) {
  if (slice.size() < 2 || slice.front() != '"') return false;
  out = slice.substr(1, slice.size() - 2);
  return out.find('\\') == std::string_view::npos;
}

}  // namespace wirehall::json
