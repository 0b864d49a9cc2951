#include <array>
#include <cstdint>
#include <functional>

#include "base/assert.h"
#include "support/micro.h"

namespace wirehall::bench {
namespace {

struct Size {
  const char* name;
  std::size_t bytes;
};
constexpr std::array<Size, 3> kSizes = {{{"128B", 128}, {"1KiB", 1024}, {"16KiB", 16'384}}};

constexpr std::array<std::string_view, 12> kAsciiWords = {"the",   "server",  "answers", "when",
                                                          "every", "member",  "has",     "seen",
                                                          "your",  "message", "today",   "again"};
constexpr std::array<std::string_view, 12> kWordsOfManyScripts = {
    "grüße", "aus", "köln", "καλημέρα", "привет", "всем", "会议", "明天", "ありがとう", "ok", "😀", "naïve"};

// Words until one more would be too many bytes, then spaces.
std::string words(std::size_t bytes, const std::array<std::string_view, 12>& from) {
  std::string text;
  for (std::size_t i = 0; text.size() + from[i % 12].size() + 1 <= bytes; i = i * 5 % 12 + 1)
    text.append(from[i % 12]).push_back(' ');
  text.resize(bytes, ' ');
  return text;
}

// The object `{<head>…<tail>}` filled up by whole parts, then by a text member that makes it that long.
std::string filled(std::size_t bytes, std::string text, std::string_view tail,
                   const std::function<std::string(std::size_t)>& part) {
  constexpr std::string_view kNote = R"(,"note":")";
  for (std::size_t i = 0;; ++i) {
    const std::string more = (i == 0 ? "" : ",") + part(i);
    if (text.size() + more.size() + tail.size() + kNote.size() + 2 > bytes) break;
    text.append(more);
  }
  text.append(tail).append(kNote);
  text.resize(bytes - 2, 'x');
  return text.append("\"}");
}

std::string chat(std::size_t bytes, const std::array<std::string_view, 12>& from) {
  const std::string head = R"({"roomId":"lobby","clientMessageId":"a81f3c","content":")";
  return head + words(bytes - head.size() - 2, from) + "\"}";
}

std::string numbers(std::size_t bytes) {
  return filled(bytes, R"({"sensor":17,"values":[)", "]", [](std::size_t i) {
    const std::string whole = std::to_string(i * 7919 % 10'007);
    return i % 3 == 0 ? whole : "-" + whole + "." + std::to_string(i * 104'729 % 9'973 + 1);
  });
}

std::string nested(std::size_t bytes) {
  return filled(bytes, R"({"members":[)", "]", [](std::size_t i) {
    return R"({"id":)" + std::to_string(1000 + i) + R"(,"at":{"x":)" + std::to_string(i * 31 % 97) +
           R"(,"on":true},"tags":["a","b\n"]})";
  });
}

std::vector<Input> make(bool text_only) {
  std::vector<Input> inputs;
  for (const Size& size : kSizes) {
    const std::string name = std::string(size.name) + "-";
    inputs.push_back({name + "ascii", chat(size.bytes, kAsciiWords)});
    inputs.push_back({name + "scripts", chat(size.bytes, kWordsOfManyScripts)});
    if (text_only) continue;
    inputs.push_back({name + "numbers", numbers(size.bytes)});
    inputs.push_back({name + "nested", nested(size.bytes)});
  }
  for (const Input& input : inputs) WIREHALL_ASSERT(input.json.size() >= 128);
  return inputs;
}

}  // namespace

const std::vector<Input>& json_inputs() {
  static const std::vector<Input> inputs = make(false);
  return inputs;
}

const std::vector<Input>& text_inputs() {
  static const std::vector<Input> inputs = make(true);
  return inputs;
}

}  // namespace wirehall::bench
