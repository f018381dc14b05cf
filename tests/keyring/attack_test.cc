// The attack table of the key custody rules: somebody with the user PIN, the module and every
// wrapped blob tries to get at a key. Each attempt fails, and the test names what stopped it. What
// the token does let through is said in the threat model.

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "coffer/crypto/system_random.h"
#include "coffer/keyring/token_setup.h"
#include "fakes/softhsm_token.h"
#include "keyring/attacks.h"
#include "keyring/key_recipes.h"

namespace coffer::keyring {
namespace {

using pkcs11::Attributes;
using pkcs11::AttributeType;
using pkcs11::KeyType;
using pkcs11::Mechanism;
using pkcs11::MechanismType;
using pkcs11::ObjectClass;
using pkcs11::ObjectHandle;

constexpr MechanismType kWrap = MechanismType::kAesKeyWrapPad;

const MasterClass& ClassFor(KeyKind kind) { return *FindClass(kind).value(); }

Recipe NewAesKey() { return NewSecretRecipe(ClassFor(KeyKind::kAes), 32); }

Recipe UsedAesKey() { return UnwrappedRecipe(KeySpec{}, Use::kCipher).value(); }

class AttackTest : public ::testing::Test {
 protected:
  void SetUp() override {
    location_.module = token_.Library();
    location_.label = token_.Label();
    location_.copies_directory = token_.Directory();
    location_.objects_directory = token_.TokenDirectory();
    crypto::SystemRandom random;
    ASSERT_TRUE(CompleteToken(location_, token_.UserPin(), Id::Generate(random), logger_));
    module_ = token_.Load();
    session_ = token_.OpenUserSession(*module_);
    master_ = Find("coffer-aes-v1");
    hmac_master_ = Find("coffer-hmac-v1");
    const auto born = session_->GenerateKey(MechanismType::kAesKeyGen, NewAesKey().Template());
    ASSERT_TRUE(born);
    const auto blob = session_->WrapKey(kWrap, master_, *born);
    ASSERT_TRUE(blob);
    blob_ = *blob;
    ASSERT_TRUE(session_->DestroyObject(*born));
    const auto used = session_->UnwrapKey(kWrap, master_, blob_, UsedAesKey().Template());
    ASSERT_TRUE(used) << used.error().cause;
    version_ = *used;
  }
  void TearDown() override {
    session_.reset();
    module_.reset();
  }
  ObjectHandle Find(const std::string& label) {
    Attributes wanted;
    wanted.Add(AttributeType::kLabel, label);
    const auto found = session_->Find(wanted);
    EXPECT_TRUE(found && found->size() == 1) << label;
    return found && !found->empty() ? found->front() : pkcs11::kNoObject;
  }
  static Attributes Flag(AttributeType type, bool value) {
    Attributes attributes;
    attributes.Add(type, value);
    return attributes;
  }
  // The unwrap template with one attribute of another value.
  static Attributes AlteredUse(AttributeType type, bool value) {
    return Altered(UsedAesKey().Template(), type, value);
  }

  fakes::SoftHsmToken token_;
  TokenLocation location_;
  NullLogger logger_;
  std::unique_ptr<pkcs11::Module> module_;
  std::optional<pkcs11::Session> session_;
  ObjectHandle master_ = 0;
  ObjectHandle hmac_master_ = 0;
  ObjectHandle version_ = 0;
  Bytes blob_;
};

TEST_F(AttackTest, AMasterCannotBeGivenDecrypt) {
  for (const AttributeType usage :
       {AttributeType::kDecrypt, AttributeType::kEncrypt, AttributeType::kSign,
        AttributeType::kDerive, AttributeType::kExtractable}) {
    ExpectStoppedBy(session_->SetAttributes(master_, Flag(usage, true)), "CKR_A");
  }
}

TEST_F(AttackTest, AMasterCannotBeCopied) {
  ExpectStoppedBy(session_->CopyObject(master_, Flag(AttributeType::kToken, false)),
                  "CKR_ACTION_PROHIBITED");
  ExpectStoppedBy(session_->CopyObject(version_, Flag(AttributeType::kToken, false)),
                  "CKR_ACTION_PROHIBITED");
}

TEST_F(AttackTest, AMasterWrapsWithItsOneMechanismOnly) {
  const auto known = session_->GenerateKey(MechanismType::kAesKeyGen, NewAesKey().Template());
  ASSERT_TRUE(known);
  const Bytes iv(16);
  ExpectStoppedBy(session_->WrapKey(MechanismType::kAesKeyWrap, master_, *known),
                  "CKR_MECHANISM_INVALID");
  ExpectStoppedBy(session_->WrapKey(Mechanism(MechanismType::kAesCbc, iv), master_, *known),
                  "CKR_MECHANISM_INVALID");
  ExpectStoppedBy(session_->WrapKey(Mechanism(MechanismType::kAesCbcPad, iv), master_, *known),
                  "CKR_MECHANISM_INVALID");
}

TEST_F(AttackTest, AMasterDecryptsNothing) {
  ExpectStoppedBy(session_->Decrypt(MechanismType::kAesEcb, master_, Bytes(32)), "CKR_");
  Bytes out(64);
  const Bytes iv(12);
  ExpectStoppedBy(session_->DecryptGcm(master_, {iv, {}}, Bytes(32), out), "CKR_");
}

TEST_F(AttackTest, ABlobIsUnwrappedNoOtherWay) {
  for (const auto& [type, value] : {std::pair{AttributeType::kExtractable, true},
                                    {AttributeType::kSensitive, false},
                                    {AttributeType::kToken, true},
                                    {AttributeType::kPrivate, false},
                                    {AttributeType::kWrap, true},
                                    {AttributeType::kUnwrap, true},
                                    {AttributeType::kCopyable, true},
                                    {AttributeType::kModifiable, true},
                                    {AttributeType::kDerive, true}}) {
    ExpectStoppedBy(session_->UnwrapKey(kWrap, master_, blob_, AlteredUse(type, value)),
                    "CKR_TEMPLATE_INCONSISTENT");
  }
}

TEST_F(AttackTest, ABlobIsUnwrappedAsNoOtherType) {
  Attributes as_generic;
  const Attributes honest = UnwrapTemplate(ClassFor(KeyKind::kHmac));
  as_generic.Append(honest);
  ExpectStoppedBy(session_->UnwrapKey(kWrap, master_, blob_, as_generic),
                  "CKR_TEMPLATE_INCONSISTENT");
  ExpectStoppedBy(session_->UnwrapKey(kWrap, master_, blob_, Attributes()), "CKR_ARGUMENTS_BAD");
}

TEST_F(AttackTest, AnotherClassesMasterDoesNotOpenIt) {
  ExpectStoppedBy(session_->UnwrapKey(kWrap, hmac_master_, blob_, UsedAesKey().Template()),
                  "CKR_TEMPLATE_INCONSISTENT");
  EXPECT_FALSE(
      session_->UnwrapKey(kWrap, hmac_master_, blob_, UnwrapTemplate(ClassFor(KeyKind::kHmac))));
}

TEST_F(AttackTest, RandomOctetsAndChangedBlobsDoNotUnwrap) {
  crypto::SystemRandom random;
  Bytes octets(40);
  for (int i = 0; i < 200; ++i) {
    random.Fill(octets);
    EXPECT_FALSE(session_->UnwrapKey(kWrap, master_, octets, UsedAesKey().Template()));
  }
  for (std::size_t at = 0; at < blob_.size(); ++at) {
    Bytes changed = blob_;
    changed[at] ^= 1;
    EXPECT_FALSE(session_->UnwrapKey(kWrap, master_, changed, UsedAesKey().Template()));
  }
}

TEST_F(AttackTest, NoValueIsReadable) {
  ExpectStoppedBy(session_->GetBytes(version_, AttributeType::kValue), "CKR_ATTRIBUTE_SENSITIVE");
  ExpectStoppedBy(session_->GetBytes(master_, AttributeType::kValue), "CKR_ATTRIBUTE_SENSITIVE");
  ExpectStoppedBy(session_->GetBytes(Find("coffer-meta"), AttributeType::kValue),
                  "CKR_ATTRIBUTE_SENSITIVE");
}

TEST_F(AttackTest, AVersionsAttributesCannotBeChanged) {
  for (const AttributeType type :
       {AttributeType::kExtractable, AttributeType::kWrap, AttributeType::kUnwrap,
        AttributeType::kDerive, AttributeType::kSign}) {
    ExpectStoppedBy(session_->SetAttributes(version_, Flag(type, true)), "CKR_A");
  }
  ExpectStoppedBy(session_->SetAttributes(version_, Flag(AttributeType::kSensitive, false)),
                  "CKR_A");
}

TEST_F(AttackTest, AVersionIsUsedWithItsOneMechanismOnly) {
  ExpectStoppedBy(session_->Encrypt(MechanismType::kAesEcb, version_, Bytes(16)),
                  "CKR_MECHANISM_INVALID");
  ExpectStoppedBy(
      session_->Encrypt(Mechanism(MechanismType::kAesCbc, Bytes(16)), version_, Bytes(16)),
      "CKR_MECHANISM_INVALID");
}

TEST_F(AttackTest, AVersionCannotBeWrappedUnderAKeyOfTheAttackers) {
  Attributes own;
  own.Add(AttributeType::kClass, ObjectClass::kSecretKey)
      .Add(AttributeType::kKeyType, KeyType::kAes)
      .Add(AttributeType::kToken, false)
      .Add(AttributeType::kWrap, true)
      .Add(AttributeType::kValueLen, 32UL);
  const auto attackers = session_->GenerateKey(MechanismType::kAesKeyGen, own);
  ASSERT_TRUE(attackers);
  ExpectStoppedBy(session_->WrapKey(kWrap, *attackers, version_), "CKR_KEY_UNEXTRACTABLE");
  ExpectStoppedBy(session_->WrapKey(kWrap, *attackers, master_), "CKR_KEY_UNEXTRACTABLE");
}

TEST_F(AttackTest, AKeyWithAKnownValueCannotBePlantedUnderAMaster) {
  // Wrapping a key made elsewhere, whose value the attacker knows, would let him read what is
  // encrypted under it.
  Attributes known;
  known.Add(AttributeType::kClass, ObjectClass::kSecretKey)
      .Add(AttributeType::kKeyType, KeyType::kAes)
      .Add(AttributeType::kToken, false)
      .Add(AttributeType::kSensitive, true)
      .Add(AttributeType::kExtractable, true)
      .Add(AttributeType::kValue, ByteView(Bytes(32, 0x5a)));
  const auto planted = session_->CreateObject(known);
  ASSERT_TRUE(planted) << planted.error().cause;
  ExpectStoppedBy(session_->WrapKey(kWrap, master_, *planted), "CKR_KEY_NOT_WRAPPABLE");
}

TEST_F(AttackTest, AMasterThatIsNotAsMadeIsRefusedAtStart) {
  // One weaker master for each attribute, next to the honest ones, as an attacker with the PIN
  // could make it.
  const auto weaker = [&](AttributeType type, bool value) {
    const Recipe recipe = MasterRecipe(ClassFor(KeyKind::kAes), "coffer-aes-v2", kWrap);
    const Attributes& honest = recipe.Template();
    Attributes altered;
    for (std::size_t i = 0; i < honest.size(); ++i) {
      if (honest.TypeAt(i) == type) {
        altered.Add(type, value);
      } else if (const Attributes* nested = honest.NestedAt(i)) {
        altered.AddTemplate(honest.TypeAt(i), *nested);
      } else {
        altered.Add(honest.TypeAt(i), honest.ValueAt(i));
      }
    }
    return altered;
  };
  for (const auto& [type, value] : {std::pair{AttributeType::kExtractable, true},
                                    {AttributeType::kSensitive, false},
                                    {AttributeType::kDecrypt, true},
                                    {AttributeType::kEncrypt, true},
                                    {AttributeType::kSign, true},
                                    {AttributeType::kVerify, true},
                                    {AttributeType::kDerive, true},
                                    {AttributeType::kCopyable, true},
                                    {AttributeType::kModifiable, true},
                                    {AttributeType::kUnwrap, false}}) {
    const auto made = session_->GenerateKey(MechanismType::kAesKeyGen, weaker(type, value));
    ASSERT_TRUE(made) << made.error().cause;
    const auto opened = OpenTokens(location_, token_.UserPin(), 1, logger_);
    ASSERT_FALSE(opened) << "attribute " << static_cast<unsigned long>(type);
    EXPECT_EQ(opened.error().code, Code::kTokenRefused);
    EXPECT_NE(opened.error().message.find("coffer-aes-v2"), std::string::npos)
        << opened.error().message;
    ASSERT_TRUE(session_->DestroyObject(*made));
  }
  const auto no_templates = [&] {
    Attributes attributes;
    const Recipe recipe = MasterRecipe(ClassFor(KeyKind::kAes), "coffer-aes-v2", kWrap);
    const Attributes& honest = recipe.Template();
    for (std::size_t i = 0; i < honest.size(); ++i) {
      if (honest.NestedAt(i) == nullptr) attributes.Add(honest.TypeAt(i), honest.ValueAt(i));
    }
    return attributes;
  };
  const auto made = session_->GenerateKey(MechanismType::kAesKeyGen, no_templates());
  ASSERT_TRUE(made);
  EXPECT_FALSE(OpenTokens(location_, token_.UserPin(), 1, logger_));
  ASSERT_TRUE(session_->DestroyObject(*made));
  EXPECT_TRUE(OpenTokens(location_, token_.UserPin(), 1, logger_));
}

TEST_F(AttackTest, AWrongPinIsTriedOnce) {
  const auto refused = OpenTokens(location_, fakes::SoftHsmToken::RandomPin(), 2, logger_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kPinIncorrect);
}

TEST_F(AttackTest, ATokenWithoutMastersSaysWhatToDo) {
  const fakes::SoftHsmToken empty("empty");
  TokenLocation location = location_;
  location.label = "empty";
  location.copies_directory = empty.Directory();
  const auto refused = OpenTokens(location, empty.UserPin(), 1, logger_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "token empty has no coffer master keys: run coffer hsm init first");
}

}  // namespace
}  // namespace coffer::keyring
