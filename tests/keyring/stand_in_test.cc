// Masters and keys of types that SoftHSM lacks, with a stand-in for the types
// (tests/fakes/stand_in_pkcs11_module.cc): somebody with the user PIN, the module and every blob.

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "coffer/crypto/key_transport.h"
#include "keyring/attacks.h"
#include "keyring/key_recipes.h"
#include "keyring/token_path_fixture.h"

namespace coffer::keyring {
namespace {

using pkcs11::Attributes;
using pkcs11::AttributeType;
using pkcs11::MechanismType;
using pkcs11::ObjectHandle;

constexpr MechanismType kWrap = MechanismType::kAesKeyWrapPad;
constexpr KeySpec kChaCha{.type = KeyType::kChaCha20Poly1305};
constexpr KeySpec kDerived{.type = KeyType::kAes256Gcm96, .derived = true};

class StandInTest : public TokenPathTest {
 protected:
  void SetUp() override {
    TokenPathTest::SetUp();
    session_.reset();
    auto opened = Open();
    ASSERT_TRUE(opened) << opened.error().message << " | " << opened.error().cause;
    path_ = *std::move(opened);
    session_ =
        beside_->OpenSession(beside_->FindToken(token_.Label(), token_.Serial()).value()).value();
  }
  // An instance of the stand-in of its own.
  Result<std::unique_ptr<Pkcs11Token>> Open() {
    COFFER_ASSIGN(auto module,
                  pkcs11::Module::Load(COFFER_STAND_IN_MODULE, pkcs11::Threading::kOsLocking,
                                       token_.NewCopyPath()));
    beside_ = module.get();
    TokenLocation location;
    location.label = token_.Label();
    location.objects_directory = token_.TokenDirectory();
    const auto login = std::make_shared<Pkcs11Token::Login>();
    login->pin = SecretBytes::CopyOf(token_.UserPin().Reveal());
    return Pkcs11Token::Open(std::move(module), location, login);
  }
  ObjectHandle Find(const std::string& label) {
    Attributes wanted;
    wanted.Add(AttributeType::kLabel, label);
    const auto found = session_->Find(wanted);
    EXPECT_TRUE(found && found->size() == 1) << label;
    return found && !found->empty() ? found->front() : pkcs11::kNoObject;
  }
  NewVersion Make(const KeySpec& spec) {
    auto version = path_->Generate(spec, {});
    EXPECT_TRUE(version) << version.error().message << " | " << version.error().cause;
    return version ? *std::move(version) : NewVersion();
  }

  pkcs11::Module* beside_ = nullptr;
};

TEST_F(StandInTest, ABlobIsUnwrappedForItsOneUseOnlyAndNeverReadable) {
  KeySpec hkdf = kDerived;
  hkdf.kdf = Kdf::kHkdfSha256;
  for (const KeySpec& spec : {kChaCha, hkdf}) {
    const NewVersion version = Make(spec);
    EXPECT_EQ(version.kdf, spec.kdf);
    const Use use = MainUse(spec);
    const ObjectHandle master = Find("coffer-" + version.master);
    for (const auto& [type, value] :
         {std::pair{AttributeType::kExtractable, true},
          {AttributeType::kSensitive, false},
          {AttributeType::kToken, true},
          {AttributeType::kPrivate, false},
          {AttributeType::kCopyable, true},
          {AttributeType::kModifiable, true},
          {AttributeType::kSign, true},
          {AttributeType::kVerify, true},
          {AttributeType::kWrap, true},
          {AttributeType::kUnwrap, true},
          {use == Use::kDerive ? AttributeType::kEncrypt : AttributeType::kDerive, true}}) {
      ExpectStoppedBy(
          session_->UnwrapKey(kWrap, master, version.blob,
                              Altered(UnwrappedRecipe(spec, use)->Template(), type, value)),
          "CKR_TEMPLATE_INCONSISTENT");
    }
    EXPECT_TRUE(path_->Unwrap(spec, use, version.master, version.blob));
  }
}

TEST_F(StandInTest, AMasterMadeWithTheFirstKeyIsFoundByInstancesThatStartedBefore) {
  const auto before = Open();
  ASSERT_TRUE(before) << before.error().cause;
  const NewVersion version = Make(kChaCha);
  EXPECT_EQ(version.master, "chacha20-v1");
  EXPECT_EQ(Make(kChaCha).master, "chacha20-v1") << "made once";
  static_cast<void>(Find("coffer-chacha20-v1"));
  EXPECT_TRUE((*before)->Unwrap(kChaCha, Use::kCipher, version.master, version.blob));
  const auto second = (*before)->Generate(kChaCha, {});
  ASSERT_TRUE(second) << second.error().cause;
  EXPECT_EQ(second->master, "chacha20-v1");
  const auto absent = (*before)->Unwrap(kChaCha, Use::kCipher, "chacha20-v2", version.blob);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, Code::kCorrupt);
}

// Tells the stand-in what its mechanisms answer, until the end of the scope.
class Verdict {
 public:
  explicit Verdict(const char* verdict) { ::setenv("COFFER_TEST_STAND_IN", verdict, 1); }
  ~Verdict() { ::unsetenv("COFFER_TEST_STAND_IN"); }
  Verdict(const Verdict&) = delete;
  Verdict& operator=(const Verdict&) = delete;
};

TEST_F(StandInTest, ARefusalIsRememberedAndAFailureIsNot) {
  {
    const Verdict failing("failing");
    const auto version = path_->Generate(kChaCha, {});
    ASSERT_FALSE(version);
    EXPECT_EQ(version.error().code, Code::kInvalid);
    EXPECT_NE(version.error().message.find("C_EncryptInit: CKR_GENERAL_ERROR"), std::string::npos)
        << version.error().message;
    EXPECT_EQ(Make(kDerived).kdf, Kdf::kAesEcb1);
  }
  static_cast<void>(Make(kChaCha));
  EXPECT_EQ(Make(kDerived).kdf, Kdf::kHkdfSha256);

  const auto other = Open();
  ASSERT_TRUE(other) << other.error().cause;
  {
    const Verdict useless("useless");
    EXPECT_FALSE((*other)->Generate(kChaCha, {}));
  }
  const auto still = (*other)->Generate(kChaCha, {});
  ASSERT_FALSE(still);
  EXPECT_EQ(still.error().code, Code::kInvalid);
}

TEST_F(StandInTest, ATokenThatUnwrapsWithSha256OpensImportsItself) {
  const auto wrapping = path_->ImportWrappingKey();
  ASSERT_TRUE(wrapping) << wrapping.error().message << " | " << wrapping.error().cause;
  EXPECT_EQ(wrapping->through, ImportedThrough::kToken);
  EXPECT_EQ(wrapping->hashes.size(), 5U);
  const auto key = crypto::PublicKey::FromSpki(wrapping->spki);
  ASSERT_TRUE(key);
  crypto::SystemRandom random;
  for (const crypto::HashAlgorithm hash :
       {crypto::HashAlgorithm::kSha1, crypto::HashAlgorithm::kSha256}) {
    const auto wrapped =
        crypto::WrapForImport(**key, hash, SecretBytes::CopyOf(Bytes(32, 7)), random);
    ASSERT_TRUE(wrapped);
    const ByteView all(*wrapped);
    const auto version = path_->Import({}, {all.first(512), all.subspan(512), hash});
    ASSERT_TRUE(version) << version.error().message << " | " << version.error().cause;
    EXPECT_EQ(version->imported_through, ImportedThrough::kToken);
    EXPECT_TRUE(path_->Unwrap({}, Use::kCipher, version->master, version->blob));
  }
}

TEST_F(StandInTest, TwoPartiesAgreeOnOneKeyThatNeverLeavesTheToken) {
  const KeySpec curve{.type = KeyType::kEcdsaP256};
  const NewVersion mine = Make(curve);
  const NewVersion theirs = Make(curve);
  const auto my_key = crypto::PublicKey::FromSpki(mine.spki);
  const auto their_key = crypto::PublicKey::FromSpki(theirs.spki);
  ASSERT_TRUE(my_key && their_key);
  for (const KeyType type : {KeyType::kAes128Gcm96, KeyType::kAes256Gcm96}) {
    const KeySpec shared{.type = type};
    const auto here = path_->Agree(curve, mine.master, mine.blob, **their_key, shared);
    ASSERT_TRUE(here) << here.error().message << " | " << here.error().cause;
    EXPECT_EQ(here->master, "import-aes-v1");
    const auto there = path_->Agree(curve, theirs.master, theirs.blob, **my_key, shared);
    ASSERT_TRUE(there) << there.error().message << " | " << there.error().cause;
    const auto seals = path_->Unwrap(shared, Use::kCipher, here->master, here->blob);
    const auto opens = path_->Unwrap(shared, Use::kCipher, there->master, there->blob);
    ASSERT_TRUE(seals && opens);
    const Bytes nonce(12);
    Bytes sealed(4 + 16);
    Bytes opened(sealed.size());
    ASSERT_TRUE(path_->Encrypt(*seals, Cipher::kAesGcm, nonce, {}, AsBytes("text"), sealed));
    ASSERT_TRUE(path_->Decrypt(*opens, Cipher::kAesGcm, nonce, {}, sealed, opened));
    EXPECT_EQ(AsText(ByteView(opened).first(4)), "text");
  }
}

TEST_F(StandInTest, APlantedMasterIsNotUsed) {
  ASSERT_TRUE(session_->GenerateKey(
      MechanismType::kAesKeyGen,
      MasterRecipe(*FindClass(KeyKind::kAes).value(), "coffer-chacha20-v1", kWrap).Template()));
  const auto version = path_->Generate(kChaCha, {});
  ASSERT_FALSE(version);
  EXPECT_NE(version.error().message.find("coffer-chacha20-v1 has a wrong CKA_UNWRAP_TEMPLATE"),
            std::string::npos)
      << version.error().message;
  EXPECT_FALSE(Open()) << "nor does a start go past it";
}

TEST_F(StandInTest, SoftHsmAloneReadsTheMasterAndRefusesTheKeyInWords) {
  const NewVersion version = Make(kChaCha);
  const NewVersion derived = Make(kDerived);
  const NewVersion aes = Make({});
  TokenPathTest::TearDown();
  auto module = token_.Load();
  TokenLocation location;
  location.label = token_.Label();
  const auto login = std::make_shared<Pkcs11Token::Login>();
  login->pin = SecretBytes::CopyOf(token_.UserPin().Reveal());
  const auto alone = Pkcs11Token::Open(std::move(module), location, login);
  ASSERT_TRUE(alone) << alone.error().message;
  const auto refused = (*alone)->Unwrap(kChaCha, Use::kCipher, version.master, version.blob);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalid);
  EXPECT_EQ(refused.error().message,
            "key type chacha20-poly1305 is not supported: the token cannot make ChaCha20 keys "
            "(PKCS#11 3.0 CKM_CHACHA20_KEY_GEN)");
  KeySpec hkdf = kDerived;
  hkdf.kdf = derived.kdf;
  const auto base = (*alone)->Unwrap(hkdf, Use::kDerive, derived.master, derived.blob);
  ASSERT_FALSE(base);
  EXPECT_EQ(base.error().code, Code::kInvalid);
  EXPECT_TRUE((*alone)->Unwrap({}, Use::kCipher, aes.master, aes.blob));
}

}  // namespace
}  // namespace coffer::keyring
