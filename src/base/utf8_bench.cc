// Checking UTF-8: whole texts, texts in pieces, and the table-driven way that would need no library.
#include "base/utf8.h"

#include "support/micro.h"

namespace wirehall {
namespace {

constexpr std::size_t kPieceBytes = 1000;

bool valid_code_point_by_code_point(std::string_view text) {
  while (!text.empty()) {
    std::uint32_t code_point = 0;
    const std::uint32_t length = decode_code_point(text, code_point);
    if (length == 0 || (code_point >= 0xD800 && code_point <= 0xDFFF)) return false;
    text.remove_prefix(length);
  }
  return true;
}

const bench::Suite suite([] {
  for (const bench::Input& input : bench::text_inputs()) {
    const std::string& text = input.json;
    bench::add("utf8/whole/" + input.name + "/wirehall", [&text](benchmark::State& state) {
      bench::measure(state, text.size(), [&] {
        if (!is_valid_utf8(text)) std::abort();
      });
    });
    bench::add("utf8/whole/" + input.name + "/code-points", [&text](benchmark::State& state) {
      bench::measure(state, text.size(), [&] {
        if (!valid_code_point_by_code_point(text)) std::abort();
      });
    });
    bench::add("utf8/in_pieces/" + input.name, [&text](benchmark::State& state) {
      bench::measure(state, text.size(), [&] {
        Utf8Validator validator;
        for (std::size_t at = 0; at < text.size(); at += kPieceBytes)
          validator.feed(std::string_view(text).substr(at, kPieceBytes));
        if (!validator.complete()) std::abort();
      });
    });
  }
});

}  // namespace
}  // namespace wirehall
