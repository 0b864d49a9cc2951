#include "wirehall/result.h"

#include <array>

namespace wirehall {
namespace {

constexpr std::array kCatalog = {
#define WIREHALL_ERROR(enumerator, code, text, http, close, retry) ErrorInfo{code, text, http, close, retry},
#include "wirehall/error_catalog.inc"
#undef WIREHALL_ERROR
};

}  // namespace

const ErrorInfo& error_info(ErrorCode code) { return kCatalog[static_cast<std::size_t>(code)]; }

std::string Error::text() const {
  std::string text(error_info(code_).text);
  if (!detail_.empty()) text.append(": ").append(detail_);
  return text;
}

}  // namespace wirehall
