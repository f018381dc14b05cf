#pragma once

#include "coffer/base/bytes.h"
#include "coffer/base/result.h"

namespace coffer::audit {

// The key that signs checkpoints: in the token, never here. Called from any thread.
class CheckpointSigner {
 public:
  virtual ~CheckpointSigner() = default;
  // SubjectPublicKeyInfo (RFC 5480) of a key on P-256, as DER.
  virtual Result<Bytes> PublicKey() = 0;
  // ECDSA over the message's SHA-256: r || s, 64 octets. kTokenLost while the token is away.
  virtual Result<Bytes> Sign(ByteView message) = 0;
};

}  // namespace coffer::audit
