#pragma once

// A lane is a thread's way into the token: one session of an instance, used by one thread. Keys are
// used through it; the key ring owns it. A function that gets a lane runs on that lane's thread;
// only the request that runs keeps it. The use of a loaded key takes no SQL but one commit for each
// 65,536 encryptions, and no token call is made under a lock. Errors: kTokenLost and kTokenFailed
// for the token, refusals (base/refusal.h) for a call that breaks a rule.
// Example: `Lane& lane = keys.GetLanes().OfWorker(request.worker);`

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "coffer/base/bytes.h"
#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "coffer/base/secret_bytes.h"
#include "coffer/keyring/custodian.h"
#include "coffer/keyring/key.h"
#include "coffer/keyring/token.h"

namespace coffer::keyring {

class EncryptionCounts;
class TokenInstance;

inline constexpr std::size_t kNonceOctets = 12;

// One encryption of a batch. `payload` receives nonce (12) || ciphertext || tag (16).
struct Encryption {
  const KeyVersion* version = nullptr;
  ByteView plaintext;
  ByteView aad;
  ByteView context;  // derived keys
  Bytes payload;
  std::optional<Error> error;
};

// The operations on keys that use the token.
class Lane {
 public:
  Lane(TokenInstance& instance, EncryptionCounts& counts, coffer::Random& random)
      : instance_(instance), counts_(counts), random_(random) {}
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // Encrypts the items under `key`'s versions with fresh nonces (token's generator XOR the
  // kernel's). A failed item carries its error; the Status is an error only where nothing can be
  // done (token lost, count cannot be reserved).
  Status Encrypt(const Key& key, std::span<Encryption> items);
  // payload = nonce || ciphertext || tag. kInvalid "invalid ciphertext length",
  // kAuthenticationFailed "cipher: message authentication failed". `context`: derived keys.
  Result<SecretBytes> Decrypt(const Key& key, const KeyVersion& version, ByteView payload,
                              ByteView aad, ByteView context = {});
  // Signs or makes a MAC with the version's signing, HMAC or CMAC key, whichever `how` needs.
  // kInvalid if the token lacks the mechanism.
  Result<Bytes> Sign(const Key& key, const KeyVersion& version, const SignMechanism& how,
                     ByteView data);
  // The raw operation; the padded block. kAuthenticationFailed for a ciphertext of the wrong length
  // or not below the modulus.
  Result<SecretBytes> RsaDecrypt(const Key& key, const KeyVersion& version, ByteView ciphertext);
  // Fills `out` from the token's generator.
  Status Random(MutableBytes out);
  // A MAC by coffer-meta.
  Result<Mac> MetaMac(ByteView data);

  // True for the custodian's lane, on whose thread keys may be changed.
  bool IsCustodians() const;
  // For the key ring's own parts.
  TokenInstance& GetInstance() { return instance_; }

 private:
  // Draws `count` nonces, each from the token's generator XOR the kernel's.
  Result<Bytes> DrawNonces(std::size_t count);
  // Draws the token's half of nonces; the kernel's half is never drawn ahead (docs/key-custody.md,
  // "Nonces").
  Status DrawFromToken(MutableBytes out);
  Status TokenRandom(MutableBytes out);
  Status EncryptOne(const Key& key, Encryption& item, ByteView random_nonce);
  Result<Mac> ConvergentNonce(const Key& key, const Encryption& item);

  TokenInstance& instance_;
  EncryptionCounts& counts_;
  coffer::Random& random_;
  // Bytes of the token's generator, drawn ahead of use: one call for 128 nonces.
  std::array<std::uint8_t, 128 * kNonceOctets> drawn_{};
  std::size_t drawn_left_ = 0;  // at the end of `drawn_`
};

// The lanes of a key ring: one for each worker, and the custodian's. Any thread may look one
// up, but may pass it only to the thread that the lane belongs to.
class Lanes {
 public:
  Lanes(std::vector<std::unique_ptr<Lane>> workers, std::unique_ptr<Lane> custodians)
      : workers_(std::move(workers)), custodians_(std::move(custodians)) {}

  // The lane of the worker with this number.
  Lane& OfWorker(std::size_t number) { return *workers_.at(number); }
  Lane& OfCustodian(const CustodianTurn&) { return *custodians_; }

 private:
  const std::vector<std::unique_ptr<Lane>> workers_;
  const std::unique_ptr<Lane> custodians_;
};

}  // namespace coffer::keyring
