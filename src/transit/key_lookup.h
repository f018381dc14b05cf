#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "coffer/base/result.h"
#include "coffer/keyring/key_ring.h"
#include "coffer/transit/engine.h"

namespace coffer::transit {

// The key by name; kInvalid "encryption key not found" where it is absent.
Result<std::shared_ptr<const keyring::Key>> FindForDecryption(keyring::KeyRing& keys,
                                                              const Caller& caller,
                                                              std::string_view name);

// Likewise, rotated first where it must be; an absent key of type `upsert` is made where one is
// given.
Result<std::shared_ptr<const keyring::Key>> FindForEncryption(
    keyring::KeyRing& keys, const Caller& caller, std::string_view name,
    std::optional<keyring::KeyType> upsert);

// Encrypts every item under its version of `key`, in order.
Engine::Encrypted EncryptItems(keyring::KeyRing& keys, const Caller& caller,
                               const keyring::Key& key, std::span<const PlaintextItem> items);

// Whether a failure is the whole server's for now (token away, disk full): then no item of a batch
// could do better, and the caller should come back later.
bool EndsRequest(Code code);

}  // namespace coffer::transit
