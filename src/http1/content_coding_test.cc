#include "http1/content_coding.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace wirehall::http1 {
namespace {

std::string chosen(std::string_view header) {
  const auto coding = choose_coding(header);
  return coding ? std::string(coding_name(*coding)) : "none";
}

TEST(ContentCoding, TheClientsPreferenceDecides) {
  EXPECT_EQ(chosen(""), "none");
  EXPECT_EQ(chosen("gzip, deflate, br"), "gzip");
  EXPECT_EQ(chosen("deflate"), "deflate");
  EXPECT_EQ(chosen("GZIP"), "gzip");
  EXPECT_EQ(chosen("br"), "none");
  EXPECT_EQ(chosen("*"), "gzip");
  EXPECT_EQ(chosen("gzip;q=0, *"), "deflate");
  EXPECT_EQ(chosen("gzip;q=0, deflate ; q=0.000"), "none");
  EXPECT_EQ(chosen("gzip;q=0.5, deflate;q=0.8"), "deflate");
  EXPECT_EQ(chosen("gzip;q=1.0, deflate;q=0.8"), "gzip");
  EXPECT_EQ(chosen("identity, ,;q="), "none");
}

std::string inflated(const std::string& bytes) {
  std::string out(1 << 20, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 32), Z_OK);  // either format
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

TEST(ContentCoding, WhatIsEncodedIsReadBack) {
  const std::string texts[] = {"", "a", std::string(100'000, 'x'), std::string("\0\xff\x80", 3)};
  for (const std::string& text : texts) {
    for (const auto coding : {ContentCoding::kGzip, ContentCoding::kDeflate})
      EXPECT_EQ(inflated(encode_body(text, coding)), text);
  }
  EXPECT_EQ(encode_body("x", ContentCoding::kGzip).substr(0, 2), "\x1f\x8b");
}

}  // namespace
}  // namespace wirehall::http1
