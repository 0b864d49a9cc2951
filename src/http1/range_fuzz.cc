// What stands in the fields of a download's request, and the name that its answer gives the file.
#include "http1/range.h"

#include "base/utf8.h"
#include "http1/conditional.h"
#include "http1/content_disposition.h"
#include "http1/response.h"
#include "http1/url.h"
#include "support/fuzz.h"

using namespace wirehall;

FUZZ_TARGET(http1_range) {
  std::uint64_t size = 0;
  for (std::size_t digits = in.byte() % 9; digits != 0; --digits) size = size << 8 | in.byte();
  const std::string field = in.take(in.byte());
  const http1::RangeChoice choice = http1::choose_range(field, size);
  std::string text;
  switch (choice.kind) {
    case http1::RangeChoice::Kind::kPart:
      FUZZ_CHECK(choice.size >= 1 && choice.offset < size && choice.size <= size - choice.offset);
      text = http1::content_range(choice, size);
      FUZZ_CHECK(http1::choose_range("bytes=" + text.substr(6, text.find('/') - 6), size) == choice);
      break;
    case http1::RangeChoice::Kind::kWhole: FUZZ_CHECK(choice.offset == 0 && choice.size == size); break;
    case http1::RangeChoice::Kind::kUnsatisfiable: FUZZ_CHECK(choice.offset == 0 && choice.size == 0); break;
  }
  const std::string list = in.take(in.byte());
  const bool weak = http1::etag_list_matches(list, "\"tag\"", http1::EtagComparison::kWeak);
  const bool strong = http1::etag_list_matches(list, "\"tag\"", http1::EtagComparison::kStrong);
  FUZZ_CHECK(weak || !strong);
  FUZZ_CHECK(!weak || list.find("\"tag\"") != std::string::npos || list.find('*') != std::string::npos);
  const std::string value = http1::attachment_disposition(in.rest());
  FUZZ_CHECK(http1::is_safe_header_value(value));
  const std::size_t exact = value.find("\"; filename*=UTF-8''", 22);
  FUZZ_CHECK(exact != std::string::npos && value.find_first_of("\"\\;", 22) == exact);
  const auto name = http1::percent_decode(std::string_view(value).substr(exact + 20));
  FUZZ_CHECK(name && is_valid_utf8(*name) && !name->empty() && name->size() <= 255);
  FUZZ_CHECK(name->find_first_of(std::string_view("/\\\r\n\0", 5)) == std::string::npos);
}
