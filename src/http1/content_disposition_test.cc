// Names of downloads: whatever bytes a sender chose, one safe header value.
#include "http1/content_disposition.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "base/utf8.h"
#include "http1/url.h"
#include "support/seed.h"

namespace wirehall::http1 {
namespace {

std::string value(std::string_view fallback, std::string_view exact) {
  return "attachment; filename=\"" + std::string(fallback) + "\"; filename*=UTF-8''" + std::string(exact);
}

TEST(ContentDisposition, Rfc6266NamesHaveAFallbackAndAnExactForm) {
  struct Case {
    std::string name, fallback, exact;
  };
  const Case cases[] = {
      {"report.pdf", "report.pdf", "report.pdf"},
      {"my report (1).pdf", "my report (1).pdf", "my%20report%20%281%29.pdf"},
      {"R\xc3\xa9sum\xc3\xa9.pdf", "R_sum_.pdf", "R%C3%A9sum%C3%A9.pdf"},
      {"\xe2\x82\xac rates", "_ rates", "%E2%82%AC%20rates"},
      {"\xf0\x9f\x98\x80.png", "_.png", "%F0%9F%98%80.png"},
      {"a\"b.txt", "a_b.txt", "a%22b.txt"},
      {"\"; filename=\"evil.exe", "__ filename=_evil.exe", "%22%3B%20filename%3D%22evil.exe"},
      {"it's 100%.txt", "it's 100_.txt", "it%27s%20100%25.txt"},
      {"a%0d%0aSet-Cookie: x", "a_0d_0aSet-Cookie: x", "a%250d%250aSet-Cookie%3A%20x"},
      {"a;b=c,d*e", "a_b=c,d*e", "a%3Bb%3Dc%2Cd%2Ae"},
      {"; filename*=UTF-8''evil.exe", "_ filename*=UTF-8''evil.exe",
       "%3B%20filename%2A%3DUTF-8%27%27evil.exe"},
      {"a\r\nSet-Cookie: x=y", "a__Set-Cookie: x=y", "a__Set-Cookie%3A%20x%3Dy"},
      {std::string("a\0b", 3), "a_b", "a_b"},
      {"tab\there\x7f", "tab_here_", "tab_here_"},
      {"\xc2\x85\xc2\x9f", "__", "__"},
      {"../../etc/passwd", ".._.._etc_passwd", ".._.._etc_passwd"},
      {"C:\\temp\\x.txt", "C:_temp_x.txt", "C%3A_temp_x.txt"},
      {"invoice\xe2\x80\xaegnp.exe", "invoice_gnp.exe", "invoice_gnp.exe"},
      {"\xe2\x81\xa6x\xe2\x81\xa9\xd8\x9c\xe2\x80\x8f\xef\xbb\xbf", "_x____", "_x____"},
      {"line\xe2\x80\xa8separator", "line_separator", "line_separator"},
      {"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80", "___", "%F0%9F%91%A9%E2%80%8D%F0%9F%9A%80"},
      {"\xff\xfe", "__", "%EF%BF%BD%EF%BF%BD"},
      {"", "file", "file"},
      {".", "file", "file"},
      {" .. ", "file", "file"},
      {".profile", ".profile", ".profile"},
  };
  for (const Case& one : cases) EXPECT_EQ(attachment_disposition(one.name), value(one.fallback, one.exact));
}

TEST(ContentDisposition, NamesAreCutAtACharacter) {
  const std::string plain(255, 'a');
  EXPECT_EQ(attachment_disposition(plain), value(plain, plain));
  EXPECT_EQ(attachment_disposition(plain + "b"), value(plain, plain));
  EXPECT_EQ(attachment_disposition(std::string(254, 'a') + "\xc3\xa9"),
            value(std::string(254, 'a'), std::string(254, 'a')));
  EXPECT_EQ(attachment_disposition(std::string(253, 'a') + "\xc3\xa9"),
            value(std::string(253, 'a') + "_", std::string(253, 'a') + "%C3%A9"));
  std::string emoji;
  for (int i = 0; i < 64; ++i) emoji += "\xf0\x9f\x98\x80";
  const std::string long_name = attachment_disposition(emoji + std::string(1'000'000, 'x'));
  EXPECT_LT(long_name.size(), 1100u);
  EXPECT_NE(long_name.find("filename=\"" + std::string(63, '_') + "\";"), std::string::npos);
}

TEST(ContentDisposition, NoNameLeavesItsPlace) {
  SeededRandom random(test::seed());
  const std::string_view alphabet =
      "\"\\;=,*'%/\r\n\t .a\xc3\xa9\xe2\x80\xae\xf0\x9f\x98\x80\xed\xa0\x80\x7f";
  for (int round = 0; round < 20'000; ++round) {
    std::string name;
    for (std::size_t size = random.below(40); name.size() < size;)
      name.push_back(alphabet[random.below(alphabet.size())]);
    const std::string text = attachment_disposition(name);
    for (const char c : text) ASSERT_TRUE(c >= ' ' && c < 0x7f) << testing::PrintToString(name);
    const std::size_t exact = text.find("\"; filename*=UTF-8''", 22);
    ASSERT_TRUE(text.starts_with("attachment; filename=\"") && exact != std::string::npos) << text;
    const std::string fallback = text.substr(22, exact - 22);
    ASSERT_EQ(fallback.find_first_of("\"\\%/;"), std::string::npos) << text;
    const auto decoded = percent_decode(std::string_view(text).substr(exact + 20));
    ASSERT_TRUE(decoded.has_value() && is_valid_utf8(*decoded)) << text;
    ASSERT_EQ(decoded->find_first_of("/\\\r\n"), std::string::npos);
    ASSERT_EQ(text.find_first_of(" ;,\"'\\", exact + 20), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace wirehall::http1
