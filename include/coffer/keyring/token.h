#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "coffer/base/bytes.h"
#include "coffer/base/result.h"
#include "coffer/keyring/key.h"

namespace coffer::keyring {

using Mac = std::array<std::uint8_t, 32>;  // HMAC-SHA256 by coffer-meta
using TokenHandle = unsigned long;         // valid on its instance until Reopen()

// A new version as the token gives it out: wrapped only.
struct NewVersion {
  std::string master;
  Bytes blob;
  std::string hmac_master;
  Bytes hmac_blob;
};

// What the key ring needs of one token instance: one login, one set of sessions and handles. One
// thread at a time; a call may block in the token. The real one is over PKCS#11 (token_setup.h);
// tests inject faults with others. Errors: kTokenLost when the token cannot be reached,
// kTokenFailed for an ambiguous failure, kTokenRefused for its policy.
class Token {
 public:
  virtual ~Token() = default;

  // Generates a version and its HMAC key in the token, wraps both under the newest masters of their
  // classes, destroys the extractable session objects, unwraps the blobs and cross-checks: a blob
  // that does not come back is never returned.
  virtual Result<NewVersion> Generate(KeyType type) = 0;
  // A session object, not extractable, with the one usage of its type.
  virtual Result<TokenHandle> Unwrap(KeyType type, std::string_view master, ByteView blob) = 0;
  virtual void Destroy(TokenHandle handle) = 0;

  // AES-GCM, 96-bit nonce, 128-bit tag. `out` holds in.size() + 16.
  virtual Status Encrypt(TokenHandle key, ByteView nonce, ByteView aad, ByteView in,
                         MutableBytes out) = 0;
  // `out` holds in.size(); the plaintext is its first in.size() - 16 octets. A bad tag is
  // kAuthenticationFailed here: the implementation has asked a canary first, so a lost token is
  // never taken for a bad ciphertext.
  virtual Status Decrypt(TokenHandle key, ByteView nonce, ByteView aad, ByteView in,
                         MutableBytes out) = 0;

  virtual Result<Mac> MetaMac(ByteView data) = 0;
  virtual Status Random(MutableBytes out) = 0;

  // The last committed epoch and the database it belongs to.
  struct Epoch {
    Id database;
    std::uint64_t value = 0;
  };
  virtual Result<Epoch> ReadEpoch() = 0;
  // Durable when it returns. Custodian's instance only.
  virtual Status WriteEpoch(const Epoch& epoch) = 0;

  // Whether the token still answers: its information and one MAC. kTokenLost when it does not.
  virtual Status Probe() = 0;
  // When the present call into the token began, or nothing. Any thread: how a watch sees a call
  // that does not come back. A key pair's generation is given a minute first.
  virtual std::optional<std::chrono::steady_clock::time_point> CallSince() const {
    return std::nullopt;
  }
  // Starts anew after a loss: sessions, login, masters. Every handle is dead afterwards. kTokenLost
  // while it is still away.
  virtual Status Reopen() = 0;
};

}  // namespace coffer::keyring
