// The sentences on the wire are right byte for byte; most of these cannot be reached through the
// endpoints.

#include <gtest/gtest.h>

#include <string>

#include "api/vault/errors.h"

namespace coffer::api {
namespace {

std::string Worded(Refusal refusal, RefusalArguments arguments = {}) {
  return ClientText(Error(refusal, std::move(arguments)));
}

TEST(RefusalTexts, VersionsAreRefusedInVaultsWords) {
  const auto negative = [](Purpose purpose) {
    return Worded(Refusal::kVersionNegative, {.purpose = purpose, .given = -1});
  };
  EXPECT_EQ(negative(Purpose::kEncryption), "requested version for encryption is negative");
  EXPECT_EQ(negative(Purpose::kSigning), "requested version for signing is negative");
  EXPECT_EQ(negative(Purpose::kMac), "key version does not exist (cannot be negative)");
  EXPECT_EQ(negative(Purpose::kCertificateRequest), "no such key version");
  EXPECT_EQ(negative(Purpose::kDecryption),
            "invalid ciphertext: version number could not be decoded");
  EXPECT_EQ(negative(Purpose::kVerification),
            "invalid signature: version number could not be decoded");
  EXPECT_EQ(negative(Purpose::kMacVerification),
            "invalid HMAC: version number could not be decoded");
  const auto too_new = [](Purpose purpose) {
    return Worded(Refusal::kAboveLatestVersion, {.purpose = purpose, .given = 4, .bound = 3});
  };
  EXPECT_EQ(too_new(Purpose::kEncryption),
            "requested version for encryption is higher than the latest key version");
  EXPECT_EQ(too_new(Purpose::kSigning),
            "requested version for signing is higher than the latest key version");
  EXPECT_EQ(too_new(Purpose::kMac), "key version does not exist; latest key version is 3");
  EXPECT_EQ(too_new(Purpose::kCertificateRequest), "no such key version");
  EXPECT_EQ(too_new(Purpose::kDecryption), "invalid ciphertext: version is too new");
  EXPECT_EQ(too_new(Purpose::kVerification), "invalid signature: version is too new");
  EXPECT_EQ(too_new(Purpose::kMacVerification), "invalid HMAC: version is too new");
}

TEST(RefusalTexts, VersionsBelowASettingAreRefusedInVaultsWords) {
  const auto unusable = [](Purpose purpose) {
    return Worded(Refusal::kBelowMinEncryptionVersion,
                  {.purpose = purpose, .given = 1, .bound = 2});
  };
  EXPECT_EQ(unusable(Purpose::kEncryption),
            "requested version for encryption is less than the minimum encryption key version");
  EXPECT_EQ(unusable(Purpose::kSigning),
            "requested version for signing is less than the minimum encryption key version");
  EXPECT_EQ(unusable(Purpose::kMac),
            "cannot generate HMAC: version is too old (disallowed by policy)");
  const auto unreadable = [](Purpose purpose) {
    return Worded(Refusal::kBelowMinDecryptionVersion,
                  {.purpose = purpose, .given = 1, .bound = 2});
  };
  for (const Purpose purpose : {Purpose::kDecryption, Purpose::kVerification}) {
    EXPECT_EQ(unreadable(purpose),
              "ciphertext or signature version is disallowed by policy (too old)");
  }
  EXPECT_EQ(unreadable(Purpose::kMacVerification),
            "cannot verify HMAC: version is too old (disallowed by policy)");
  for (const Purpose purpose :
       {Purpose::kEncryption, Purpose::kSigning, Purpose::kMac, Purpose::kCertificateRequest}) {
    EXPECT_EQ(unreadable(purpose), "no such key version");
  }
}

TEST(RefusalTexts, AbsentKeysAndUnfitTypesAreNamedByWhatWasAsked) {
  const auto absent = [](Purpose purpose) {
    return Worded(Refusal::kNoKeyToUse, {.purpose = purpose});
  };
  EXPECT_EQ(absent(Purpose::kEncryption), "encryption key not found");
  EXPECT_EQ(absent(Purpose::kDecryption), "encryption key not found");
  EXPECT_EQ(absent(Purpose::kMac), "encryption key not found");
  EXPECT_EQ(absent(Purpose::kSigning), "signing key not found");
  EXPECT_EQ(absent(Purpose::kVerification), "signature verification key not found");
  EXPECT_EQ(absent(Purpose::kMacVerification), "signature verification key not found");
  const auto unfit = [](Purpose purpose) {
    return Worded(Refusal::kPurposeUnsupported, {.purpose = purpose, .name = "hmac"});
  };
  EXPECT_EQ(unfit(Purpose::kEncryption), "message encryption not supported for key type hmac");
  EXPECT_EQ(unfit(Purpose::kDecryption), "message decryption not supported for key type hmac");
  EXPECT_EQ(unfit(Purpose::kSigning), "key type hmac does not support signing");
  EXPECT_EQ(unfit(Purpose::kVerification), "key type hmac does not support verification");
  EXPECT_EQ(unfit(Purpose::kCmac), "key type hmac does not support CMAC");
  const auto public_only = [](Purpose purpose) {
    return Worded(Refusal::kPrivatePartMissing, {.purpose = purpose});
  };
  EXPECT_EQ(public_only(Purpose::kDecryption),
            "cannot decrypt ciphertext, key version does not have a private counterpart");
  EXPECT_EQ(public_only(Purpose::kSigning),
            "requested version for signing does not contain a private part");
}

TEST(RefusalTexts, SettingsAreRefusedInVaultsWords) {
  EXPECT_EQ(Worded(Refusal::kMinEncryptionAboveLatest, {.given = 3, .bound = 2}),
            "cannot set min encryption version of 3, latest key version is 2");
  EXPECT_EQ(Worded(Refusal::kMinDecryptionBelowMinAvailable, {.given = 1, .bound = 2}),
            "min decryption version should not be less then min available version");
  EXPECT_EQ(Worded(Refusal::kTrimAboveMinEncryption, {.given = 3, .bound = 2}),
            "minimum available version cannot be greater than minmum encryption version");
  EXPECT_EQ(Worded(Refusal::kTrimWithoutMinEncryption),
            "minimum available version cannot be set when minimum encryption version is not set");
  EXPECT_EQ(Worded(Refusal::kMinEncryptionBelowMinDecryption, {.given = 1, .bound = 2}),
            "cannot set min encryption/decryption values; min encryption version of 1 must be "
            "greater than or equal to min decryption version of 2");
  EXPECT_EQ(Worded(Refusal::kDeletionNotAllowed), "deletion is not allowed for this key");
  EXPECT_EQ(Worded(Refusal::kKeySoftDeleted), "refusing to use soft-deleted key");
}

TEST(RefusalTexts, CiphertextsAndSignaturesAreRefusedInVaultsWords) {
  EXPECT_EQ(Worded(Refusal::kNotBase64, {.given = 5}), "illegal base64 data at input byte 5");
  EXPECT_EQ(Worded(Refusal::kNotAuthentic), "cipher: message authentication failed");
  EXPECT_EQ(Worded(Refusal::kCiphertextLength), "invalid ciphertext length");
  EXPECT_EQ(Worded(Refusal::kRsaDecryptionFailed), "failed to RSA decrypt the ciphertext");
  EXPECT_EQ(Worded(Refusal::kSignatureMalformed), "supplied signature is invalid");
  EXPECT_EQ(Worded(Refusal::kSignatureHasMore), "supplied signature contains extra data");
  EXPECT_EQ(Worded(Refusal::kCertificateRequestUnreadable), "could not decode PEM CSR");
  EXPECT_EQ(Worded(Refusal::kItemAssociatedDataUnsupported, {.given = 7, .name = "rsa-2048"}),
            "'[7].associated_data' provided for non-AEAD cipher suite rsa-2048");
  EXPECT_EQ(Worded(Refusal::kRandomTooLong, {.given = 131'073, .bound = 131'072}),
            "'bytes' should be less than 131072");
}

TEST(RefusalTexts, AFieldIsNamedWithWhatIsWrong) {
  EXPECT_EQ(Worded(Refusal::kFieldInvalid, {.name = "limit", .detail = "not an integer"}),
            "Field validation failed: error converting input for field \"limit\": not an integer");
}

TEST(RefusalTexts, PathsThatAreTakenAreNamedInVaultsWords) {
  EXPECT_EQ(Worded(Refusal::kMountPathTaken, {.name = "a/"}), "path is already in use at a/");
  EXPECT_EQ(Worded(Refusal::kMountPathReserved, {.name = "sys/"}), "cannot mount \"sys/\"");
  EXPECT_EQ(Worded(Refusal::kRemountPathTaken, {.name = "a/"}), "path already in use at \"a/\"");
  EXPECT_EQ(Worded(Refusal::kRemountPathReserved, {.name = "audit/x/"}),
            "cannot remount to destination \"audit/x/\"");
  EXPECT_EQ(HttpStatus(Error(Refusal::kMountPathTaken)), 400) << "Vault has no 409";
  EXPECT_EQ(HttpStatus(Error(Refusal::kRemountPathTaken)), 400);
}

TEST(RefusalTexts, AnAbsentOperationHasAStatusOfItsOwn) {
  EXPECT_EQ(HttpStatus(Error(Refusal::kNoRoute)), 404);
  EXPECT_EQ(HttpStatus(Error(Refusal::kUnsupportedPath)), 404);
  EXPECT_EQ(HttpStatus(Error(Refusal::kUnsupportedVerb)), 405);
  EXPECT_EQ(HttpStatus(Error(Refusal::kUnsupportedMedia)), 415);
  EXPECT_EQ(HttpStatus(Error(Refusal::kPermissionDenied)), 403);
}

TEST(RefusalTexts, WhatFailedInsideIsWithheld) {
  EXPECT_EQ(ClientText(Error(Code::kInternal, "a defect")),
            "1 error occurred:\n\t* internal error\n\n");
  EXPECT_EQ(ClientText(Error(Code::kUnavailable, "storage is full")), "storage is full");
}

}  // namespace
}  // namespace coffer::api
