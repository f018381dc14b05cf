#include <openssl/bn.h>
#include <openssl/ecdsa.h>

#include <algorithm>
#include <memory>

#include "coffer/crypto/public_key.h"
#include "openssl_scope.h"

namespace coffer::crypto {
namespace {

using NumberPointer = std::unique_ptr<BIGNUM, FreeWith<::BN_free>>;
using SignaturePointer = std::unique_ptr<ECDSA_SIG, FreeWith<::ECDSA_SIG_free>>;

}  // namespace

Bytes EcdsaToDer(ByteView fixed) {
  const ErrorMark mark;
  const auto width = static_cast<int>(fixed.size() / 2);
  const SignaturePointer signature(::ECDSA_SIG_new());
  NumberPointer r(::BN_bin2bn(fixed.data(), width, nullptr));
  NumberPointer s(::BN_bin2bn(fixed.data() + width, width, nullptr));
  if (!signature || !r || !s || ::ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) return {};
  static_cast<void>(r.release());  // the signature's now
  static_cast<void>(s.release());
  unsigned char* der = nullptr;
  const int size = ::i2d_ECDSA_SIG(signature.get(), &der);
  if (size <= 0) return {};
  Bytes out(der, der + size);
  ::OPENSSL_free(der);
  return out;
}

Result<Bytes> EcdsaFromDer(ByteView der, std::size_t width) {
  const ErrorMark mark;
  const auto invalid = [] { return Fail(Refusal::kSignatureMalformed); };
  if (!FitsLong(der)) return invalid();
  const unsigned char* at = der.data();
  const SignaturePointer signature(::d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (!signature) return invalid();
  if (at != der.data() + der.size()) {
    return Fail(Refusal::kSignatureHasMore);
  }
  Bytes fixed(2 * width);
  const auto octets = static_cast<int>(width);
  if (::BN_bn2binpad(::ECDSA_SIG_get0_r(signature.get()), fixed.data(), octets) != octets ||
      ::BN_bn2binpad(::ECDSA_SIG_get0_s(signature.get()), fixed.data() + width, octets) != octets) {
    return invalid();
  }
  // OpenSSL reads lengths that are not DER's; one signature has one encoding.
  const Bytes canonical = EcdsaToDer(fixed);
  if (!std::equal(canonical.begin(), canonical.end(), der.begin(), der.end())) return invalid();
  return fixed;
}

}  // namespace coffer::crypto
