#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "coffer/pkcs11/attributes.h"
#include "coffer/pkcs11/module.h"
#include "coffer/pkcs11/session.h"
#include "fakes/softhsm_token.h"

namespace coffer::pkcs11 {

template <typename T>
::testing::AssertionResult FailsWith(const Result<T>& result, Code code) {
  if (result) return ::testing::AssertionFailure() << "it succeeded";
  if (result.error().code == code) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "code " << static_cast<int>(result.error().code) << ": "
                                       << result.error().message << " | " << result.error().cause;
}

template <typename T>
::testing::AssertionResult Succeeds(const Result<T>& result) {
  if (result) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << result.error().message << " | " << result.error().cause;
}

inline Attributes SecretKey(KeyType type) {
  Attributes attributes;
  attributes.Add(AttributeType::kClass, ObjectClass::kSecretKey)
      .Add(AttributeType::kKeyType, type)
      .Add(AttributeType::kToken, false)
      .Add(AttributeType::kPrivate, true);
  return attributes;
}

inline Attributes DataKey() {
  Attributes attributes = SecretKey(KeyType::kAes);
  attributes.Add(AttributeType::kSensitive, true)
      .Add(AttributeType::kExtractable, false)
      .Add(AttributeType::kEncrypt, true)
      .Add(AttributeType::kDecrypt, true)
      .Add(AttributeType::kValueLen, 32UL);
  return attributes;
}

inline Attributes MacKey() {
  Attributes attributes = SecretKey(KeyType::kGenericSecret);
  attributes.Add(AttributeType::kSensitive, true)
      .Add(AttributeType::kSign, true)
      .Add(AttributeType::kVerify, true)
      .Add(AttributeType::kValueLen, 32UL);
  return attributes;
}

inline Attributes ExtractableKey() {
  Attributes attributes = SecretKey(KeyType::kAes);
  attributes.Add(AttributeType::kSensitive, true)
      .Add(AttributeType::kExtractable, true)
      .Add(AttributeType::kValueLen, 32UL);
  return attributes;
}

inline Attributes PinnedKey() {
  Attributes attributes = SecretKey(KeyType::kAes);
  attributes.Add(AttributeType::kSensitive, true)
      .Add(AttributeType::kExtractable, false)
      .Add(AttributeType::kWrap, false)
      .Add(AttributeType::kUnwrap, false)
      .Add(AttributeType::kCopyable, false)
      .Add(AttributeType::kModifiable, false);
  return attributes;
}

// Wraps and unwraps, nothing else; what is unwrapped must be as PinnedKey says.
inline Attributes MasterKey() {
  Attributes attributes = SecretKey(KeyType::kAes);
  attributes.Add(AttributeType::kSensitive, true)
      .Add(AttributeType::kExtractable, false)
      .Add(AttributeType::kWrap, true)
      .Add(AttributeType::kUnwrap, true)
      .Add(AttributeType::kEncrypt, false)
      .Add(AttributeType::kDecrypt, false)
      .Add(AttributeType::kValueLen, 32UL)
      .AddMechanisms(AttributeType::kAllowedMechanisms, {MechanismType::kAesKeyWrapPad})
      .AddTemplate(AttributeType::kUnwrapTemplate, PinnedKey())
      .Add(AttributeType::kCopyable, false)
      .Add(AttributeType::kModifiable, false);
  return attributes;
}

// A fresh SoftHSM token with one instance and one logged-in session.
class TokenTest : public ::testing::Test {
 protected:
  ObjectHandle Generate(MechanismType mechanism, const Attributes& attributes) {
    const auto key = session_.GenerateKey(mechanism, attributes);
    EXPECT_TRUE(Succeeds(key));
    return key.value_or(kNoObject);
  }
  ObjectHandle NewDataKey() { return Generate(MechanismType::kAesKeyGen, DataKey()); }
  ObjectHandle NewMacKey() { return Generate(MechanismType::kGenericSecretKeyGen, MacKey()); }
  ObjectHandle NewMaster() { return Generate(MechanismType::kAesKeyGen, MasterKey()); }

  fakes::SoftHsmToken token_;
  std::unique_ptr<Module> module_ = token_.Load();
  Session session_ = token_.OpenUserSession(*module_);
};

}  // namespace coffer::pkcs11
