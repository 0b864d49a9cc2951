// A text that several keep and nobody changes.
#pragma once

#include <memory>
#include <string>

namespace wirehall::services {

using SharedText = std::shared_ptr<const std::string>;

}  // namespace wirehall::services
