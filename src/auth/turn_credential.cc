#include "auth/turn_credential.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "base/assert.h"
#include "base/base64.h"

namespace wirehall::auth {

std::string turn_credential(std::string_view secret, std::string_view user_name) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac;
  unsigned int size = 0;
  const unsigned char* made =
      HMAC(EVP_sha1(), secret.data(), static_cast<int>(secret.size()),
           reinterpret_cast<const unsigned char*>(user_name.data()), user_name.size(), mac.data(), &size);
  WIREHALL_ASSERT(made != nullptr);
  return to_base64({reinterpret_cast<const char*>(mac.data()), size});
}

}  // namespace wirehall::auth
