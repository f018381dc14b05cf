#pragma once

#include "coffer/base/bytes.h"
#include "coffer/base/result.h"
#include "coffer/keyring/token.h"
#include "coffer/pkcs11/session.h"
#include "keyring/object_maker.h"

namespace coffer::keyring {

// coffer-kdf-aesecb-1 (docs/formats.md): two steps of CKM_AES_ECB_ENCRYPT_DATA from a base key that
// never leaves the token. `base` may derive only.
//   h  = SHA-512("coffer-kdf-aesecb-1" || 00 || purpose || be64(length of context) || context)
//   K1 = AES-256(base; 00 || h[0..15), 01 || h[0..15))
//   K2 = AES-256(K1;   02 || h[15..30), 03 || h[15..30)), cut to the wanted length
// `spec`: the derived key's type. A session object, not extractable, of the one use.
Result<pkcs11::ObjectHandle> DeriveAesEcb1(ObjectMaker& maker, pkcs11::Session& session,
                                           const KeySpec& spec, pkcs11::ObjectHandle base,
                                           DerivedUse use, ByteView context);

// hkdf_sha256 (docs/formats.md): CKM_HKDF_DERIVE, extract and expand, with the context for its
// info, as the reference derives the key that encrypts. The nonces' key has a salt of its own,
// because any info may be somebody's context.
Result<pkcs11::ObjectHandle> DeriveHkdfSha256(ObjectMaker& maker, pkcs11::Session& session,
                                              const KeySpec& spec, pkcs11::ObjectHandle base,
                                              DerivedUse use, ByteView context);

// Derives a key by the spec's KDF.
Result<pkcs11::ObjectHandle> DeriveKey(ObjectMaker& maker, pkcs11::Session& session,
                                       const KeySpec& spec, pkcs11::ObjectHandle base,
                                       DerivedUse use, ByteView context);

// The two steps' data, 32 bytes each.
struct AesEcb1Blocks {
  Bytes first;
  Bytes second;
};
AesEcb1Blocks BlocksOf(DerivedUse use, ByteView context);

}  // namespace coffer::keyring
