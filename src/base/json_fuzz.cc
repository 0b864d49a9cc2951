// Accepted texts parse and re-parse; slices cover what they should; refusals are the documented ones.
#include "base/json.h"
#include "base/utf8.h"
#include "support/fuzz.h"

using namespace wirehall;

FUZZ_TARGET(base_json) {
  const std::string text(in.rest());
  if (!is_valid_utf8(text)) {
    FUZZ_CHECK(!json::parse(text).ok());
    return;
  }
  const json::Status status = json::validate(text, 32);
  const Result<Value> parsed = json::parse(text);
  FUZZ_CHECK(parsed.ok() == (status == json::Status::kOk));
  std::vector<json::Slice> elements;
  std::vector<json::MemberSlice> members;
  const json::Status as_array = json::slice_array(text, 32, elements);
  const json::Status as_object = json::slice_object(text, 32, members);
  if (!parsed.ok()) {
    FUZZ_CHECK(as_array != json::Status::kOk && as_object != json::Status::kOk);
    return;
  }
  const std::string written = parsed->to_json();
  const Result<Value> again = json::parse(written);
  FUZZ_CHECK(again.ok() && again->to_json() == written);
  FUZZ_CHECK(parsed->is_array() == (as_array == json::Status::kOk) || as_array == json::Status::kTooMany);
  FUZZ_CHECK(parsed->is_object() == (as_object == json::Status::kOk) || as_object == json::Status::kTooMany);
  if (as_array == json::Status::kOk) {
    FUZZ_CHECK(elements.size() == parsed->as_array().size());
    for (std::size_t i = 0; i < elements.size(); ++i) {
      FUZZ_CHECK(json::parse_validated(elements[i].text).to_json() == parsed->as_array()[i].to_json());
    }
  }
  for (const auto& member : members) {
    if (as_object == json::Status::kOk) FUZZ_CHECK(json::validate(member.value.text, 31) == json::Status::kOk);
  }
}
