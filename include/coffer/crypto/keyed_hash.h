#pragma once

#include <memory>

#include "coffer/base/bytes.h"
#include "coffer/base/secret_bytes.h"
#include "coffer/crypto/digest.h"

namespace coffer::crypto {

// HMAC-SHA256 (RFC 2104) of many short values under one key, whose state is prepared once.
// Thread-safe. It is used for look-up hashes and audit salts, never for data keys.
class KeyedHash {
 public:
  explicit KeyedHash(const SecretBytes& key);
  ~KeyedHash();
  KeyedHash(const KeyedHash&) = delete;
  KeyedHash& operator=(const KeyedHash&) = delete;

  Sha256Digest Of(ByteView data) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::crypto
