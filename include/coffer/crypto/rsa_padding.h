#pragma once

#include "coffer/base/bytes.h"
#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "coffer/base/secret_bytes.h"
#include "coffer/crypto/digest.h"

namespace coffer::crypto {

// RSA's paddings for tokens that do only the raw operation (RFC 8017). Nothing here sees a key.

// DigestInfo (9.2, step 2): what CKM_RSA_PKCS signs.
Bytes Pkcs1DigestInfo(HashAlgorithm hash, ByteView digest);

// EMSA-PSS-ENCODE (9.1.1) with MGF1 of the same hash, as long as the modulus; its bits are a
// multiple of 8. kInvalid for a salt that does not fit.
Result<Bytes> PssEncode(HashAlgorithm hash, ByteView digest, int salt_octets, int modulus_bits,
                        Random& random);

// The largest salt that fits.
int PssMaxSalt(HashAlgorithm hash, int modulus_bits);

// EME-OAEP-DECODE (7.1.2, step 3) with MGF1 of the same hash and an empty label, on the block that
// the raw operation gave. Takes the same time for every block of a length; one error for all that
// is wrong with it (Manger, CRYPTO 2001): kAuthenticationFailed.
Result<SecretBytes> OaepDecode(HashAlgorithm hash, const SecretBytes& block);

}  // namespace coffer::crypto
