// A mark is found in whatever a server puts around it, and nothing else is taken for one.
#include "loadgen/message.h"

#include "support/fuzz.h"

using namespace wirehall;
using loadgen::Mark;
using loadgen::MarkReader;

namespace {

constexpr std::uint32_t kRun = 0xabcdef01;
constexpr std::size_t kDataBytes = 48;

bool is_mark_at(std::string_view text, std::size_t at) { return text.substr(at).starts_with("whabcdef01"); }

}  // namespace

FUZZ_TARGET(loadgen_message) {
  const std::uint8_t kind = in.byte();
  const std::string around(in.rest());

  // Bytes of anybody: a mark, or none, and the same again where the reader remembers a place.
  MarkReader reader(kRun, kDataBytes);
  Mark mark;
  const MarkReader::Found found = reader.read(around, mark);
  if (found == MarkReader::Found::kNothing) FUZZ_CHECK(around.find("whabcdef01") == std::string::npos);
  if (found == MarkReader::Found::kMark) FUZZ_CHECK(mark.sender < 1u << 24);
  FUZZ_CHECK(reader.read(around, mark) == found);

  // A number behind a key, likewise.
  std::size_t hint = kind;
  std::uint64_t value = 0, again = 0;
  const bool has = loadgen::find_number(around, "\"seq\":", hint, value);
  FUZZ_CHECK(loadgen::find_number(around, "\"seq\":", hint, again) == has && (!has || again == value));

  // A message that was sent, with these bytes in front: its own mark is found, unless they have one.
  const loadgen::MessageTemplate message("[{id},\"{data}\"]", kRun, kDataBytes + 12);
  const Mark sent{kind * 65'793u, kind * 16'843'009u, std::uint64_t{0x0123456789abcdef} + kind};
  std::string text = around;
  message.append_text(text, sent, kind);
  FUZZ_CHECK(text.size() == around.size() + message.size());
  const std::size_t first = text.find("whabcdef01");
  FUZZ_CHECK(first != std::string::npos && is_mark_at(text, first));
  MarkReader other(kRun, message.data_bytes());
  if (first < around.size()) return;
  FUZZ_CHECK(other.read(text, mark) == MarkReader::Found::kMark);
  FUZZ_CHECK(mark.sender == sent.sender && mark.number == sent.number && mark.at_ns == sent.at_ns);
  text[first + 10 + kind % 30] = 'X';
  FUZZ_CHECK(other.read(text, mark) == MarkReader::Found::kCorrupt);
}
