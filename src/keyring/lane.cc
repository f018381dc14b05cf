// The hot path: a thread's own session, its nonces and the counts. No SQL but one commit for each
// 65,536 encryptions.

#include "coffer/keyring/lane.h"

#include <algorithm>
#include <utility>

#include "keyring/encryption_counts.h"
#include "keyring/token_instance.h"

namespace coffer::keyring {
namespace {

constexpr std::size_t kTagOctets = 16;

Use UseOf(SignMechanism::Kind kind) {
  if (kind == SignMechanism::Kind::kHmac) return Use::kHmac;
  return kind == SignMechanism::Kind::kCmac ? Use::kCmac : Use::kSign;
}

}  // namespace

Status Lane::TokenRandom(MutableBytes out) {
  Status done = instance_.GetToken().Random(out);
  if (!done && IsDoubtful(done.error())) {
    COFFER_TRY(instance_.Recover(done.error()));
    done = instance_.GetToken().Random(out);
  }
  return done;
}

Status Lane::DrawFromToken(MutableBytes out) {
  if (out.size() > drawn_.size()) return TokenRandom(out);
  if (out.size() > drawn_left_) {
    drawn_left_ = 0;
    COFFER_TRY(TokenRandom(drawn_));
    drawn_left_ = drawn_.size();
  }
  const auto next = drawn_.end() - static_cast<std::ptrdiff_t>(drawn_left_);
  std::copy_n(next, out.size(), out.begin());
  drawn_left_ -= out.size();
  return {};
}

Result<Bytes> Lane::DrawNonces(std::size_t count) {
  Bytes nonces(count * kNonceOctets);
  COFFER_TRY(DrawFromToken(nonces));
  Bytes kernel(nonces.size());
  random_.Fill(kernel);
  for (std::size_t i = 0; i < nonces.size(); ++i) nonces[i] ^= kernel[i];
  return nonces;
}

// HMAC-SHA256(K_nonce, be64(length of aad) || aad || plaintext): its first 12 bytes are the nonce.
// Equal nonces therefore mean equal messages under the same key.
Result<Mac> Lane::ConvergentNonce(const Key& key, const Encryption& item) {
  COFFER_ASSIGN(const TokenHandle handle,
                instance_.DerivedHandleFor(key, *item.version, DerivedUse::kNonce, item.context));
  SecretBytes input(8 + item.aad.size() + item.plaintext.size());
  const MutableBytes out = input.RevealMutable();
  for (std::size_t i = 0; i < 8; ++i) {
    out[i] = static_cast<std::uint8_t>(std::uint64_t{item.aad.size()} >> (56 - 8 * i));
  }
  std::ranges::copy(item.aad, out.begin() + 8);
  std::ranges::copy(item.plaintext, out.begin() + 8 + static_cast<std::ptrdiff_t>(item.aad.size()));
  Mac mac{};
  COFFER_ASSIGN(
      const std::size_t octets,
      instance_.GetToken().Sign(handle, {SignMechanism::Kind::kHmac}, input.Reveal(), mac));
  if (octets != mac.size()) {
    return Fail(Code::kTokenFailed, "token returned a MAC of the wrong length");
  }
  return mac;
}

Status Lane::EncryptOne(const Key& key, Encryption& item, ByteView random_nonce) {
  COFFER_ASSIGN(const TokenHandle handle,
                instance_.CipherHandleFor(key, *item.version, item.context));
  Mac convergent{};
  if (key.convergent) {
    COFFER_ASSIGN(convergent, ConvergentNonce(key, item));
  }
  const ByteView nonce = key.convergent ? ByteView(convergent).first(kNonceOctets) : random_nonce;
  item.payload.resize(kNonceOctets + item.plaintext.size() + kTagOctets);
  std::copy(nonce.begin(), nonce.end(), item.payload.begin());
  const MutableBytes sealed = MutableBytes(item.payload).subspan(kNonceOctets);
  return instance_.GetToken().Encrypt(handle, key.Info().cipher(), nonce, item.aad, item.plaintext,
                                      sealed);
}

Status Lane::Encrypt(const Key& key, std::span<Encryption> items) {
  COFFER_TRY(instance_.Refresh());
  if (key.settings.rotation_required) return Fail(Refusal::kRotationRequired);
  COFFER_ASSIGN(const Bytes nonces, DrawNonces(items.size()));
  for (std::size_t i = 0; i < items.size(); ++i) {
    Encryption& item = items[i];
    if (item.version == nullptr) continue;  // its caller has set the error already
    if (const Status reserved = counts_.Reserve(key, *item.version, 1); !reserved) {
      if (reserved.error().refusal != Refusal::kVersionExhausted) return Fail(reserved.error());
      item.error = reserved.error();
      continue;
    }
    const ByteView nonce = ByteView(nonces).subspan(i * kNonceOctets, kNonceOctets);
    Status done = EncryptOne(key, item, nonce);
    if (!done && IsDoubtful(done.error())) {
      COFFER_TRY(instance_.Recover(done.error()));
      // A second try takes a fresh nonce: the outcome of the first one is unknown, and it may have
      // used its nonce.
      COFFER_ASSIGN(const Bytes fresh, DrawNonces(1));
      done = EncryptOne(key, item, fresh);
    }
    if (!done && done.error().code == Code::kTokenLost) return Fail(std::move(done).error());
    if (!done) item.error = std::move(done).error();
  }
  return {};
}

Result<SecretBytes> Lane::Decrypt(const Key& key, const KeyVersion& version, ByteView payload,
                                  ByteView aad, ByteView context) {
  if (payload.size() < kNonceOctets + kTagOctets) {
    return Fail(Refusal::kCiphertextLength);
  }
  const ByteView nonce = payload.first(kNonceOctets);
  const ByteView sealed = payload.subspan(kNonceOctets);
  SecretBytes plaintext(sealed.size());  // the token needs room for the tag, too
  COFFER_TRY(instance_.Attempt([&]() -> Status {
    COFFER_ASSIGN(const TokenHandle handle, instance_.CipherHandleFor(key, version, context));
    return instance_.GetToken().Decrypt(handle, key.Info().cipher(), nonce, aad, sealed,
                                        plaintext.RevealMutable());
  }));
  plaintext.Truncate(sealed.size() - kTagOctets);
  return plaintext;
}

Status Lane::Random(MutableBytes out) {
  COFFER_TRY(instance_.Refresh());
  return TokenRandom(out);
}

Result<Bytes> Lane::Sign(const Key& key, const KeyVersion& version, const SignMechanism& how,
                         ByteView data) {
  std::array<std::uint8_t, kMaxSignatureOctets> out{};
  std::size_t octets = 0;
  COFFER_TRY(instance_.Attempt([&]() -> Status {
    COFFER_ASSIGN(const TokenHandle handle, instance_.HandleFor(key, version, UseOf(how.kind)));
    COFFER_ASSIGN(octets, instance_.GetToken().Sign(handle, how, data, out));
    return {};
  }));
  return Bytes(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(octets));
}

Result<SecretBytes> Lane::RsaDecrypt(const Key& key, const KeyVersion& version,
                                     ByteView ciphertext) {
  // A ciphertext that no encryption can make is refused here: the token could not say why it
  // failed.
  if (!version.public_key || !version.public_key->InRange(ciphertext)) {
    return Fail(Refusal::kRsaDecryptionFailed);
  }
  SecretBytes block(ciphertext.size());
  COFFER_TRY(instance_.Attempt([&]() -> Status {
    COFFER_ASSIGN(const TokenHandle handle, instance_.HandleFor(key, version, Use::kCipher));
    return instance_.GetToken().RsaDecrypt(handle, ciphertext, block.RevealMutable());
  }));
  return block;
}

Result<Mac> Lane::MetaMac(ByteView data) {
  Mac mac{};
  COFFER_TRY(instance_.Attempt([&]() -> Status {
    COFFER_ASSIGN(mac, instance_.GetToken().MetaMac(data));
    return {};
  }));
  return mac;
}

bool Lane::IsCustodians() const { return instance_.IsCustodians(); }

}  // namespace coffer::keyring
