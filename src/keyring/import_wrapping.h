#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "coffer/base/result.h"
#include "coffer/crypto/digest.h"
#include "coffer/crypto/public_key.h"
#include "coffer/keyring/token.h"
#include "coffer/pkcs11/session.h"
#include "keyring/object_maker.h"

namespace coffer::keyring {

// The key pair in the token that imports are wrapped for (docs/key-custody.md, "Import"). There are
// two kinds, and one token uses one of them: with ImportedThrough::kToken the private key unwraps
// an AES key by OAEP and does nothing else; with kProcess it does the raw RSA operation and nothing
// else.
// These functions make token calls on the session's thread.

// kNoObject where there is none; kTokenRefused for one that is not as it was made.
Result<pkcs11::ObjectHandle> FindImportWrappingKey(pkcs11::Session& session,
                                                   ImportedThrough through);
Result<pkcs11::ObjectHandle> MakeImportWrappingKey(pkcs11::Session& session, ObjectMaker& maker,
                                                   ImportedThrough through);
// Destroys the keys of both kinds. What was wrapped for them can never be opened again.
Status DestroyImportWrappingKeys(pkcs11::Session& session);

// Opens the AES key of an import: a session object by EphemeralRecipe().
Result<pkcs11::ObjectHandle> OpenEphemeral(pkcs11::Session& session, ObjectMaker& maker,
                                           ImportedThrough through, pkcs11::ObjectHandle wrapping,
                                           crypto::HashAlgorithm hash, ByteView wrapped);
// The hashes of RSA-OAEP that imports can be wrapped with, found by opening one key with each.
Result<std::vector<crypto::HashAlgorithm>> FindOaepHashes(pkcs11::Session& session,
                                                          ObjectMaker& maker,
                                                          ImportedThrough through,
                                                          pkcs11::ObjectHandle wrapping,
                                                          const crypto::PublicKey& public_key);

// The refusal of another hash: "SHA256", and those that are supported.
Error OaepHashUnsupported(crypto::HashAlgorithm hash,
                          const std::vector<crypto::HashAlgorithm>& supported);
// All hashes that clients may wrap with.
std::span<const crypto::HashAlgorithm> OaepHashes();
// The parameter of CKM_RSA_PKCS_OAEP for it.
Bytes OaepParameters(crypto::HashAlgorithm hash);

}  // namespace coffer::keyring
