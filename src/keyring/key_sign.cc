// Signing, MACs and raw RSA decryption: by the worker's own thread, as key_use.cc.

#include <algorithm>
#include <array>
#include <utility>

#include "keyring/key_ring_impl.h"

namespace coffer::keyring {
namespace {

Use UseOf(SignMechanism::Kind kind) {
  if (kind == SignMechanism::Kind::kHmac) return Use::kHmac;
  return kind == SignMechanism::Kind::kCmac ? Use::kCmac : Use::kSign;
}

}  // namespace

Result<Bytes> KeyRing::Sign(std::size_t worker, const Key& key, const KeyVersion& version,
                            const SignMechanism& how, ByteView data) {
  Impl::Worker& own = impl_->WorkerAt(worker);
  std::array<std::uint8_t, kMaxSignatureOctets> out{};
  std::size_t octets = 0;
  COFFER_TRY(impl_->Attempt(own, [&]() -> Status {
    COFFER_ASSIGN(const TokenHandle handle, impl_->HandleFor(own, key, version, UseOf(how.kind)));
    COFFER_ASSIGN(octets, own.token->Sign(handle, how, data, out));
    return {};
  }));
  return Bytes(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(octets));
}

Result<SecretBytes> KeyRing::RsaDecrypt(std::size_t worker, const Key& key,
                                        const KeyVersion& version, ByteView ciphertext) {
  // A ciphertext that no encryption can make is refused here: the token could not say why it
  // failed.
  if (!version.public_key || !version.public_key->InRange(ciphertext)) {
    return Fail(Refusal::kRsaDecryptionFailed);
  }
  Impl::Worker& own = impl_->WorkerAt(worker);
  SecretBytes block(ciphertext.size());
  COFFER_TRY(impl_->Attempt(own, [&]() -> Status {
    COFFER_ASSIGN(const TokenHandle handle, impl_->HandleFor(own, key, version, Use::kCipher));
    return own.token->RsaDecrypt(handle, ciphertext, block.RevealMutable());
  }));
  return block;
}

}  // namespace coffer::keyring
