#include "push/p256.h"

#include <openssl/core_names.h>

#include "base/assert.h"

namespace wirehall::push {
namespace {

using namespace auth;

constexpr char kCurve[] = "prime256v1";

using GroupPtr = std::unique_ptr<EC_GROUP, OpensslFree<EC_GROUP_free>>;
using PointPtr = std::unique_ptr<EC_POINT, OpensslFree<EC_POINT_clear_free>>;
using SecretNumberPtr = std::unique_ptr<BIGNUM, OpensslFree<BN_clear_free>>;

PkeyPtr from_params(OSSL_PARAM_BLD* build, int selection) {
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(build));
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* made = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, selection, params.get()) != 1) {
    return nullptr;
  }
  return PkeyPtr(made);
}

bool push_public(OSSL_PARAM_BLD* build, std::string_view point) {
  return OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, kCurve, 0) == 1 &&
         OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) == 1;
}

// OpenSSL's own way of making keys from numbers does not compute the point.
std::string point_for(const EC_GROUP& group, const BIGNUM& scalar) {
  const PointPtr point(EC_POINT_new(&group));
  std::string bytes(kPointBytes, '\0');
  if (!point || EC_POINT_mul(&group, point.get(), &scalar, nullptr, nullptr, nullptr) != 1 ||
      EC_POINT_point2oct(&group, point.get(), POINT_CONVERSION_UNCOMPRESSED, bytes_of(bytes), bytes.size(),
                         nullptr) != bytes.size()) {
    return {};
  }
  return bytes;
}

}  // namespace

PkeyPtr generate_p256() {
  const OpensslErrorScope errors;
  return PkeyPtr(EVP_EC_gen(kCurve));
}

PkeyPtr p256_from_point(std::string_view point) {
  const OpensslErrorScope errors;
  if (point.size() != kPointBytes || point.front() != '\x04') return nullptr;
  const ParamBldPtr build(OSSL_PARAM_BLD_new());
  if (!build || !push_public(build.get(), point)) return nullptr;
  PkeyPtr key = from_params(build.get(), EVP_PKEY_PUBLIC_KEY);
  if (!key) return nullptr;
  const PkeyCtxPtr context(EVP_PKEY_CTX_new(key.get(), nullptr));
  if (!context || EVP_PKEY_public_check(context.get()) != 1) return nullptr;
  return key;
}

PkeyPtr p256_from_scalar(std::string_view scalar) {
  const OpensslErrorScope errors;
  if (scalar.size() != kScalarBytes) return nullptr;
  const GroupPtr group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  const SecretNumberPtr number(BN_secure_new());
  if (!group || !number ||
      BN_bin2bn(bytes_of(scalar), static_cast<int>(scalar.size()), number.get()) == nullptr)
    return nullptr;
  BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  if (BN_is_zero(number.get()) || BN_cmp(number.get(), EC_GROUP_get0_order(group.get())) >= 0) return nullptr;
  const std::string point = point_for(*group, *number);
  const ParamBldPtr build(OSSL_PARAM_BLD_new());
  if (point.empty() || !build || !push_public(build.get(), point) ||
      OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_PRIV_KEY, number.get()) != 1) {
    return nullptr;
  }
  return from_params(build.get(), EVP_PKEY_KEYPAIR);
}

std::string point_of(const EVP_PKEY& key) {
  const OpensslErrorScope errors;
  std::string point(kPointBytes, '\0');
  std::size_t length = 0;
  if (EVP_PKEY_get_octet_string_param(&key, OSSL_PKEY_PARAM_PUB_KEY, bytes_of(point), point.size(),
                                      &length) != 1 ||
      length != point.size()) {
    return {};
  }
  return point;
}

std::string scalar_of(const EVP_PKEY& key) {
  const OpensslErrorScope errors;
  BIGNUM* raw = nullptr;
  EVP_PKEY_get_bn_param(&key, OSSL_PKEY_PARAM_PRIV_KEY, &raw);
  const SecretNumberPtr number(raw);
  WIREHALL_ASSERT(number != nullptr);
  std::string scalar(kScalarBytes, '\0');
  if (BN_bn2binpad(number.get(), bytes_of(scalar), static_cast<int>(scalar.size())) < 0) return {};
  return scalar;
}

std::string shared_secret(EVP_PKEY& own, EVP_PKEY& peer) {
  const OpensslErrorScope errors;
  const PkeyCtxPtr context(EVP_PKEY_CTX_new(&own, nullptr));
  std::string secret(kScalarBytes, '\0');
  std::size_t length = secret.size();
  if (!context || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), &peer) != 1 ||
      EVP_PKEY_derive(context.get(), bytes_of(secret), &length) != 1 || length != secret.size()) {
    return {};
  }
  return secret;
}

}  // namespace wirehall::push
