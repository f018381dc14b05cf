#pragma once

// The kinds of refusal: errors that say which rule a request breaks. Values without any state; any
// thread. Fail(Refusal, RefusalArguments) makes an Error of one (base/result.h).
// Example: `return Fail(Refusal::kAboveLatestVersion, {.given = 4, .bound = 3});`

#include <cstdint>
#include <string>
#include <string_view>

#include "coffer/base/literal_text.h"

namespace coffer {

// The kinds of refusal. Code branches on the kind and the audit trail names it; each face (the HTTP
// API is one) words it for its clients. The comment of a kind names the arguments that it has. All
// kinds of all rooms are here, so that a face whose table of sentences lacks one does not compile.
enum class Refusal : std::uint8_t {
  kNone,  // the error is a failure and no refusal: clients learn only its code

  // base: text that cannot be read
  kNotBase64,  // given: the offset of the first wrong byte
  kNotAnInteger,
  kNotADuration,
  kNotABoolean,

  // api: requests that no operation is found for, or that cannot be read
  kPermissionDenied,
  kNoRoute,  // name: the path
  kUnsupportedPath,
  kUnsupportedVerb,
  kUnsupportedMedia,  // name: the media type
  kFieldInvalid,      // name: the field; detail: why

  // mounts and audit: paths that something stands at
  kMountNotFound,        // name: the path
  kMountPathReserved,    // name: the path
  kMountPathTaken,       // name: the path that is in the way
  kRemountPathReserved,  // name: the path
  kRemountPathTaken,     // name: the path that is in the way
  kAuditPathTaken,       // name: the path
  kAuditDeviceUnknown,   // name: the path

  // keyring: names, types and versions of keys
  kKeyNotFound,
  kKeyNameInvalid,
  kKeyNameTooLong,      // given, bound: bytes
  kKeyTypeUnknown,      // name: the type
  kKeyTypeUnsupported,  // name: the type; detail: why
  kKeySoftDeleted,
  kNoSuchKeyVersion,
  kVersionNegative,            // purpose, given
  kAboveLatestVersion,         // purpose, given; bound: the latest version
  kBelowMinEncryptionVersion,  // purpose, given; bound: the setting
  kBelowMinDecryptionVersion,  // purpose, given; bound: the setting
  kPrivatePartMissing,         // purpose
  kVersionExhausted,           // given: the version
  kRotationRequired,

  // keyring: settings of keys
  kConvergentWithoutDerivation,
  kDerivationUnsupported,            // name: the type
  kKeySizeUnsupported,               // name: the type
  kKeySizeOutOfRange,                // given: bytes
  kKeySizeUneven,                    // given; bound: what it must be a multiple of
  kAutoRotatePeriodTooShort,         // given, bound: seconds
  kMinDecryptionVersionNegative,     // given
  kMinEncryptionVersionNegative,     // given
  kMinDecryptionAboveLatest,         // given; bound: the latest version
  kMinEncryptionAboveLatest,         // given; bound: the latest version
  kMinEncryptionBelowMinDecryption,  // given; bound: the other
  kMinEncryptionBelowMinAvailable,   // given; bound: the other
  kMinDecryptionBelowMinAvailable,   // given; bound: the other
  kTrimNegative,                     // given
  kTrimBackwards,                    // given; bound: the setting
  kTrimToNothing,
  kTrimWithoutMinEncryption,
  kTrimWithoutMinDecryption,
  kTrimAboveMinEncryption,  // given; bound: the setting
  kTrimAboveMinDecryption,  // given; bound: the setting
  kDeletionNotAllowed,
  kTooManyVersions,
  kResidentLimit,  // given: the versions that the token holds

  // keyring: imports, exports, key agreement and certificates
  kImportOntoExistingKey,
  kImportConvergent,
  kImportDerived,            // name: the type
  kImportDerivedHere,        // name: how this server derives
  kImportOfTypeImpossible,   // name: the type
  kImportedKeyNotRotatable,  // name: the key
  kAutoRotateNotAllowed,
  kKeyNotImported,
  kImportTooShort,
  kImportOfWrongSize,  // given: bytes; name: the type
  kImportSizesDiffer,
  kImportNotUnwrapped,
  kImportNotProven,        // name: the type
  kImportHashUnsupported,  // name: the hash; detail: those that are supported
  kImportExportable,
  kExportDerived,
  kExportOfTypeImpossible,  // name: the type
  kKeyNotExportable,
  kExportPublicOnly,         // given: the version
  kKeyAgreementUnsupported,  // name: the type
  kKeyAgreementRefused,      // detail: what the token lacks
  kCertificatesUnreadable,   // detail: why
  kCertificateOfOtherKey,    // given: the version
  kPublicKeyNotForType,      // name: the type
  kPublicKeyOfOtherType,     // name: the type

  // keyring: backups of keys
  kKeyExists,  // name: the key
  kBackupDamaged,
  kBackupUnknown,
  kBackupOfOtherToken,
  kBackupMasterMissing,  // given: the version; name: the master
  kBackupLacksVersion,   // given: the version
  kBackupOfResident,     // given: the version

  // transit, with crypto's part of it
  kNoKeyToUse,          // purpose
  kPurposeUnsupported,  // purpose; name: the type
  kContextMissing,
  kCiphertextLength,
  kNotAuthentic,
  kRsaDecryptionFailed,
  kMessageTooLong,
  kAssociatedDataUnsupported,      // name: the type
  kItemAssociatedDataUnsupported,  // given: the item's number; name: the type
  kDataKeyBits,                    // given
  kRandomTooShort,                 // given: bytes
  kRandomTooLong,                  // given, bound: bytes
  kHashNoneUnsupported,
  kSaltLength,           // given: bytes
  kDigestLength,         // given: bytes
  kDigestOfOtherLength,  // given, bound: bytes
  kDigestTooLong,        // given: bytes
  kSignatureMalformed,
  kSignatureHasMore,
  kHashNotInToken,
  kHmacHashUnsupported,
  kHmacKeySizeUnsupported,
  kMacLength,  // given: bytes
  kCertificateRequestUnreadable,
};

// The purpose for which a key was to be used.
enum class Purpose : std::uint8_t {
  kNone,
  kEncryption,
  kDecryption,
  kSigning,
  kVerification,
  kMac,
  kMacVerification,
  kCmac,
  kCertificateRequest
};

std::string_view PurposeName(Purpose purpose);  // "signing"

// The details of a refusal. They are not secret, but may hold anything that a client sent.
struct RefusalArguments {
  Purpose purpose = Purpose::kNone;
  std::int64_t given = 0;  // the number in the request
  std::int64_t bound = 0;  // the limit or the number that it was compared with
  std::string name = {};
  std::string detail = {};
};

}  // namespace coffer
