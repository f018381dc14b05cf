// The sentences of Vault, misspellings included. A comment names the file of OpenBao 2.6 that has
// the sentence: a file without a folder is in builtin/logical/transit, but "policy.go" and
// "lock_manager.go" are in sdk/helper/keysutil. A sentence without a comment is this server's own.

#include "api/vault/refusal_texts.h"

namespace coffer::api {
namespace {

LiteralText VersionNegative(Purpose purpose) {
  switch (purpose) {
    case Purpose::kDecryption:  // policy.go
      return "invalid ciphertext: version number could not be decoded";
    case Purpose::kVerification:  // policy.go
      return "invalid signature: version number could not be decoded";
    case Purpose::kMacVerification:  // path_hmac.go
      return "invalid HMAC: version number could not be decoded";
    case Purpose::kMac:
    case Purpose::kCmac:  // policy.go
      return "key version does not exist (cannot be negative)";
    case Purpose::kCertificateRequest:  // policy.go
      return "no such key version";
    case Purpose::kEncryption:
    case Purpose::kSigning:
    case Purpose::kNone:
      break;
  }
  return "requested version for {purpose} is negative";  // policy.go
}

LiteralText AboveLatestVersion(Purpose purpose) {
  switch (purpose) {
    case Purpose::kDecryption:  // policy.go
      return "invalid ciphertext: version is too new";
    case Purpose::kVerification:  // policy.go
      return "invalid signature: version is too new";
    case Purpose::kMacVerification:  // path_hmac.go
      return "invalid HMAC: version is too new";
    case Purpose::kMac:
    case Purpose::kCmac:  // policy.go
      return "key version does not exist; latest key version is {bound}";
    case Purpose::kCertificateRequest:  // policy.go
      return "no such key version";
    case Purpose::kEncryption:
    case Purpose::kSigning:
    case Purpose::kNone:
      break;
  }
  return "requested version for {purpose} is higher than the latest key version";  // policy.go
}

LiteralText BelowMinDecryptionVersion(Purpose purpose) {
  switch (purpose) {
    case Purpose::kDecryption:
    case Purpose::kVerification:  // policy.go, ErrTooOld
      return "ciphertext or signature version is disallowed by policy (too old)";
    case Purpose::kMacVerification:  // path_hmac.go
      return "cannot verify HMAC: version is too old (disallowed by policy)";
    case Purpose::kEncryption:
    case Purpose::kSigning:
    case Purpose::kMac:
    case Purpose::kCmac:
    case Purpose::kCertificateRequest:
    case Purpose::kNone:
      break;
  }
  return "no such key version";  // policy.go
}

LiteralText NoKeyToUse(Purpose purpose) {
  switch (purpose) {
    case Purpose::kSigning:  // path_sign_verify.go
      return "signing key not found";
    case Purpose::kVerification:
    case Purpose::kMacVerification:  // path_sign_verify.go
      return "signature verification key not found";
    case Purpose::kEncryption:
    case Purpose::kDecryption:
    case Purpose::kMac:
    case Purpose::kCmac:
    case Purpose::kCertificateRequest:
    case Purpose::kNone:
      break;
  }
  return "encryption key not found";  // path_encrypt.go, path_decrypt.go, path_hmac.go
}

}  // namespace

// This table is a switch, so that the compiler demands a row for each new refusal.
LiteralText SentenceOf(Refusal refusal, Purpose purpose) {
  const bool ciphers = purpose == Purpose::kEncryption || purpose == Purpose::kDecryption;
  switch (refusal) {
    case Refusal::kNotBase64:  // Go's encoding/base64
      return "illegal base64 data at input byte {given}";

    case Refusal::kPermissionDenied:  // sdk/logical/error.go, in Go's multierror as the next two
      return "1 error occurred:\n\t* permission denied\n\n";
    case Refusal::kUnsupportedPath:  // sdk/logical/error.go
      return "1 error occurred:\n\t* unsupported path\n\n";
    case Refusal::kUnsupportedVerb:  // sdk/logical/error.go
      return "1 error occurred:\n\t* unsupported operation\n\n";
    case Refusal::kNoRoute:  // vault/routing/router.go
      return "no handler for route \"{name}\". route entry not found.";
    case Refusal::kUnsupportedMedia:  // http/logical.go
      return "PATCH requires Content-Type of application/merge-patch+json, provided {name}";

    case Refusal::kFieldInvalid:  // sdk/framework/backend.go
      return "Field validation failed: error converting input for field \"{name}\": {detail}";

    case Refusal::kMountPathReserved:  // vault/mount.go
      return "cannot mount \"{name}\"";
    case Refusal::kMountPathTaken:  // vault/mount.go
      return "path is already in use at {name}";
    case Refusal::kRemountPathReserved:  // vault/mount.go
      return "cannot remount to destination \"{name}\"";
    case Refusal::kRemountPathTaken:  // vault/logical_system.go
      return "path already in use at \"{name}\"";
    case Refusal::kAuditPathTaken:  // vault/audit.go
      return "path is already in use at {name}";
    case Refusal::kAuditDeviceUnknown:  // vault/audit_broker.go
      return "unknown audit backend {name}";

    case Refusal::kKeySoftDeleted:  // policy.go, ErrSoftDeleted
      return "refusing to use soft-deleted key";
    case Refusal::kNoSuchKeyVersion:  // policy.go
      return "no such key version";
    case Refusal::kVersionNegative:
      return VersionNegative(purpose);
    case Refusal::kAboveLatestVersion:
      return AboveLatestVersion(purpose);
    case Refusal::kBelowMinEncryptionVersion:
      if (purpose == Purpose::kMac || purpose == Purpose::kCmac) {  // path_hmac.go
        return "cannot generate HMAC: version is too old (disallowed by policy)";
      }  // policy.go
      return "requested version for {purpose} is less than the minimum encryption key version";
    case Refusal::kBelowMinDecryptionVersion:
      return BelowMinDecryptionVersion(purpose);
    case Refusal::kPrivatePartMissing:  // policy.go, both
      return ciphers ? LiteralText(
                           "cannot decrypt ciphertext, key version does not have a private "
                           "counterpart")
                     : LiteralText("requested version for signing does not contain a private part");

    case Refusal::kConvergentWithoutDerivation:  // lock_manager.go
      return "convergent encryption requires derivation to be enabled";
    case Refusal::kDerivationUnsupported:  // lock_manager.go
      return "key derivation and convergent encryption not supported for keys of type {name}";
    case Refusal::kKeySizeUnsupported:  // path_keys.go
      return "key_size is not valid for algorithm {name}";
    case Refusal::kKeySizeOutOfRange:  // path_keys.go
      return "invalid key_size {given}";
    case Refusal::kKeySizeUneven:
      return "invalid key_size {given}: the token's key wrap takes multiples of {bound} bytes";
    case Refusal::kAutoRotatePeriodTooShort:  // path_keys.go
      return "auto rotate period must be 0 to disable or at least an hour";
    case Refusal::kMinDecryptionVersionNegative:  // path_keys_config.go, as the next six
      return "min decryption version cannot be negative";
    case Refusal::kMinEncryptionVersionNegative:
      return "min encryption version cannot be negative";
    case Refusal::kMinDecryptionAboveLatest:
      return "cannot set min decryption version of {given}, latest key version is {bound}";
    case Refusal::kMinEncryptionAboveLatest:
      return "cannot set min encryption version of {given}, latest key version is {bound}";
    case Refusal::kMinEncryptionBelowMinDecryption:
      return "cannot set min encryption/decryption values; min encryption version of {given} must "
             "be greater than or equal to min decryption version of {bound}";
    case Refusal::kMinEncryptionBelowMinAvailable:
      return "min encryption version should not be less than min available version";
    case Refusal::kMinDecryptionBelowMinAvailable:
      return "min decryption version should not be less then min available version";
    case Refusal::kTrimNegative:  // path_trim.go, as the next six
      return "minimum available version cannot be negative";
    case Refusal::kTrimBackwards:
      return "minimum available version cannot be decremented";
    case Refusal::kTrimToNothing:
      return "minimum available version should be positive";
    case Refusal::kTrimWithoutMinEncryption:
      return "minimum available version cannot be set when minimum encryption version is not set";
    case Refusal::kTrimWithoutMinDecryption:
      return "minimum available version cannot be set when minimum decryption version is not set";
    case Refusal::kTrimAboveMinEncryption:
      return "minimum available version cannot be greater than minmum encryption version";
    case Refusal::kTrimAboveMinDecryption:
      return "minimum available version cannot be greater than minimum decryption version";
    case Refusal::kDeletionNotAllowed:  // lock_manager.go
      return "deletion is not allowed for this key";

    case Refusal::kImportOntoExistingKey:  // path_import.go
      return "the import path cannot be used with an existing key; use import-version to rotate an "
             "existing imported key";
    case Refusal::kImportConvergent:  // path_import.go
      return "import cannot be used on keys with convergent encryption enabled";
    case Refusal::kImportedKeyNotRotatable:  // policy.go
      return "imported key {name} does not allow rotation within Vault";
    case Refusal::kAutoRotateNotAllowed:  // path_import.go
      return "allow_rotation must be set to true if auto-rotation is enabled";
    case Refusal::kKeyNotImported:  // path_import.go
      return "the import_version endpoint can only be used with an imported key";
    case Refusal::kImportTooShort:  // path_import.go
      return "provided ciphertext is too short";
    case Refusal::kImportOfWrongSize:  // policy.go
      return "invalid key size {given} bytes for key type {name}";
    case Refusal::kImportHashUnsupported:
      return "hash function {name} is not supported by the token: use one of {detail}";
    case Refusal::kKeyAgreementUnsupported:  // path_derive_key.go
      return "base key type {name} does not support key agreement";
    case Refusal::kCertificateOfOtherKey:  // policy.go
      return "leaf certificate public key does not match the selected key version";
    case Refusal::kPublicKeyNotForType:  // path_import.go
      return "provided type does not support public_key import";
    case Refusal::kKeyExists:  // lock_manager.go
      return "key \"{name}\" already exists";

    case Refusal::kNoKeyToUse:
      return NoKeyToUse(purpose);
    case Refusal::kPurposeUnsupported:  // policy.go; path_sign_verify.go
      return ciphers ? LiteralText("message {purpose} not supported for key type {name}")
                     : LiteralText("key type {name} does not support {purpose}");
    case Refusal::kContextMissing:  // policy.go
      return "missing 'context' for key derivation; the key was created using a derived key, which "
             "means additional, per-request information must be included in order to perform "
             "operations with the key";
    case Refusal::kCiphertextLength:  // policy.go
      return "invalid ciphertext length";
    case Refusal::kNotAuthentic:  // Go's crypto/cipher
      return "cipher: message authentication failed";
    case Refusal::kRsaDecryptionFailed:  // policy.go, without its cause
      return "failed to RSA decrypt the ciphertext";
    case Refusal::kMessageTooLong:  // Go's crypto/rsa
      return "message too long for RSA key size";
    case Refusal::kAssociatedDataUnsupported:  // path_datakey.go
      return "'associated_data' provided for non-AEAD cipher suite {name}";
    case Refusal::kItemAssociatedDataUnsupported:  // path_encrypt.go, path_decrypt.go
      return "'[{given}].associated_data' provided for non-AEAD cipher suite {name}";
    case Refusal::kDataKeyBits:  // path_datakey.go
      return "invalid bit length";
    case Refusal::kRandomTooShort:  // helper/random/random_api.go
      return "'bytes' cannot be less than 1";
    case Refusal::kRandomTooLong:  // helper/random/random_api.go
      return "'bytes' should be less than {bound}";
    case Refusal::kHashNoneUnsupported:  // path_sign_verify.go
      return "hash_algorithm=none requires both prehashed=true and signature_algorithm=pkcs1v15";
    case Refusal::kSaltLength:  // policy.go
      return "requested salt length {given} is invalid";
    case Refusal::kSignatureMalformed:  // policy.go
      return "supplied signature is invalid";
    case Refusal::kSignatureHasMore:  // policy.go
      return "supplied signature contains extra data";
    case Refusal::kCertificateRequestUnreadable:  // path_certificates.go
      return "could not decode PEM CSR";

    // Vault has no sentence for these refusals, or the same one as this server.
    case Refusal::kNone:
    case Refusal::kNotAnInteger:
    case Refusal::kNotADuration:
    case Refusal::kNotABoolean:
    case Refusal::kMountNotFound:
    case Refusal::kKeyNotFound:
    case Refusal::kKeyNameInvalid:
    case Refusal::kKeyNameTooLong:
    case Refusal::kKeyTypeUnknown:
    case Refusal::kKeyTypeUnsupported:
    case Refusal::kVersionExhausted:
    case Refusal::kRotationRequired:
    case Refusal::kTooManyVersions:
    case Refusal::kResidentLimit:
    case Refusal::kImportDerived:
    case Refusal::kImportDerivedHere:
    case Refusal::kImportOfTypeImpossible:
    case Refusal::kImportSizesDiffer:
    case Refusal::kImportNotUnwrapped:
    case Refusal::kImportNotProven:
    case Refusal::kImportExportable:
    case Refusal::kExportDerived:
    case Refusal::kExportOfTypeImpossible:
    case Refusal::kKeyNotExportable:
    case Refusal::kExportPublicOnly:
    case Refusal::kKeyAgreementRefused:
    case Refusal::kCertificatesUnreadable:
    case Refusal::kPublicKeyOfOtherType:
    case Refusal::kBackupDamaged:
    case Refusal::kBackupUnknown:
    case Refusal::kBackupOfOtherToken:
    case Refusal::kBackupMasterMissing:
    case Refusal::kBackupLacksVersion:
    case Refusal::kBackupOfResident:
    case Refusal::kDigestLength:
    case Refusal::kDigestOfOtherLength:
    case Refusal::kDigestTooLong:
    case Refusal::kHashNotInToken:
    case Refusal::kHmacHashUnsupported:
    case Refusal::kHmacKeySizeUnsupported:
    case Refusal::kMacLength:
      return InfoOf(refusal).text;
  }
  return {};
}

}  // namespace coffer::api
