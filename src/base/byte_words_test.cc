#include "base/byte_words.h"

#include <gtest/gtest.h>

#include <bit>
#include <string>

#include "base/ascii.h"

namespace wirehall {
namespace {

// Every byte, at every place, between others that are near it.
TEST(ByteWords, TheFirstMarkIsRightAndNoneIsMissing) {
  using namespace byte_words;
  for (int looked_for = 0; looked_for <= 0x80; ++looked_for) {
    for (int byte = 0; byte < 256; ++byte) {
      for (std::size_t place = 0; place < 8; ++place) {
        std::string text(8, '\xfe');
        text[place] = static_cast<char>(byte);
        const auto first = [](Word marks) { return static_cast<std::size_t>(std::countr_zero(marks & kMarks)) / 8; };
        if constexpr (std::endian::native == std::endian::little) {
          const auto limit = static_cast<unsigned char>(looked_for);
          EXPECT_EQ(first(equal_to(load(text.data()), static_cast<char>(looked_for))), byte == looked_for ? place : 8u);
          EXPECT_EQ(first(below(load(text.data()), limit)), byte < looked_for ? place : 8u);
        }
      }
    }
  }
}

TEST(ByteWords, AllOfLooksAtTheRestAndAtWhatIsMarked) {
  using namespace byte_words;
  const auto lower_case = [](std::string_view text) {
    return all_of(text, [](Word word) { return below(word, 'a'); }, [](char c) { return c >= 'a' || c == '-'; });
  };
  for (std::size_t size = 0; size < 30; ++size) {
    EXPECT_TRUE(lower_case(std::string(size, 'x')));
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, 'x');
      text[at] = '-';
      EXPECT_TRUE(lower_case(text)) << "a mark is only a reason to look";
      text[at] = 'X';
      EXPECT_FALSE(lower_case(text));
    }
  }
}

TEST(Ascii, AWordIsLoweredAsItsBytesAre) {
  for (int byte = 0; byte < 256; ++byte) {
    std::string text = "aZ\xC3\x84@[`{";
    text[static_cast<std::size_t>(byte) % 8] = static_cast<char>(byte);
    std::string lowered = text;
    make_ascii_lower(lowered);
    EXPECT_EQ(ascii_lower(byte_words::load(text.data())), byte_words::load(lowered.data())) << byte;
  }
}

TEST(Ascii, FoldedTextsAreEqualWhateverTheirLength) {
  for (std::size_t size = 0; size < 20; ++size) {
    const std::string a(size, 'q'), b(size, 'Q');
    EXPECT_TRUE(equal_folded(a, b));
    for (std::size_t at = 0; at < size; ++at) {
      std::string c = b;
      c[at] = '\x11';  // differs from Q in one bit, but is no letter
      EXPECT_FALSE(equal_folded(a, c));
    }
  }
}

}  // namespace
}  // namespace wirehall
