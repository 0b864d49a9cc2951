// The messages of a run: prepared once, so that sending one costs a copy, and marked, so that whoever gets it
// back in whatever envelope knows who sent it, as which one, and when.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace wirehall::loadgen {

/// What is written in a message. The mark is ASCII that stands in JSON as it is:
/// `wh` RUN(8) SENDER(6) NUMBER(8) TIME(16), all hexadecimal, and filler behind it up to the wanted size.
struct Mark {
  std::uint32_t sender = 0;  ///< 24 bits
  std::uint32_t number = 0;
  std::uint64_t at_ns = 0;  ///< when it was due
};
constexpr std::size_t kMarkBytes = 40;

/// A message with at most one `{id}`, a number of seven digits, and at most one `{data}`, the mark and its
/// filler.
///
/// Thread:   any; it does not change.
class MessageTemplate {
 public:
  static constexpr std::uint64_t kIdFirst = 1'000'000;
  static constexpr std::uint64_t kIds = 9'000'000;

  MessageTemplate() = default;
  /// `size_bytes` is wanted for the whole message; there is less filler where the text is longer without.
  MessageTemplate(std::string_view text, std::uint32_t run, std::size_t size_bytes);

  bool has_id() const { return id_at_ != kNone; }
  bool has_data() const { return data_at_ != kNone; }
  /// Bytes of the mark and its filler.
  std::size_t data_bytes() const { return data_bytes_; }
  std::size_t size() const { return text_.size(); }

  /// Appends a masked text frame. The mask is drawn once: a server does the same work whatever it is.
  void append_frame(std::string& out, const Mark& mark, std::uint64_t id_number) const;
  /// Appends the bare message.
  void append_text(std::string& out, const Mark& mark, std::uint64_t id_number) const;

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  void fill(char* message, std::string_view mask, const Mark& mark, std::uint64_t id_number) const;

  std::string text_;
  std::string frame_;  // the same, masked
  std::string mask_;
  std::size_t id_at_ = kNone;
  std::size_t data_at_ = kNone;
  std::size_t data_bytes_ = 0;
};

/// Finds marks in what arrives.
///
/// Thread:   one thread's: it remembers where the last one stood.
class MarkReader {
 public:
  enum class Found : std::uint8_t {
    kNothing,  ///< no mark of this run
    kMark,
    kCorrupt,  ///< a mark that is none, or whose filler is not what was sent
  };
  MarkReader(std::uint32_t run, std::size_t data_bytes);
  Found read(std::string_view message, Mark& out);

 private:
  std::string run_;  // `wh` and the run
  std::string filler_;
  std::size_t expected_at_ = 0;
};

/// The number behind `key` in a text of JSON, as servers write it: without white space.
/// Returns: false when there is none. `hint` is where it was found the last time, and is kept up.
bool find_number(std::string_view text, std::string_view key, std::size_t& hint, std::uint64_t& out);

}  // namespace wirehall::loadgen
