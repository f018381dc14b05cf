#pragma once

#include "coffer/base/bytes.h"
#include "coffer/base/result.h"

namespace coffer::audit {

// Signs the checkpoints of the audit trail with a key that never leaves the PKCS#11 token. The
// server's audit office implements it and keeps it alive until the Broker is closed. Any thread.
// kTokenLost while the token is away.
class CheckpointSigner {
 public:
  virtual ~CheckpointSigner() = default;
  // SubjectPublicKeyInfo (RFC 5480) of a key on P-256, as DER.
  virtual Result<Bytes> PublicKey() = 0;
  // Returns an ECDSA signature over the SHA-256 of the message: r || s, 64 bytes.
  virtual Result<Bytes> Sign(ByteView message) = 0;
};

}  // namespace coffer::audit
