// What is said in each protocol, as data: how a session is opened, and what a request and its answer or
// delivery look like. The client loop does not know protocols apart.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "options.h"

namespace bench {

/// A message of which one field of fixed width changes.
struct Shape {
  std::string prefix;
  std::string suffix;
};

/// One step of opening a session: says something, then waits for a message that begins so.
struct OpeningStep {
  std::string say;     ///< empty: only waits
  std::string expect;  ///< beginning of the message
};

struct Protocol {
  std::string target;  ///< of the upgrade request
  std::vector<OpeningStep> opening;
  Shape request;                      ///< what is sent: to be echoed, or to be published
  Shape arrival;                      ///< what comes: the echo's answer, or the published message's delivery
  std::size_t field_bytes = 0;        ///< width of the changing field
  bool engine_heartbeat = false;      ///< "2" is answered by "3"
  std::vector<std::string> refusals;  ///< a message that begins so means that the server refuses
};

/// Echo: the field is the request's id, four digits. Fan-out: the publisher, two digits, and the time of
/// publishing, 16 hexadecimal digits.
///
/// Errors:   ends the process when options.size_bytes is too small for the message.
Protocol make_protocol(const Options& options);

constexpr std::size_t kIdDigits = 4;
constexpr std::size_t kPublisherDigits = 2;
constexpr std::size_t kStampDigits = 16;

}  // namespace bench
