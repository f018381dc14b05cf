#pragma once

// The token as the key ring uses it. The key ring or the custodian owns an instance; one thread at
// a time may call, and a call may block in the token. The real one is over PKCS#11 (token_setup.h);
// tests inject faults with others. Errors: kTokenLost when the token cannot be reached,
// kTokenFailed for a failure whose cause is unclear, kTokenRefused where the token's policy or an
// object in it does not allow the call.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/base/bytes.h"
#include "coffer/base/ids.h"
#include "coffer/base/result.h"
#include "coffer/crypto/digest.h"
#include "coffer/crypto/public_key.h"
#include "coffer/keyring/key_type.h"
#include "coffer/pkcs11/statistics.h"

namespace coffer::keyring {

using Mac = std::array<std::uint8_t, 32>;  // HMAC-SHA256 by coffer-meta
using TokenHandle = unsigned long;         // valid on its instance until Reopen()

// A new version as the token returns it, without any key in the clear.
struct NewVersion {
  Custody custody = Custody::kWrapped;
  Kdf kdf = Kdf::kNone;
  std::string master;  // empty: resident
  Bytes blob;
  std::string hmac_master;  // empty: the version is its own HMAC key
  Bytes hmac_blob;
  Bytes spki;     // asymmetric types
  Bytes locator;  // resident: CKA_ID of the token object
  ImportedThrough imported_through = ImportedThrough::kNone;
};

// A key from elsewhere, as a client wrapped it.
struct WrappedImport {
  ByteView ephemeral;  // an AES-256 key under the import wrapping key, by RSA-OAEP with `hash`
  ByteView target;     // the key under that AES key (RFC 5649); pairs as PKCS#8
  crypto::HashAlgorithm hash = crypto::HashAlgorithm::kSha256;
};

// The names of the hashes of RSA-OAEP by which clients wrap keys: "SHA1", "SHA224" ... "SHA512".
// Empty and nothing for any other.
std::string_view OaepHashName(crypto::HashAlgorithm hash);
std::optional<crypto::HashAlgorithm> FindOaepHash(std::string_view name);

// The key that imports are wrapped for.
struct ImportWrapping {
  Bytes spki;                                 // RSA-4096
  std::vector<crypto::HashAlgorithm> hashes;  // of RSA-OAEP, that it can be wrapped with
  ImportedThrough through = ImportedThrough::kToken;
};

// The place of a resident version in the token: its CKA_ID, which is random and stored in the
// database before the object is made, and the identity of the database, which every object names.
struct ResidentPlace {
  Bytes locator;
  Id database;
};

// How a key signs or authenticates.
struct SignMechanism {
  enum class Kind : std::uint8_t {
    kEcdsa,     // over a digest; the answer is r || s
    kEddsa,     // over the message
    kRsaPkcs1,  // over a DigestInfo, or any input of the caller without one
    kRsaPss,    // over a digest by `hash`, with MGF1 of it and `salt_octets`
    kRsaRaw,    // over a padded block of the modulus's length
    kHmac,      // HMAC with `hash`
    kCmac
  };
  Kind kind = Kind::kEcdsa;
  crypto::HashAlgorithm hash = crypto::HashAlgorithm::kSha256;
  int salt_octets = 0;
};
// The longest answer: RSA-8192's.
inline constexpr std::size_t kMaxSignatureOctets = 1024;

// The purpose of a key that is derived from the base key of a `derived` key for one context.
enum class DerivedUse : std::uint8_t {
  kCipher = 1,  // the key that encrypts
  kNonce = 2    // the key that makes convergent encryption's nonces
};

// One token instance: one login, one set of sessions and handles.
class Token {
 public:
  virtual ~Token() = default;

  // Returns how versions of this kind are kept, which it finds by trying it out. kInvalid, naming
  // what the token lacks, if it cannot keep them.
  virtual Result<Custody> CustodyOf(const KeySpec& spec) = 0;
  // Generates a version and its HMAC key in the token, wraps both under the newest masters of their
  // classes, destroys the extractable session objects, unwraps the blobs and cross-checks: a blob
  // that does not come back is never returned. A resident version becomes a token object at
  // `place`. For a `derived` key the answer names the KDF, hkdf_sha256 where the token has it.
  virtual Result<NewVersion> Generate(const KeySpec& spec, const ResidentPlace& place) = 0;
  // A version that comes from elsewhere. Nothing of it is ever outside the token, except that with
  // ImportedThrough::kProcess the AES key is. The key is used in the token before it is wrapped
  // anew, and its stored form must then give the same answer: kImportNotProven where it does not.
  // kImportHashUnsupported; one error for all else that can be wrong: kImportNotUnwrapped.
  virtual Result<NewVersion> Import(const KeySpec& spec, const WrappedImport& import) = 0;
  // Makes the key at the first call. Custodian's instance only.
  virtual Result<ImportWrapping> ImportWrappingKey() = 0;
  // Destroys it: what was wrapped for it and recorded on its way can never be opened again. The
  // next ImportWrappingKey() makes another. Custodian's instance only.
  virtual Status DestroyImportWrappingKey() = 0;
  // The version's key (of an `exportable` spec) wrapped in the token for the holder of
  // `destination`, in the form of WrappedImport: `ephemeral`, then `target`.
  // kImportHashUnsupported where the token does not wrap with `hash`.
  virtual Result<Bytes> Export(const KeySpec& spec, std::string_view master, ByteView blob,
                               const crypto::PublicKey& destination,
                               crypto::HashAlgorithm hash) = 0;
  // A version of `derived` that the EC key of `base` agrees on with the other party's key `peer`:
  // HKDF-SHA256 without salt and info over the shared secret, all in the token.
  // kKeyAgreementRefused, naming what the token lacks.
  virtual Result<NewVersion> Agree(const KeySpec& base, std::string_view master, ByteView blob,
                                   const crypto::PublicKey& peer, const KeySpec& derived) = 0;
  // Makes only the HMAC key of a new version, for a version whose other key is not in this server.
  virtual Result<NewVersion> GenerateHmacKey() = 0;
  // A session object, not extractable, for one use. `use` kHmac: `blob` is the version's HMAC blob.
  // kCorrupt where the master is not there, kInvalid as CustodyOf() where this token cannot hold
  // such a key, whatever made it.
  virtual Result<TokenHandle> Unwrap(const KeySpec& spec, Use use, std::string_view master,
                                     ByteView blob) = 0;
  // A session object derived from `base` (of use kDerive) for one context, by the spec's KDF.
  virtual Result<TokenHandle> Derive(const KeySpec& spec, TokenHandle base, DerivedUse use,
                                     ByteView context) = 0;
  // Gives up a session object; never one of FindResident's.
  virtual void Destroy(TokenHandle handle) = 0;

  // The token object with this CKA_ID; kCorrupt where there is none. Its handle is the token's own:
  // it stays valid until Reopen() and must not be given to Destroy().
  virtual Result<TokenHandle> FindResident(ByteView locator) = 0;
  // The CKA_IDs of all objects that name this database.
  virtual Result<std::vector<Bytes>> Residents(const Id& database) = 0;
  // Destroys the object for good; success where there is none. Custodian's instance only.
  virtual Status DestroyResident(ByteView locator) = 0;

  // `out` holds in.size() + 16.
  virtual Status Encrypt(TokenHandle key, Cipher cipher, ByteView nonce, ByteView aad, ByteView in,
                         MutableBytes out) = 0;
  // `out` holds in.size(); the plaintext is its first in.size() - 16 bytes. A bad tag is
  // kAuthenticationFailed: the implementation then checks with a MAC that the token still works, so
  // a lost token is never reported as a bad ciphertext.
  virtual Status Decrypt(TokenHandle key, Cipher cipher, ByteView nonce, ByteView aad, ByteView in,
                         MutableBytes out) = 0;

  // Bytes written to `out`, which holds kMaxSignatureOctets. kInvalid where the token does not do
  // this mechanism.
  virtual Result<std::size_t> Sign(TokenHandle key, const SignMechanism& how, ByteView data,
                                   MutableBytes out) = 0;
  // The raw RSA operation on a number below the modulus, and of the same length. `out` holds that
  // many bytes, too.
  virtual Status RsaDecrypt(TokenHandle key, ByteView in, MutableBytes out) = 0;

  virtual Result<Mac> MetaMac(ByteView data) = 0;
  virtual Status Random(MutableBytes out) = 0;

  // The public point of the key coffer-audit (65 bytes), which is made in the token at the first
  // call; custodian's instance only. kTokenRefused where the token keeps no such key.
  virtual Result<Bytes> AuditPoint() {
    return Fail(Code::kTokenRefused, "this token keeps no audit key");
  }
  // ECDSA by coffer-audit over a SHA-256 digest: r || s, 64 bytes.
  virtual Result<Bytes> SignAudit(ByteView digest) {
    static_cast<void>(digest);
    return Fail(Code::kTokenRefused, "this token keeps no audit key");
  }

  // The last committed epoch and the database it belongs to.
  struct Epoch {
    Id database;
    std::uint64_t value = 0;
  };
  virtual Result<Epoch> ReadEpoch() = 0;
  // Durable when it returns. Custodian's instance only.
  virtual Status WriteEpoch(const Epoch& epoch) = 0;

  // Reads the token's information and makes one MAC, to check that the token works. kTokenLost if
  // it does not.
  virtual Status Probe() = 0;
  // The numbers of this instance's operations so far. Any thread.
  virtual pkcs11::Statistics Counts() const { return {}; }
  // The number of objects made on this instance since it was opened. A token may keep some memory
  // for each, also for destroyed ones, until Reopen().
  virtual std::uint64_t ObjectsMade() const { return 0; }
  // Opens sessions, login and masters again after a loss. Every handle is invalid afterwards.
  // kTokenLost while the token still cannot be reached.
  virtual Status Reopen() = 0;
};

}  // namespace coffer::keyring
