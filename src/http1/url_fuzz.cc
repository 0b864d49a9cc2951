// A path that is called safe stays below its root; queries decode to valid UTF-8.
#include "http1/url.h"

#include "base/utf8.h"
#include "http1/forwarded.h"
#include "support/fuzz.h"

using namespace wirehall;

FUZZ_TARGET(http1_url) {
  bool bad = false;
  if (const auto path = http1::safe_relative_path(in.rest(), bad)) {
    FUZZ_CHECK(path->find('\0') == std::string::npos && path->find('\\') == std::string::npos);
    const std::string slashed = "/" + *path;
    FUZZ_CHECK(slashed.find("/.") == std::string::npos);
    FUZZ_CHECK(slashed.size() == 1 || slashed.find("//") == std::string::npos);
  }
  const http1::QueryPairs pairs = http1::parse_query(in.rest());
  FUZZ_CHECK(pairs.size() <= 128);
  for (const auto& [name, value] : pairs) FUZZ_CHECK(is_valid_utf8(name) && is_valid_utf8(value));
  if (const auto address = http1::parse_address(in.rest())) {
    FUZZ_CHECK(http1::parse_address(http1::format_address(*address)) == address);
  }
  const http1::ProxyHeader header = http1::read_proxy_header(in.rest());
  FUZZ_CHECK(header.size <= in.rest().size());
}
