#pragma once

#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "coffer/base/secret_bytes.h"
#include "coffer/crypto/digest.h"
#include "coffer/crypto/public_key.h"

namespace coffer::crypto {

// The private key of a file in PEM or DER, of any of the usual forms, as PKCS#8 in DER (RFC 5958).
// kNotFound for what is no private key, kInvalid for one that a passphrase protects.
Result<SecretBytes> PrivateKeyAsPkcs8(const SecretBytes& file);

// A key for an import into a server: a random AES-256 key under RSA-OAEP, then `key` under that
// with AES-KWP (RFC 5649), as Vault's import expects them.
Result<Bytes> WrapForImport(const PublicKey& wrapping_key, HashAlgorithm hash,
                            const SecretBytes& key, Random& random);

}  // namespace coffer::crypto
