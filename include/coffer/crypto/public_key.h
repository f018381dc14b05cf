#pragma once

// Public keys. The snapshots of keys share them; they are immutable, so any thread may use them.
// Errors: kInvalid for bytes that are no such key and for messages that are too long. A signature
// that does not verify is no error.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "coffer/base/bytes.h"
#include "coffer/base/result.h"
#include "coffer/crypto/digest.h"

namespace coffer::crypto {

enum class Curve { kP256, kP384, kP521 };

// A public key and everything that is done with it outside a token: verifying, RSA encryption, PEM
// and DER. Immutable and thread-safe; shared by the snapshots that hold it.
class PublicKey {
 public:
  enum class Kind { kRsa, kEcdsa, kEd25519 };
  using Shared = std::shared_ptr<const PublicKey>;

  // SubjectPublicKeyInfo (RFC 5280), whole input. kInvalid for anything but RSA of 2048 to 8192
  // bits with odd numbers and an exponent of 65537 to 2^64, P-256, P-384, P-521 and Ed25519.
  static Result<Shared> FromSpki(ByteView der);
  // Reads the same as FromSpki(), in PEM.
  static Result<Shared> FromPem(std::string_view pem);
  // Big-endian, as a token gives them.
  static Result<Shared> FromRsa(ByteView modulus, ByteView exponent);
  // The point as a DER OCTET STRING around 04 || x || y, as a token gives it (PKCS#11 2.3.3).
  static Result<Shared> FromEcPoint(Curve curve, ByteView octet_string);
  // x and the sign of y (2 or 3), as SEC 1 2.3.3 compresses a point.
  static Result<Shared> FromCompressed(Curve curve, std::uint8_t sign, ByteView x);
  // 32 bytes, plain or in a DER OCTET STRING.
  static Result<Shared> FromEd25519(ByteView point);

  ~PublicKey();
  PublicKey(const PublicKey&) = delete;
  PublicKey& operator=(const PublicKey&) = delete;

  Kind kind() const { return kind_; }
  // The modulus's bits, or the curve's.
  int Bits() const { return bits_; }
  const Bytes& Spki() const { return spki_; }
  std::string Pem() const;
  // RSA only: the numbers, big-endian.
  Bytes Modulus() const;
  Bytes Exponent() const;
  // The curves only: 04 || x || y (SEC 1 2.3.3).
  Bytes Point() const;
  // Ed25519 only: its 32 bytes.
  Bytes Raw() const;

  // The Verify functions return false for every signature that does not verify, also for a
  // malformed one. `signature`: DER (ECDSA-Sig-Value); any digest length, cut to the curve's as
  // FIPS 186-4 has it.
  bool VerifyEcdsa(ByteView digest, ByteView signature) const;
  bool VerifyEd25519(ByteView message, ByteView signature) const;
  // RFC 8017 8.2; without a hash: the input itself, without DigestInfo.
  bool VerifyPkcs1(std::optional<HashAlgorithm> hash, ByteView digest, ByteView signature) const;
  // RFC 8017 8.1 with MGF1 of the same hash; no salt length: whatever the signature has.
  bool VerifyPss(HashAlgorithm hash, std::optional<int> salt_octets, ByteView digest,
                 ByteView signature) const;
  // RFC 8017 7.1 with MGF1 of the same hash and an empty label. kInvalid for a message that is too
  // long.
  Result<Bytes> EncryptOaep(HashAlgorithm hash, ByteView message) const;
  // True if nothing shows that it cannot be a key: a point on its curve; a modulus without small
  // factors that is neither a prime nor a prime's power (NIST SP 800-89, 5.3.3). Takes some
  // milliseconds for RSA: for keys that come from outside.
  bool IsSound() const;
  // True if the number has the modulus's length and is below the modulus, as every RSA ciphertext
  // and signature is.
  bool InRange(ByteView number) const;

 private:
  struct Handle;
  PublicKey(std::unique_ptr<Handle> handle, Kind kind, int bits, Bytes spki);
  static Result<Shared> Adopt(std::unique_ptr<Handle> handle);
  std::unique_ptr<Handle> handle_;
  Kind kind_;
  int bits_;
  Bytes spki_;
};

// The curve's generator, uncompressed (SEC 2).
Bytes GeneratorPoint(Curve curve);

// ECDSA signatures: a token gives r || s at fixed width, most clients expect DER.
Bytes EcdsaToDer(ByteView fixed);
// `width`: bytes of r and of s. kInvalid "supplied signature is invalid", "supplied signature
// contains extra data".
Result<Bytes> EcdsaFromDer(ByteView der, std::size_t width);

}  // namespace coffer::crypto
