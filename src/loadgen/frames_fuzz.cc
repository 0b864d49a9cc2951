// Whatever a server sends as WebSocket is frames, an unfinished one, or malformed, however it is cut; and
// what was masked for a server is read back as it was.
#include "loadgen/frames.h"

#include "support/fuzz.h"

using namespace wirehall;
using loadgen::Frame;
using loadgen::FrameStep;

namespace {

// What is read of a text whose beginning has come: the frames, and how they end.
std::string read_all(std::string_view bytes) {
  std::string seen;
  for (;;) {
    Frame frame;
    switch (loadgen::parse_frame(bytes, frame)) {
      case FrameStep::kNeedMore: return seen + "…";
      case FrameStep::kMalformed: return seen + "malformed";
      case FrameStep::kFrame: break;
    }
    FUZZ_CHECK(frame.bytes >= 2 && frame.bytes <= bytes.size());
    FUZZ_CHECK(frame.payload.size() + 2 <= frame.bytes && frame.bytes <= frame.payload.size() + 10);
    FUZZ_CHECK(frame.payload.data() + frame.payload.size() == bytes.data() + frame.bytes);
    FUZZ_CHECK(frame.opcode < 16);
    seen += std::to_string(frame.opcode) + (frame.final ? '.' : '-') + std::string(frame.payload) + '\n';
    bytes.remove_prefix(frame.bytes);
  }
}

// The same as it is received, piece by piece.
std::string read_pieces(const std::vector<std::string>& pieces) {
  std::string seen, unread;
  for (const std::string& piece : pieces) {
    unread += piece;
    for (;;) {
      Frame frame;
      const FrameStep step = loadgen::parse_frame(unread, frame);
      if (step == FrameStep::kMalformed) return seen + "malformed";
      if (step == FrameStep::kNeedMore) break;
      seen += std::to_string(frame.opcode) + (frame.final ? '.' : '-') + std::string(frame.payload) + '\n';
      unread.erase(0, frame.bytes);
    }
  }
  return seen + "…";
}

}  // namespace

FUZZ_TARGET(loadgen_frames) {
  test::FuzzInput copy = in;
  copy.byte();
  const std::string whole(copy.rest());
  FUZZ_CHECK(read_all(whole) == read_pieces(in.pieces()));

  std::string masked;
  loadgen::append_masked_frame(masked, loadgen::kTextFrame, whole, "\x11\x22\x33\x44");
  Frame frame;
  FUZZ_CHECK(loadgen::parse_frame(masked, frame) == FrameStep::kMalformed);  // no server masks
  FUZZ_CHECK(masked.size() >= whole.size() + 6);
  const std::string_view sent = std::string_view(masked).substr(masked.size() - whole.size());
  for (std::size_t i = 0; i < whole.size(); ++i)
    FUZZ_CHECK(static_cast<char>(sent[i] ^ "\x11\x22\x33\x44"[i & 3]) == whole[i]);
}
