#pragma once

#include "coffer/crypto/public_key.h"
#include "coffer/transit/engine.h"

namespace coffer::transit {

// The functions that signing and verifying share.

// Checks that the key's type signs, and that it does so with these options.
Status CheckSigns(const keyring::Key& key, const SignOptions& options, Purpose purpose);

// The bytes that the key signs: the digest, or the message where the type hashes for itself.
Result<Bytes> DigestToSign(const keyring::KeyTypeInfo& info, ByteView input,
                           const SignOptions& options);

// The length, in bytes, of a number modulo the curve's order.
std::size_t CurveBytes(const keyring::KeyTypeInfo& info);

// The leading bytes of a digest that is longer than the curve's order (FIPS 186-4, 6.4). With the
// lengths of these curves and digests, whole bytes are exact enough.
ByteView CutToCurve(const keyring::KeyTypeInfo& info, ByteView digest);

// The length of the salt, in bytes, that `options` ask for when signing.
int PssSalt(const keyring::KeyTypeInfo& info, const SignOptions& options);

// `signature`: DER for ECDSA.
bool Verifies(const keyring::KeyTypeInfo& info, const crypto::PublicKey& key, ByteView digest,
              ByteView signature, const SignOptions& options);

}  // namespace coffer::transit
