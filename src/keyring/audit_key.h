#pragma once

#include "coffer/base/bytes.h"
#include "coffer/base/result.h"
#include "coffer/pkcs11/session.h"

namespace coffer::keyring {

// coffer-audit: the key pair on P-256 that signs the audit trail's checkpoints and nothing else.
// Its private half is made in the token and can neither leave it nor be changed.
struct AuditKey {
  pkcs11::ObjectHandle private_key = pkcs11::kNoObject;
  Bytes point;  // of the public key, uncompressed: 65 bytes
};

// Finds the pair and checks what the token says of it; kNotFound where there is none, kTokenRefused
// naming the attribute where an attribute is not as MakeAuditKey() sets it.
Result<AuditKey> FindAuditKey(pkcs11::Session& session);
// Makes the pair, and destroys the half of one that an interrupted run left. The caller must sync a
// software token's files.
Status MakeAuditKey(pkcs11::Session& session);
// Signs a SHA-256 digest; the signature is r || s.
Result<Bytes> SignDigest(pkcs11::Session& session, const AuditKey& key, ByteView digest);

}  // namespace coffer::keyring
