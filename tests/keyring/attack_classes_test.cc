// The attack table (attack_test.cc) for the masters of further classes, resident keys and the
// import wrapping key: somebody with the user PIN, the module and every blob.

#include <gtest/gtest.h>

#include <string>

#include "coffer/pkcs11/parameters.h"
#include "keyring/attacks.h"
#include "keyring/key_recipes.h"
#include "keyring/token_path_fixture.h"

namespace coffer::keyring {
namespace {

using pkcs11::Attributes;
using pkcs11::AttributeType;
using pkcs11::Mechanism;
using pkcs11::MechanismType;
using pkcs11::ObjectClass;
using pkcs11::ObjectHandle;

constexpr MechanismType kWrap = MechanismType::kAesKeyWrapPad;

const Bytes kLocator(16, 7);

class AttackClassesTest : public TokenPathTest {
 protected:
  ObjectHandle Find(const std::string& label) {
    Attributes wanted;
    wanted.Add(AttributeType::kLabel, label);
    const auto found = session_->Find(wanted);
    EXPECT_TRUE(found && found->size() == 1) << label;
    return found && !found->empty() ? found->front() : pkcs11::kNoObject;
  }
  // The honest template for a version's use, with one attribute of another value.
  static Attributes AlteredUse(const KeySpec& spec, Use use, AttributeType type, bool value) {
    return Altered(UnwrappedRecipe(spec, use)->Template(), type, value);
  }
  struct Made {
    KeySpec spec;
    Use use;
    NewVersion version;
  };
  Made Make(KeyType type, Use use, bool derived = false) {
    const KeySpec spec{type, derived};
    auto version = path_->Generate(spec, {kLocator, database_});
    EXPECT_TRUE(version) << version.error().cause;
    return {spec, use, std::move(*version)};
  }
};

TEST_F(AttackClassesTest, NoClassesBlobIsUnwrappedReadable) {
  for (const Made& made :
       {Make(KeyType::kEcdsaP256, Use::kSign), Make(KeyType::kRsa2048, Use::kSign),
        Make(KeyType::kHmac, Use::kHmac), Make(KeyType::kAes256Cmac, Use::kCmac),
        Make(KeyType::kAes256Gcm96, Use::kDerive, true)}) {
    const ObjectHandle master = Find("coffer-" + made.version.master);
    for (const auto& [type, value] : {std::pair{AttributeType::kExtractable, true},
                                      {AttributeType::kSensitive, false},
                                      {AttributeType::kToken, true},
                                      {AttributeType::kPrivate, false},
                                      {AttributeType::kCopyable, true},
                                      {AttributeType::kModifiable, true}}) {
      ExpectStoppedBy(session_->UnwrapKey(kWrap, master, made.version.blob,
                                          AlteredUse(made.spec, made.use, type, value)),
                      "CKR_TEMPLATE_INCONSISTENT");
    }
    const auto honest = path_->Unwrap(made.spec, made.use, made.version.master, made.version.blob);
    ASSERT_TRUE(honest) << honest.error().cause;
    Attributes extractable;
    extractable.Add(AttributeType::kExtractable, true);
    ExpectStoppedBy(session_->SetAttributes(*honest, extractable), "CKR_A");
    ExpectStoppedBy(session_->CopyObject(*honest, extractable), "CKR_ACTION_PROHIBITED");
  }
}

TEST_F(AttackClassesTest, ABaseKeyOfDerivedKeysNeverEncrypts) {
  const Made made = Make(KeyType::kAes256Gcm96, Use::kDerive, true);
  const ObjectHandle master = Find("coffer-aes-derive-v1");
  ExpectStoppedBy(
      session_->UnwrapKey(kWrap, master, made.version.blob,
                          AlteredUse(made.spec, Use::kDerive, AttributeType::kEncrypt, true)),
      "CKR_TEMPLATE_INCONSISTENT");
  const auto base = path_->Unwrap(made.spec, Use::kDerive, "aes-derive-v1", made.version.blob);
  ASSERT_TRUE(base);
  ExpectStoppedBy(session_->Encrypt(MechanismType::kAesEcb, *base, Bytes(16)), "CKR_");
  const Bytes iv(16);
  ExpectStoppedBy(session_->DeriveKey(Mechanism(MechanismType::kAesCbc, iv), *base, Attributes()),
                  "CKR_");
}

TEST_F(AttackClassesTest, APairsKeyIsUsedForItsOneUseOnly) {
  const Made made = Make(KeyType::kRsa2048, Use::kSign);
  const auto signing = path_->Unwrap(made.spec, Use::kSign, made.version.master, made.version.blob);
  const auto opening =
      path_->Unwrap(made.spec, Use::kCipher, made.version.master, made.version.blob);
  ASSERT_TRUE(signing && opening);
  ExpectStoppedBy(session_->Decrypt(MechanismType::kRsaX509, *signing, Bytes(256, 1)), "CKR_");
  Bytes out(kMaxSignatureOctets);
  ExpectStoppedBy(session_->Sign(MechanismType::kRsaPkcs, *opening, Bytes(32), out), "CKR_");
  // PKCS#1 v1.5 decryption would be an oracle, with the right flag, too.
  ExpectStoppedBy(session_->Decrypt(MechanismType::kRsaPkcs, *opening, Bytes(256, 1)),
                  "CKR_MECHANISM_INVALID");
}

TEST_F(AttackClassesTest, AnotherClassesMasterDoesNotOpenAPair) {
  const Made made = Make(KeyType::kEcdsaP256, Use::kSign);
  const Recipe recipe = UnwrappedRecipe(made.spec, Use::kSign).value();
  const Attributes& honest = recipe.Template();
  for (const char* label : {"coffer-aes-v1", "coffer-rsa-v1", "coffer-hmac-v1"}) {
    EXPECT_FALSE(session_->UnwrapKey(kWrap, Find(label), made.version.blob, honest)) << label;
  }
  EXPECT_FALSE(session_->UnwrapKey(kWrap, Find("coffer-import-ec-v1"), made.version.blob, honest))
      << "of the same class, but another key";
}

TEST_F(AttackClassesTest, AResidentKeyIsNeitherReadNorWrappedNorChanged) {
  static_cast<void>(Make(KeyType::kEd25519, Use::kSign));
  const auto key = path_->FindResident(kLocator);
  ASSERT_TRUE(key);
  ExpectStoppedBy(session_->GetBytes(*key, AttributeType::kValue), "CKR_ATTRIBUTE_SENSITIVE");
  for (const char* label : {"coffer-ec-v1", "coffer-rsa-v1", "coffer-aes-v1"}) {
    ExpectStoppedBy(session_->WrapKey(kWrap, Find(label), *key), "CKR_KEY_");
  }
  Attributes extractable;
  extractable.Add(AttributeType::kExtractable, true);
  ExpectStoppedBy(session_->SetAttributes(*key, extractable), "CKR_A");
  ExpectStoppedBy(session_->CopyObject(*key, extractable), "CKR_ACTION_PROHIBITED");
}

TEST_F(AttackClassesTest, TheImportWrappingKeyOpensOnlyKeysThatOnlyUnwrap) {
  const auto spki = path_->ImportWrappingKey();
  ASSERT_TRUE(spki) << spki.error().cause;
  EXPECT_EQ(*path_->ImportWrappingKey(), *spki) << "made once";
  const ObjectHandle wrapping = Find("coffer-import-wrapping-v1");
  ExpectStoppedBy(session_->GetBytes(wrapping, static_cast<AttributeType>(0x123)),
                  "CKR_ATTRIBUTE_SENSITIVE");
  ExpectStoppedBy(session_->Decrypt(MechanismType::kRsaX509, wrapping, Bytes(512, 1)), "CKR_");
  ExpectStoppedBy(session_->Decrypt(Mechanism(MechanismType::kRsaPkcsOaep,
                                              pkcs11::RsaOaepParameters(MechanismType::kSha1)),
                                    wrapping, Bytes(512, 1)),
                  "CKR_");
  Attributes readable;
  readable.Add(AttributeType::kClass, ObjectClass::kSecretKey)
      .Add(AttributeType::kKeyType, pkcs11::KeyType::kAes)
      .Add(AttributeType::kToken, false)
      .Add(AttributeType::kSensitive, false)
      .Add(AttributeType::kExtractable, true);
  const Bytes oaep = pkcs11::RsaOaepParameters(MechanismType::kSha1);
  ExpectStoppedBy(session_->UnwrapKey(Mechanism(MechanismType::kRsaPkcsOaep, oaep), wrapping,
                                      Bytes(512, 1), readable),
                  "CKR_TEMPLATE_INCONSISTENT");
}

}  // namespace
}  // namespace coffer::keyring
