#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "coffer/base/result.h"
#include "coffer/keyring/key_ring.h"
#include "coffer/transit/engine.h"

namespace coffer::transit {

// The key by name; kNoKeyToUse where there is none.
FoundKey FindKey(keyring::KeyRing& keys, const Caller& caller, std::string_view name,
                 Purpose purpose);

// The key to encrypt with. It is rotated first if it must be; if it is absent and `upsert` is
// given, it is made. It is looked up if `target` is null.
FoundKey FindForEncryption(keyring::KeyRing& keys, const Caller& caller, std::string_view name,
                           const std::optional<keyring::CreateOptions>& upsert,
                           const EncryptionTarget* target = nullptr);
// Returns what an encryption with the key depends on.
Result<EncryptionTarget> TargetOf(keyring::KeyRing& keys, const Caller& caller,
                                  std::string_view name);

// kContextMissing where a derived key is used without a context.
Status CheckContext(const keyring::Key& key, ByteView context);
// kPurposeUnsupported where the type does not encrypt.
Status CheckEncrypts(const keyring::Key& key, Purpose purpose);

// Encrypts every item under its version of `key`, in order.
Engine::Encrypted EncryptItems(const Caller& caller, const keyring::Key& key,
                               std::span<const PlaintextItem> items);

// RSA-OAEP with SHA-256 (rsa.cc): the public key's part is done here, the private one's in the
// token.
Engine::Encrypted EncryptRsa(const keyring::Key& key, std::span<const PlaintextItem> items);
Result<SecretBytes> DecryptRsa(const Caller& caller, const keyring::Key& key,
                               const keyring::KeyVersion& version, const CiphertextItem& item);

// True if the failure concerns the whole server for now (token away, disk full). No other item of a
// batch could succeed then, and the client should come back later.
bool EndsRequest(Code code);

}  // namespace coffer::transit
