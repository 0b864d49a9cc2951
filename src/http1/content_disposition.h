// The name under which a download is offered (RFC 6266, RFC 8187).
#pragma once

#include <string>
#include <string_view>

namespace wirehall::http1 {

/// `attachment; filename="R_sum_.pdf"; filename*=UTF-8''R%C3%A9sum%C3%A9.pdf` for any bytes a sender chose.
///
/// Effects:  ill-formed UTF-8 becomes U+FFFD; slashes, backslashes, control characters, line separators and
///           what changes the direction of text become `_`, so that a name neither leads out of a folder nor
///           looks as if it had another ending. A name of nothing but dots and blanks becomes `file`.
/// Returns:  a value of printable ASCII; the name is cut, at a character, to 255 bytes.
std::string attachment_disposition(std::string_view name);

}  // namespace wirehall::http1
