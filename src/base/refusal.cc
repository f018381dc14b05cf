#include "coffer/base/refusal.h"

#include <algorithm>
#include <utility>

#include "coffer/base/error.h"

namespace coffer {
namespace {

std::string ArgumentIn(std::string_view place, const RefusalArguments& arguments) {
  if (place == "purpose") return std::string(PurposeName(arguments.purpose));
  if (place == "given") return std::to_string(arguments.given);
  if (place == "bound") return std::to_string(arguments.bound);
  return place == "name" ? arguments.name : arguments.detail;
}

}  // namespace

std::string FilledIn(std::string_view text, const RefusalArguments& arguments) {
  std::string filled;
  while (true) {
    const std::size_t open = text.find('{');
    filled += text.substr(0, open);
    if (open == std::string_view::npos) return filled;
    const std::size_t close = text.find('}', open);
    filled += ArgumentIn(text.substr(open + 1, close - open - 1), arguments);
    text.remove_prefix(std::min(close, text.size() - 1) + 1);
  }
}

Error::Error(Refusal its_refusal, RefusalArguments its_arguments, std::string its_cause)
    : refusal(its_refusal), cause(std::move(its_cause)), arguments(std::move(its_arguments)) {
  const RefusalInfo info = InfoOf(refusal);
  code = info.code;
  message = FilledIn(info.text, arguments);
}

LiteralText CodeName(Code code) {
  switch (code) {
    case Code::kInvalid:
      return "invalid";
    case Code::kPermissionDenied:
      return "permission_denied";
    case Code::kNotFound:
      return "not_found";
    case Code::kConflict:
      return "conflict";
    case Code::kInternal:
      return "internal";
    case Code::kUnavailable:
      return "unavailable";
    case Code::kTokenLost:
      return "token_lost";
    case Code::kTokenFailed:
      return "token_failed";
    case Code::kTokenRefused:
      return "token_refused";
    case Code::kPinIncorrect:
      return "pin_incorrect";
    case Code::kPinLocked:
      return "pin_locked";
    case Code::kCorrupt:
      return "corrupt";
    case Code::kAuthenticationFailed:
      return "authentication_failed";
  }
  return "internal";
}

std::string_view PurposeName(Purpose purpose) {
  switch (purpose) {
    case Purpose::kNone:
      return "nothing";
    case Purpose::kEncryption:
      return "encryption";
    case Purpose::kDecryption:
      return "decryption";
    case Purpose::kSigning:
      return "signing";
    case Purpose::kVerification:
      return "verification";
    case Purpose::kMac:
      return "HMAC";
    case Purpose::kMacVerification:
      return "HMAC verification";
    case Purpose::kCmac:
      return "CMAC";
    case Purpose::kCertificateRequest:
      return "certificate requests";
  }
  return "";
}

// A table in the form of a switch, so that a refusal without a row does not compile.
RefusalInfo InfoOf(Refusal refusal) {
  constexpr Code kInvalid = Code::kInvalid;
  switch (refusal) {
    case Refusal::kNone:
      return {"failure", Code::kInternal, "failure"};

    case Refusal::kNotBase64:
      return {"not_base64", kInvalid, "not base64: byte {given} does not belong there"};
    case Refusal::kNotAnInteger:
      return {"not_an_integer", kInvalid, "not an integer"};
    case Refusal::kNotADuration:
      return {"not_a_duration", kInvalid, "not a duration"};
    case Refusal::kNotABoolean:
      return {"not_a_boolean", kInvalid, "not a boolean"};

    case Refusal::kFieldInvalid:
      return {"field_invalid", kInvalid, "field {name} cannot be read: {detail}"};

    case Refusal::kPermissionDenied:
      return {"permission_denied", Code::kPermissionDenied, "permission denied"};
    case Refusal::kNoRoute:
      return {"no_route", Code::kNotFound, "nothing is mounted at {name}"};
    case Refusal::kUnsupportedPath:
      return {"unsupported_path", Code::kNotFound, "there is nothing at this path"};
    case Refusal::kUnsupportedVerb:
      return {"unsupported_verb", kInvalid, "the path does not have this operation"};
    case Refusal::kUnsupportedMedia:
      return {"unsupported_media", kInvalid, "the body is of a type that is not taken: {name}"};

    case Refusal::kMountNotFound:
      return {"mount_not_found", Code::kNotFound, "no mount at {name}"};
    case Refusal::kMountPathReserved:
      return {"mount_path_reserved", kInvalid, "{name} is not for mounts"};
    case Refusal::kMountPathTaken:
      return {"mount_path_taken", Code::kConflict, "the mount at {name} is in the way"};
    case Refusal::kRemountPathReserved:
      return {"remount_path_reserved", kInvalid, "no mount can be moved to {name}"};
    case Refusal::kRemountPathTaken:
      return {"remount_path_taken", Code::kConflict,
              "the mount at {name} is in the way of the move"};
    case Refusal::kAuditPathTaken:
      return {"audit_path_taken", kInvalid, "there is an audit device {name} already"};
    case Refusal::kAuditDeviceUnknown:
      return {"audit_device_unknown", kInvalid, "there is no audit device {name}"};

    case Refusal::kKeyNotFound:
      return {"key_not_found", Code::kNotFound, "key not found"};
    case Refusal::kKeyNameInvalid:
      return {"key_name_invalid", kInvalid, "invalid key name"};
    case Refusal::kKeyNameTooLong:
      return {"key_name_too_long", kInvalid,
              "invalid key name: it has {given} bytes, and the limit is {bound}"};
    case Refusal::kKeyTypeUnknown:
      return {"key_type_unknown", kInvalid, "unknown key type {name}"};
    case Refusal::kKeyTypeUnsupported:
      return {"key_type_unsupported", kInvalid, "key type {name} is not supported: {detail}"};
    case Refusal::kKeySoftDeleted:
      return {"key_soft_deleted", kInvalid, "the key is soft-deleted: restore it first"};
    case Refusal::kNoSuchKeyVersion:
      return {"no_such_key_version", kInvalid, "the key does not have this version"};
    case Refusal::kVersionNegative:
      return {"version_negative", kInvalid, "version {given} for {purpose} is negative"};
    case Refusal::kAboveLatestVersion:
      return {"above_latest_version", kInvalid,
              "version {given} for {purpose} is above the latest version, {bound}"};
    case Refusal::kBelowMinEncryptionVersion:
      return {"below_min_encryption_version", kInvalid,
              "version {given} for {purpose} is below min_encryption_version, {bound}"};
    case Refusal::kBelowMinDecryptionVersion:
      return {"below_min_decryption_version", kInvalid,
              "version {given} for {purpose} is below min_decryption_version, {bound}"};
    case Refusal::kPrivatePartMissing:
      return {"private_part_missing", kInvalid,
              "the key version has no private part, for {purpose}"};
    case Refusal::kVersionExhausted:
      return {"version_exhausted", kInvalid,
              "key version {given} encrypts no more: it has reached 2^32 encryptions, or was "
              "restored and its count is not known: rotate the key"};
    case Refusal::kRotationRequired:
      return {"rotation_required", Code::kUnavailable,
              "key must be rotated before its next encryption: rotate it first"};

    case Refusal::kConvergentWithoutDerivation:
      return {"convergent_without_derivation", kInvalid, "a convergent key must be derived"};
    case Refusal::kDerivationUnsupported:
      return {"derivation_unsupported", kInvalid,
              "keys of type {name} are neither derived nor convergent"};
    case Refusal::kKeySizeUnsupported:
      return {"key_size_unsupported", kInvalid, "keys of type {name} have one size"};
    case Refusal::kKeySizeOutOfRange:
      return {"key_size_out_of_range", kInvalid, "no key has {given} bytes"};
    case Refusal::kKeySizeUneven:
      return {"key_size_uneven", kInvalid,
              "the token's key wrap takes multiples of {bound} bytes, not {given}"};
    case Refusal::kAutoRotatePeriodTooShort:
      return {"auto_rotate_period_too_short", kInvalid,
              "an automatic rotation after {given} seconds is too soon: 0, or at least {bound}"};
    case Refusal::kMinDecryptionVersionNegative:
      return {"min_decryption_version_negative", kInvalid, "min_decryption_version is negative"};
    case Refusal::kMinEncryptionVersionNegative:
      return {"min_encryption_version_negative", kInvalid, "min_encryption_version is negative"};
    case Refusal::kMinDecryptionAboveLatest:
      return {"min_decryption_above_latest", kInvalid,
              "min_decryption_version {given} is above the latest version, {bound}"};
    case Refusal::kMinEncryptionAboveLatest:
      return {"min_encryption_above_latest", kInvalid,
              "min_encryption_version {given} is above the latest version, {bound}"};
    case Refusal::kMinEncryptionBelowMinDecryption:
      return {"min_encryption_below_min_decryption", kInvalid,
              "min_encryption_version {given} is below min_decryption_version, {bound}"};
    case Refusal::kMinEncryptionBelowMinAvailable:
      return {"min_encryption_below_min_available", kInvalid,
              "min_encryption_version {given} is below min_available_version, {bound}"};
    case Refusal::kMinDecryptionBelowMinAvailable:
      return {"min_decryption_below_min_available", kInvalid,
              "min_decryption_version {given} is below min_available_version, {bound}"};
    case Refusal::kTrimNegative:
      return {"trim_negative", kInvalid, "min_available_version is negative"};
    case Refusal::kTrimBackwards:
      return {"trim_backwards", kInvalid,
              "min_available_version {given} is below what it is, {bound}: versions are gone"};
    case Refusal::kTrimToNothing:
      return {"trim_to_nothing", kInvalid, "min_available_version is 0"};
    case Refusal::kTrimWithoutMinEncryption:
      return {"trim_without_min_encryption", kInvalid,
              "min_available_version needs a min_encryption_version"};
    case Refusal::kTrimWithoutMinDecryption:
      return {"trim_without_min_decryption", kInvalid,
              "min_available_version needs a min_decryption_version"};
    case Refusal::kTrimAboveMinEncryption:
      return {"trim_above_min_encryption", kInvalid,
              "min_available_version {given} is above min_encryption_version, {bound}"};
    case Refusal::kTrimAboveMinDecryption:
      return {"trim_above_min_decryption", kInvalid,
              "min_available_version {given} is above min_decryption_version, {bound}"};
    case Refusal::kDeletionNotAllowed:
      return {"deletion_not_allowed", kInvalid, "the key may not be deleted"};
    case Refusal::kTooManyVersions:
      return {"too_many_versions", kInvalid, "key has too many versions: trim it first"};
    case Refusal::kResidentLimit:
      return {"resident_limit", kInvalid,
              "the token holds {given} key versions of types that it cannot wrap, which is this "
              "server's limit: trim or delete some, or raise the limit"};

    case Refusal::kImportOntoExistingKey:
      return {"import_onto_existing_key", kInvalid, "a key of this name is there already"};
    case Refusal::kImportConvergent:
      return {"import_convergent", kInvalid, "convergent keys cannot be imported"};
    case Refusal::kImportDerived:
      return {"import_derived", kInvalid, "derived keys of type {name} cannot be imported"};
    case Refusal::kImportDerivedHere:
      return {"import_derived_here", kInvalid,
              "derived keys cannot be imported: this server derives with {name}"};
    case Refusal::kImportOfTypeImpossible:
      return {"import_of_type_impossible", kInvalid,
              "key type {name} cannot be imported: the token cannot unwrap it"};
    case Refusal::kImportedKeyNotRotatable:
      return {"imported_key_not_rotatable", kInvalid,
              "key {name} was imported without leave to rotate it"};
    case Refusal::kAutoRotateNotAllowed:
      return {"auto_rotate_not_allowed", kInvalid,
              "a key that may not be rotated cannot be rotated automatically"};
    case Refusal::kKeyNotImported:
      return {"key_not_imported", kInvalid, "the key's latest version was not imported"};
    case Refusal::kImportTooShort:
      return {"import_too_short", kInvalid, "the wrapped key is too short"};
    case Refusal::kImportOfWrongSize:
      return {"import_of_wrong_size", kInvalid, "no key of type {name} has {given} bytes"};
    case Refusal::kImportSizesDiffer:
      return {"import_sizes_differ", kInvalid, "imported versions of a key must have one size"};
    case Refusal::kImportNotUnwrapped:
      return {
          "import_not_unwrapped", kInvalid,
          "failed to import the key: it cannot be unwrapped: it is of another type, or was wrapped "
          "for another key or with another hash function"};
    case Refusal::kImportNotProven:
      return {"import_not_proven", kInvalid,
              "failed to import the key: the token does not use it as a key of type {name}, or its "
              "stored form answers otherwise: it has another length than keys of this type"};
    case Refusal::kImportHashUnsupported:
      return {"import_hash_unsupported", kInvalid,
              "the token does not wrap keys by RSA-OAEP with {name}, but with {detail}"};
    case Refusal::kImportExportable:
      return {"import_exportable", kInvalid, "a key that was imported cannot be exportable"};
    case Refusal::kExportDerived:
      return {"export_derived", kInvalid, "a key that derives others cannot be exportable"};
    case Refusal::kExportOfTypeImpossible:
      return {"export_of_type_impossible", kInvalid,
              "keys of type {name} cannot be exportable: they stay in the token"};
    case Refusal::kKeyNotExportable:
      return {"key_not_exportable", kInvalid, "key is not exportable"};
    case Refusal::kExportPublicOnly:
      return {"export_public_only", kInvalid,
              "version {given} has no private part that could be exported"};
    case Refusal::kKeyAgreementUnsupported:
      return {"key_agreement_unsupported", kInvalid,
              "keys of type {name} do not agree on keys with others"};
    case Refusal::kKeyAgreementRefused:
      return {"key_agreement_refused", kInvalid,
              "the key cannot be derived: the token does not do it: {detail}"};
    case Refusal::kCertificatesUnreadable:
      return {"certificates_unreadable", kInvalid,
              "the certificate chain cannot be kept: {detail}"};
    case Refusal::kCertificateOfOtherKey:
      return {"certificate_of_other_key", kInvalid,
              "the first certificate is for another public key than version {given} has"};
    case Refusal::kPublicKeyNotForType:
      return {"public_key_not_for_type", kInvalid, "keys of type {name} have no public key"};
    case Refusal::kPublicKeyOfOtherType:
      return {"public_key_of_other_type", kInvalid, "public key is not of key type {name}"};

    case Refusal::kKeyExists:
      return {"key_exists", kInvalid, "there is a key {name} already"};
    case Refusal::kBackupDamaged:
      return {"backup_damaged", kInvalid, "the backup is damaged"};
    case Refusal::kBackupUnknown:
      return {"backup_unknown", kInvalid,
              "the backup is of a form that this release does not know"};
    case Refusal::kBackupOfOtherToken:
      return {"backup_of_other_token", kInvalid,
              "the backup was made with another token: its keys open only there"};
    case Refusal::kBackupMasterMissing:
      return {"backup_master_missing", kInvalid,
              "version {given} of the backup does not open: its master {name} is not in the token"};
    case Refusal::kBackupLacksVersion:
      return {"backup_lacks_version", kInvalid,
              "key has version {given}, which the backup has not, and deletion is not allowed for "
              "this key"};
    case Refusal::kBackupOfResident:
      return {"backup_of_resident", kInvalid,
              "version {given} is kept in the token itself, which gives no key out: it cannot be "
              "backed up"};

    case Refusal::kNoKeyToUse:
      return {"no_key_to_use", kInvalid, "there is no such key, for {purpose}"};
    case Refusal::kPurposeUnsupported:
      return {"purpose_unsupported", kInvalid, "keys of type {name} are not for {purpose}"};
    case Refusal::kContextMissing:
      return {"context_missing", kInvalid, "a derived key needs a context"};
    case Refusal::kCiphertextLength:
      return {"ciphertext_length", kInvalid, "no ciphertext of the key has this length"};
    case Refusal::kNotAuthentic:
      return {"not_authentic", Code::kAuthenticationFailed, "the ciphertext is not authentic"};
    case Refusal::kRsaDecryptionFailed:
      return {"rsa_decryption_failed", Code::kAuthenticationFailed,
              "the ciphertext cannot be decrypted"};
    case Refusal::kMessageTooLong:
      return {"message_too_long", kInvalid, "the message is too long for the key"};
    case Refusal::kAssociatedDataUnsupported:
      return {"associated_data_unsupported", kInvalid,
              "keys of type {name} take no associated data"};
    case Refusal::kItemAssociatedDataUnsupported:
      return {"item_associated_data_unsupported", kInvalid,
              "keys of type {name} take no associated data, which item {given} has"};
    case Refusal::kDataKeyBits:
      return {"data_key_bits", kInvalid, "a data key has 128, 256 or 512 bits, not {given}"};
    case Refusal::kRandomTooShort:
      return {"random_too_short", kInvalid, "{given} random bytes are too few"};
    case Refusal::kRandomTooLong:
      return {"random_too_long", kInvalid, "{given} random bytes are more than {bound}"};
    case Refusal::kHashNoneUnsupported:
      return {"hash_none_unsupported", kInvalid,
              "only a digest that is signed with PKCS #1 v1.5 needs no hash"};
    case Refusal::kSaltLength:
      return {"salt_length", kInvalid, "no salt of {given} bytes fits the key and the hash"};
    case Refusal::kDigestLength:
      return {"digest_length", kInvalid, "prehashed input must have 1 to 64 bytes"};
    case Refusal::kDigestOfOtherLength:
      return {"digest_of_other_length", kInvalid,
              "prehashed input must have the length of a digest, {bound} bytes"};
    case Refusal::kDigestTooLong:
      return {"digest_too_long", kInvalid, "prehashed input is too long for the key"};
    case Refusal::kSignatureMalformed:
      return {"signature_malformed", kInvalid, "the signature is malformed"};
    case Refusal::kSignatureHasMore:
      return {"signature_has_more", kInvalid, "there are bytes behind the signature"};
    case Refusal::kHashNotInToken:
      return {"hash_not_in_token", kInvalid,
              "the token does not do this with the hash algorithm asked for"};
    case Refusal::kHmacHashUnsupported:
      return {"hmac_hash_unsupported", kInvalid,
              "unsupported algorithm: the token computes HMAC with SHA-1 and SHA-2 only"};
    case Refusal::kHmacKeySizeUnsupported:
      return {"hmac_key_size_unsupported", kInvalid,
              "unsupported algorithm: the token refuses it for a key of this size, which must be "
              "as long as the digest"};
    case Refusal::kMacLength:
      return {"mac_length", kInvalid, "invalid MAC length: it must be 8 to 16 bytes"};
    case Refusal::kCertificateRequestUnreadable:
      return {"certificate_request_unreadable", kInvalid, "the certificate request cannot be read"};
  }
  return {};
}

}  // namespace coffer
