// The attack table (attack_test.cc) for the masters of further classes, resident keys and the
// import wrapping key: somebody with the user PIN, the module and every blob.

#include <gtest/gtest.h>

#include <string>

#include "coffer/crypto/key_transport.h"
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

Recipe NewAesKey() { return NewSecretRecipe(*FindClass(KeyKind::kAes).value(), 32); }

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
  Made MakeExportable(KeyType type) {
    KeySpec spec{type};
    spec.exportable = true;
    auto version = path_->Generate(spec, {kLocator, database_});
    EXPECT_TRUE(version) << version.error().message << " | " << version.error().cause;
    return {spec, MainUse(spec), std::move(*version)};
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
  const auto made = path_->ImportWrappingKey();
  ASSERT_TRUE(made) << made.error().cause;
  EXPECT_EQ(path_->ImportWrappingKey()->spki, made->spki) << "made once";
  const ObjectHandle wrapping = Find("coffer-import-wrapping-v1");
  ExpectStoppedBy(session_->GetBytes(wrapping, static_cast<AttributeType>(0x123)),
                  "CKR_ATTRIBUTE_SENSITIVE");
  ExpectStoppedBy(session_->Decrypt(MechanismType::kRsaX509, wrapping, Bytes(512, 1)), "CKR_");
  const Bytes oaep = pkcs11::RsaOaepParameters(MechanismType::kSha1);
  ExpectStoppedBy(
      session_->Decrypt(Mechanism(MechanismType::kRsaPkcsOaep, oaep), wrapping, Bytes(512, 1)),
      "CKR_");
  const auto key = crypto::PublicKey::FromSpki(made->spki);
  ASSERT_TRUE(key);
  const auto wrapped = (*key)->EncryptOaep(crypto::HashAlgorithm::kSha1, Bytes(32, 7));
  ASSERT_TRUE(wrapped);
  const Mechanism unwrap(MechanismType::kRsaPkcsOaep, oaep);
  for (const auto& [type, value] : {std::pair{AttributeType::kSensitive, false},
                                    {AttributeType::kExtractable, true},
                                    {AttributeType::kToken, true},
                                    {AttributeType::kPrivate, false},
                                    {AttributeType::kWrap, true},
                                    {AttributeType::kEncrypt, true},
                                    {AttributeType::kDecrypt, true},
                                    {AttributeType::kSign, true},
                                    {AttributeType::kVerify, true},
                                    {AttributeType::kDerive, true},
                                    {AttributeType::kCopyable, true},
                                    {AttributeType::kModifiable, true}}) {
    ExpectStoppedBy(session_->UnwrapKey(unwrap, wrapping, *wrapped,
                                        Altered(EphemeralRecipe(kWrap).Template(), type, value)),
                    "CKR_TEMPLATE_INCONSISTENT");
  }
  const auto honest =
      session_->UnwrapKey(unwrap, wrapping, *wrapped, EphemeralRecipe(kWrap).Template());
  ASSERT_TRUE(honest) << honest.error().cause;
  const Bytes iv(16);
  ExpectStoppedBy(session_->UnwrapKey(Mechanism(MechanismType::kAesCbcPad, iv), *honest,
                                      Bytes(32, 1), NewAesKey().Template()),
                  "CKR_MECHANISM_INVALID");
}

// The token pins what an import's AES key may do, and not what it unwraps: a template inside a
// template is beyond SoftHSM. docs/threat-model.md says so, and how to shorten the time in which it
// is true.
TEST_F(AttackClassesTest, WithThePinARecordedImportIsReadUntilTheWrappingKeyIsDestroyed) {
  const auto made = path_->ImportWrappingKey();
  ASSERT_TRUE(made);
  const auto key = crypto::PublicKey::FromSpki(made->spki);
  ASSERT_TRUE(key);
  crypto::SystemRandom random;
  const auto recorded = crypto::WrapForImport(*key.value(), crypto::HashAlgorithm::kSha1,
                                              SecretBytes::CopyOf(Bytes(32, 0x5a)), random);
  ASSERT_TRUE(recorded);
  const Bytes oaep = pkcs11::RsaOaepParameters(MechanismType::kSha1);
  const ByteView all(*recorded);
  Attributes readable;
  readable.Add(AttributeType::kClass, ObjectClass::kSecretKey)
      .Add(AttributeType::kKeyType, pkcs11::KeyType::kAes)
      .Add(AttributeType::kToken, false)
      .Add(AttributeType::kSensitive, false)
      .Add(AttributeType::kExtractable, true);
  const auto read = [&]() -> Result<Bytes> {
    COFFER_ASSIGN(const ObjectHandle ephemeral,
                  session_->UnwrapKey(Mechanism(MechanismType::kRsaPkcsOaep, oaep),
                                      Find("coffer-import-wrapping-v1"), all.first(512),
                                      EphemeralRecipe(kWrap).Template()));
    COFFER_ASSIGN(const ObjectHandle target,
                  session_->UnwrapKey(kWrap, ephemeral, all.subspan(512), readable));
    return session_->GetBytes(target, AttributeType::kValue);
  };
  const auto value = read();
  ASSERT_TRUE(value) << value.error().cause;
  EXPECT_EQ(*value, Bytes(32, 0x5a));
  ASSERT_TRUE(path_->DestroyImportWrappingKey());
  ASSERT_TRUE(path_->ImportWrappingKey());
  EXPECT_FALSE(read());
}

TEST_F(AttackClassesTest, AnImportMasterUnwrapsAsNarrowlyAsAnother) {
  const KeySpec spec;
  const ObjectHandle master = Find("coffer-import-aes-v1");
  const auto born = session_->GenerateKey(MechanismType::kAesKeyGen, NewAesKey().Template());
  ASSERT_TRUE(born);
  const auto blob = session_->WrapKey(kWrap, master, *born);
  ASSERT_TRUE(blob) << blob.error().cause;
  for (const auto& [type, value] : {std::pair{AttributeType::kExtractable, true},
                                    {AttributeType::kSensitive, false},
                                    {AttributeType::kToken, true},
                                    {AttributeType::kPrivate, false},
                                    {AttributeType::kWrap, true},
                                    {AttributeType::kUnwrap, true},
                                    {AttributeType::kCopyable, true},
                                    {AttributeType::kModifiable, true},
                                    {AttributeType::kDerive, true}}) {
    ExpectStoppedBy(
        session_->UnwrapKey(kWrap, master, *blob, AlteredUse(spec, Use::kCipher, type, value)),
        "CKR_TEMPLATE_INCONSISTENT");
  }
  Attributes decrypt;
  decrypt.Add(AttributeType::kDecrypt, true);
  ExpectStoppedBy(session_->SetAttributes(master, decrypt), "CKR_A");
  ExpectStoppedBy(session_->CopyObject(master, decrypt), "CKR_ACTION_PROHIBITED");
  const Bytes iv(16);
  ExpectStoppedBy(session_->WrapKey(Mechanism(MechanismType::kAesCbcPad, iv), master, *born),
                  "CKR_MECHANISM_INVALID");
  ExpectStoppedBy(session_->Decrypt(MechanismType::kAesEcb, master, Bytes(32)), "CKR_");
}

// Keys that come from elsewhere have nothing by which a template could tell them from a key of the
// attacker's. With the PIN he can also make the MACs, so what he needs besides is to write to the
// database (docs/threat-model.md).
TEST_F(AttackClassesTest, WithThePinAKnownKeyIsPlantedUnderAnImportMasterAndUnderNoOther) {
  Attributes known;
  known.Add(AttributeType::kClass, ObjectClass::kSecretKey)
      .Add(AttributeType::kKeyType, pkcs11::KeyType::kAes)
      .Add(AttributeType::kToken, false)
      .Add(AttributeType::kSensitive, true)
      .Add(AttributeType::kExtractable, true)
      .Add(AttributeType::kValue, ByteView(Bytes(32, 0x5a)));
  const auto planted = session_->CreateObject(known);
  ASSERT_TRUE(planted);
  static_cast<void>(MakeExportable(KeyType::kAes256Gcm96));
  for (const char* const label : {"coffer-aes-v1", "coffer-export-aes-v1"}) {
    ExpectStoppedBy(session_->WrapKey(kWrap, Find(label), *planted), "CKR_KEY_NOT_WRAPPABLE");
  }
  const auto blob = session_->WrapKey(kWrap, Find("coffer-import-aes-v1"), *planted);
  ASSERT_TRUE(blob) << "a token that stops this is stricter than docs/threat-model.md says";
  EXPECT_TRUE(path_->Unwrap({}, Use::kCipher, "import-aes-v1", *blob));
}

TEST_F(AttackClassesTest, AnExportableKeyIsWrappedForOthersAndNeverRead) {
  const Made made = MakeExportable(KeyType::kAes256Gcm96);
  EXPECT_EQ(made.version.master, "export-aes-v1");
  const ObjectHandle master = Find("coffer-export-aes-v1");
  for (const auto& [type, value] : {std::pair{AttributeType::kSensitive, false},
                                    {AttributeType::kToken, true},
                                    {AttributeType::kPrivate, false},
                                    {AttributeType::kWrap, true},
                                    {AttributeType::kUnwrap, true},
                                    {AttributeType::kDerive, true},
                                    {AttributeType::kCopyable, true},
                                    {AttributeType::kModifiable, true}}) {
    ExpectStoppedBy(session_->UnwrapKey(kWrap, master, made.version.blob,
                                        AlteredUse(made.spec, made.use, type, value)),
                    "CKR_TEMPLATE_INCONSISTENT");
  }
  const auto used = path_->Unwrap(made.spec, made.use, made.version.master, made.version.blob);
  ASSERT_TRUE(used) << used.error().cause;
  ExpectStoppedBy(session_->WrapKey(kWrap, Find("coffer-import-aes-v1"), *used),
                  "CKR_KEY_UNEXTRACTABLE");
}

}  // namespace
}  // namespace coffer::keyring
