#pragma once

#include <openssl/evp.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "coffer/crypto/public_key.h"
#include "openssl_scope.h"
#include "p256_table.h"

namespace coffer::crypto {

using PkeyPointer = std::unique_ptr<EVP_PKEY, FreeWith<::EVP_PKEY_free>>;

struct PublicKey::Handle {
  explicit Handle(PkeyPointer parsed) : key(std::move(parsed)) {}
  ~Handle() { delete table.load(); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  const PkeyPointer key;
  // What confirmations learn; the key itself never changes.
  std::atomic<std::uint64_t> confirmed_without{0};
  std::atomic<bool> table_is_due{false};
  std::atomic<const P256Table*> table{nullptr};  // owned
};

}  // namespace coffer::crypto
