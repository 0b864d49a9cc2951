#include "base/secret.h"

#include <cstddef>

namespace wirehall {

bool same_secret(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  // Volatile: the compiler may not stop at the first difference.
  volatile unsigned char difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

}  // namespace wirehall
