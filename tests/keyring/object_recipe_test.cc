// Every template for an object in a token, changed in each of its flags, as a token would store it
// that has other defaults or ideas, or as somebody with the PIN would make it: reading it back
// finds every change that the token stores.

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "fakes/faulty_pkcs11_module.h"
#include "fakes/softhsm_token.h"
#include "keyring/key_recipes.h"
#include "keyring/object_maker.h"

namespace coffer::keyring {
namespace {

using pkcs11::Attributes;
using pkcs11::AttributeType;
using pkcs11::Mechanism;
using pkcs11::MechanismType;
using pkcs11::ObjectClass;
using pkcs11::ObjectHandle;
using pkcs11::Session;

constexpr MechanismType kKeyWrap = MechanismType::kAesKeyWrapPad;

// A recipe that leaves a flag out does not compile: of 13 flags for a secret key, 12 are too few.
template <typename Flags>
concept TakesTwelve = requires {
  Flags{kOff, kOff, kOff, kOff, kOff, kOff, kOff, kOff, kOff, kOff, kOff, kOff};
};
template <typename Flags>
concept TakesThirteen = requires {
  Flags{kOff, kOff, kOff, kOff, kOff, kOff, kOff, kOff, kOff, kOff, kOff, kOff, kOff};
};
static_assert(TakesThirteen<SecretKeyFlags> && !TakesTwelve<SecretKeyFlags>);
template <typename Flags>
concept TakesTen = requires {
  Flags{kOff, kOff, kOff, kOff, kOff, kOff, kOff, kOff, kOff, kOff};
};
template <typename Flags>
concept TakesSeven = requires {
  Flags{kOff, kOff, kOff, kOff, kOff, kOff, kOff};
};
static_assert(!TakesTen<PrivateKeyFlags> && !TakesSeven<PublicKeyFlags>);
static_assert(!std::is_default_constructible_v<Flag> && !std::is_default_constructible_v<Demand>);

// The template with one attribute changed or, where there is no value, left out.
Attributes Changed(const Attributes& honest, AttributeType type, std::optional<bool> value) {
  Attributes changed;
  for (std::size_t i = 0; i < honest.size(); ++i) {
    if (honest.TypeAt(i) == type) {
      if (value) changed.Add(type, *value);
    } else if (const Attributes* const nested = honest.NestedAt(i)) {
      changed.AddTemplate(honest.TypeAt(i), *nested);
    } else {
      changed.Add(honest.TypeAt(i), honest.ValueAt(i));
    }
  }
  return changed;
}

Attributes WithNested(const Attributes& honest, AttributeType type, const Attributes& nested) {
  Attributes changed;
  for (std::size_t i = 0; i < honest.size(); ++i) {
    if (honest.TypeAt(i) == type) {
      changed.AddTemplate(type, nested);
    } else if (const Attributes* const other = honest.NestedAt(i)) {
      changed.AddTemplate(honest.TypeAt(i), *other);
    } else {
      changed.Add(honest.TypeAt(i), honest.ValueAt(i));
    }
  }
  return changed;
}

bool IsFlag(const Attributes& attributes, std::size_t index) {
  return attributes.NestedAt(index) == nullptr && attributes.ValueAt(index).size() == 1 &&
         attributes.TypeAt(index) != AttributeType::kLabel;
}

class ObjectRecipeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    module_ = token_.Load();
    session_ = token_.OpenUserSession(*module_);
  }
  void TearDown() override {
    session_.reset();
    module_.reset();
  }

  // Makes the object with each flag changed and with each left out. `make` gives no object where
  // the token refuses the template.
  template <typename Make>
  void ExpectEveryChangeIsFound(const Recipe& recipe, const Make& make) {
    const Attributes& honest = recipe.Template();
    const std::optional<ObjectHandle> good = make(honest);
    ASSERT_TRUE(good) << recipe.What();
    const Status as_asked = VerifyObject(*session_, *good, recipe);
    ASSERT_TRUE(as_asked) << recipe.What() << ": " << as_asked.error().message;
    ASSERT_TRUE(session_->DestroyObject(*good));
    for (std::size_t i = 0; i < honest.size(); ++i) {
      const AttributeType type = honest.TypeAt(i);
      const bool asked = IsFlag(honest, i) && honest.ValueAt(i)[0] != 0;
      if (IsFlag(honest, i)) {
        ExpectFound(recipe, Changed(honest, type, !asked), type, asked, make);
        ExpectFound(recipe, Changed(honest, type, std::nullopt), type, asked, make);
        ++flags_;
      } else if (const Attributes* const nested = honest.NestedAt(i)) {
        ExpectNestedChangesAreFound(recipe, type, *nested, make);
      } else if (type == AttributeType::kAllowedMechanisms) {
        ExpectAlways(recipe, Changed(honest, type, std::nullopt), make);
      }
    }
  }

  template <typename Make>
  void ExpectFound(const Recipe& recipe, const Attributes& changed, AttributeType type, bool asked,
                   const Make& make) {
    const std::optional<ObjectHandle> object = make(changed);
    if (!object) return;
    const auto stored = session_->GetBool(*object, type);
    const bool differs = !stored || *stored != asked;
    EXPECT_EQ(VerifyObject(*session_, *object, recipe).has_value(), !differs)
        << recipe.What() << ", attribute " << std::hex << static_cast<unsigned long>(type);
    if (differs) ++found_;
    EXPECT_TRUE(session_->DestroyObject(*object));
  }

  template <typename Make>
  void ExpectAlways(const Recipe& recipe, const Attributes& changed, const Make& make) {
    const std::optional<ObjectHandle> object = make(changed);
    if (!object) return;
    EXPECT_FALSE(VerifyObject(*session_, *object, recipe)) << recipe.What();
    ++found_;
    EXPECT_TRUE(session_->DestroyObject(*object));
  }

  template <typename Make>
  void ExpectNestedChangesAreFound(const Recipe& recipe, AttributeType type,
                                   const Attributes& nested, const Make& make) {
    ExpectAlways(recipe, Changed(recipe.Template(), type, std::nullopt), make);
    for (std::size_t i = 0; i < nested.size(); ++i) {
      const AttributeType inner = nested.TypeAt(i);
      const bool is_flag = IsFlag(nested, i);
      ExpectAlways(recipe,
                   WithNested(recipe.Template(), type, Changed(nested, inner, std::nullopt)), make);
      if (is_flag) {
        const bool asked = nested.ValueAt(i)[0] != 0;
        ExpectAlways(recipe, WithNested(recipe.Template(), type, Changed(nested, inner, !asked)),
                     make);
      }
    }
  }

  auto Generates(MechanismType generator) {
    return [this, generator](const Attributes& attributes) -> std::optional<ObjectHandle> {
      const auto made = session_->GenerateKey(generator, attributes);
      return made ? std::optional(*made) : std::nullopt;
    };
  }
  // The private half of a pair, with the public one as it should be.
  auto GeneratesPrivate(MechanismType generator, const Recipe& public_half) {
    return [this, generator,
            &public_half](const Attributes& attributes) -> std::optional<ObjectHandle> {
      const auto pair = session_->GenerateKeyPair(generator, public_half.Template(), attributes);
      if (!pair) return std::nullopt;
      EXPECT_TRUE(session_->DestroyObject(pair->public_key));
      return pair->private_key;
    };
  }
  auto GeneratesPublic(MechanismType generator, const Recipe& private_half) {
    return [this, generator,
            &private_half](const Attributes& attributes) -> std::optional<ObjectHandle> {
      const auto pair = session_->GenerateKeyPair(generator, attributes, private_half.Template());
      if (!pair) return std::nullopt;
      EXPECT_TRUE(session_->DestroyObject(pair->private_key));
      return pair->public_key;
    };
  }
  auto Unwraps(ObjectHandle with, const Bytes& blob) {
    return [this, with, &blob](const Attributes& attributes) -> std::optional<ObjectHandle> {
      const auto opened = session_->UnwrapKey(kKeyWrap, with, blob, attributes);
      return opened ? std::optional(*opened) : std::nullopt;
    };
  }
  void ExpectPair(MechanismType generator, const PairRecipe& pair) {
    ExpectEveryChangeIsFound(pair.private_half, GeneratesPrivate(generator, pair.public_half));
    ExpectEveryChangeIsFound(pair.public_half, GeneratesPublic(generator, pair.private_half));
  }
  // A wrapping key that demands nothing, so that changed templates are not refused because of it.
  ObjectHandle Undemanding() {
    Attributes attributes;
    attributes.Add(AttributeType::kClass, ObjectClass::kSecretKey)
        .Add(AttributeType::kKeyType, pkcs11::KeyType::kAes)
        .Add(AttributeType::kToken, false)
        .Add(AttributeType::kWrap, true)
        .Add(AttributeType::kUnwrap, true)
        .Add(AttributeType::kValueLen, 32UL);
    return session_->GenerateKey(MechanismType::kAesKeyGen, attributes).value();
  }
  Bytes BlobOf(const KeySpec& spec, Use use, ObjectHandle with) {
    ObjectMaker objects;
    ObjectHandle key = pkcs11::kNoObject;
    if (use != Use::kHmac && MakingOf(spec).pair) {
      const PairRecipe recipe = NewPairRecipe(spec);
      key = objects
                .GeneratePair(*session_, MakingOf(spec).generator, recipe.public_half,
                              recipe.private_half)
                ->private_key;
    } else {
      const Recipe recipe = NewSecretRecipe(*ClassOf(spec, use).value(), SecretOctets(spec));
      key = objects.Generate(*session_, MakingOf(spec).generator, recipe).value();
    }
    return session_->WrapKey(kKeyWrap, with, key).value();
  }

  fakes::SoftHsmToken token_;
  std::unique_ptr<pkcs11::Module> module_;
  std::optional<Session> session_;
  int flags_ = 0;
  int found_ = 0;
};

TEST_F(ObjectRecipeTest, MastersOfEveryClass) {
  for (const MasterClass& each : MasterClasses()) {
    ExpectEveryChangeIsFound(MasterRecipe(each, MasterLabel(MasterName(each.name, 1)), kKeyWrap,
                                          MasterLifetime::kSession),
                             Generates(MechanismType::kAesKeyGen));
  }
  EXPECT_EQ(flags_, 13 * static_cast<int>(MasterClasses().size()));
  EXPECT_GT(found_, flags_);
}

TEST_F(ObjectRecipeTest, AMasterInTheTokenWasMadeThere) {
  const MasterClass& aes = *FindClass(KeyKind::kAes).value();
  const Recipe recipe = MasterRecipe(aes, "coffer-aes-v1", kKeyWrap);
  const auto honest = session_->GenerateKey(MechanismType::kAesKeyGen, recipe.Template());
  ASSERT_TRUE(honest);
  EXPECT_TRUE(VerifyObject(*session_, *honest, recipe));
  // Somebody with the PIN brings a master along whose value he knows.
  Attributes known = Changed(recipe.Template(), AttributeType::kValueLen, std::nullopt);
  known = Changed(known, AttributeType::kModifiable, std::nullopt);
  known.Add(AttributeType::kValue, ByteView(Bytes(32, 7))).Add(AttributeType::kModifiable, false);
  const auto planted = session_->CreateObject(known);
  ASSERT_TRUE(planted) << planted.error().cause;
  const Status verified = VerifyObject(*session_, *planted, recipe);
  ASSERT_FALSE(verified);
  EXPECT_NE(verified.error().message.find("CKA_LOCAL"), std::string::npos)
      << verified.error().message;
}

TEST_F(ObjectRecipeTest, TheKeyOfRowMacs) {
  ExpectEveryChangeIsFound(MetaRecipe(MasterLifetime::kSession),
                           Generates(MechanismType::kGenericSecretKeyGen));
}

TEST_F(ObjectRecipeTest, TheAuditKey) {
  ExpectPair(MechanismType::kEcKeyPairGen, AuditRecipe(MasterLifetime::kSession));
}

TEST_F(ObjectRecipeTest, TheImportWrappingKey) {
  // Short ones: the length is no flag, and long ones take seconds.
  for (const ImportedThrough through : {ImportedThrough::kToken, ImportedThrough::kProcess}) {
    ExpectPair(MechanismType::kRsaPkcsKeyPairGen, ImportWrappingRecipe(through, 1024));
  }
}

TEST_F(ObjectRecipeTest, TheEpochsObjects) {
  ExpectEveryChangeIsFound(EpochRecipe({}), [this](const Attributes& attributes) {
    const auto made = session_->CreateObject(attributes);
    return made ? std::optional(*made) : std::nullopt;
  });
}

TEST_F(ObjectRecipeTest, NewKeysOfEveryKind) {
  for (const KeyKind kind : {KeyKind::kAes, KeyKind::kAesBase}) {
    ExpectEveryChangeIsFound(NewSecretRecipe(*FindClass(kind).value(), 32),
                             Generates(MechanismType::kAesKeyGen));
  }
  ExpectEveryChangeIsFound(NewSecretRecipe(*FindClass(KeyKind::kHmac).value(), 64),
                           Generates(MechanismType::kGenericSecretKeyGen));
  ExpectPair(MechanismType::kEcKeyPairGen, NewPairRecipe({KeyType::kEcdsaP256}));
  ExpectEveryChangeIsFound(
      NewPairRecipe({KeyType::kRsa2048}).private_half,
      GeneratesPrivate(MechanismType::kRsaPkcsKeyPairGen,
                       ImportWrappingRecipe(ImportedThrough::kToken, 1024).public_half));
}

TEST_F(ObjectRecipeTest, ResidentKeys) {
  const auto recipe = ResidentRecipe({KeyType::kEd25519}, {Bytes(16, 7), Id{}});
  ASSERT_TRUE(recipe);
  ExpectPair(MechanismType::kEcEdwardsKeyPairGen, *recipe);
}

TEST_F(ObjectRecipeTest, VersionsInEveryUse) {
  const ObjectHandle with = Undemanding();
  for (const auto& [spec, use] :
       {std::pair{KeySpec{KeyType::kAes256Gcm96}, Use::kCipher},
        {KeySpec{KeyType::kAes256Gcm96}, Use::kHmac},
        {KeySpec{KeyType::kAes256Gcm96, true, kHmacOctets, Kdf::kAesEcb1}, Use::kDerive},
        {KeySpec{KeyType::kAes128Cmac}, Use::kCmac},
        {KeySpec{KeyType::kHmac}, Use::kHmac},
        {KeySpec{KeyType::kEcdsaP256}, Use::kSign},
        {KeySpec{KeyType::kEcdsaP256}, Use::kAgree},
        {KeySpec{KeyType::kRsa2048}, Use::kSign},
        {KeySpec{KeyType::kRsa2048}, Use::kCipher}}) {
    const KeySpec made = use == Use::kHmac ? KeySpec{KeyType::kHmac} : spec;
    const Bytes blob = BlobOf(made, use, with);
    const auto recipe = UnwrappedRecipe(spec, use);
    ASSERT_TRUE(recipe);
    ExpectEveryChangeIsFound(*recipe, Unwraps(with, blob));
    // A master demands of a version what its recipe says: every flag that is not open agrees.
    const MasterClass& master_class = *ClassOf(spec, use).value();
    const Attributes pinned = UnwrapTemplate(master_class);
    for (std::size_t i = 0; i < pinned.size(); ++i) {
      for (std::size_t j = 0; j < recipe->Template().size(); ++j) {
        if (recipe->Template().TypeAt(j) != pinned.TypeAt(i)) continue;
        EXPECT_EQ(ToHex(recipe->Template().ValueAt(j)), ToHex(pinned.ValueAt(i)))
            << recipe->What() << " " << i;
      }
    }
  }
}

TEST_F(ObjectRecipeTest, ExportedKeysAndWhatTheyGoUnder) {
  const ObjectHandle with = Undemanding();
  const Bytes aes = BlobOf({KeyType::kAes256Gcm96}, Use::kCipher, with);
  ExpectEveryChangeIsFound(LeavingRecipe(*FindClass(KeyKind::kAes, Origin::kExportable).value()),
                           Unwraps(with, aes));
  const Bytes ec = BlobOf({KeyType::kEcdsaP256}, Use::kSign, with);
  ExpectEveryChangeIsFound(LeavingRecipe(*FindClass(KeyKind::kEc, Origin::kExportable).value()),
                           Unwraps(with, ec));
  ExpectEveryChangeIsFound(TransportRecipe(kKeyWrap), Generates(MechanismType::kAesKeyGen));
}

TEST_F(ObjectRecipeTest, ImportedKeysAndWhatTheyCameUnder) {
  const ObjectHandle with = Undemanding();
  const Bytes aes = BlobOf({KeyType::kAes256Gcm96}, Use::kCipher, with);
  ExpectEveryChangeIsFound(EphemeralRecipe(kKeyWrap), Unwraps(with, aes));
  ExpectEveryChangeIsFound(ArrivedRecipe(*FindClass(KeyKind::kAes, Origin::kImported).value()),
                           Unwraps(with, aes));
  const Bytes pair = BlobOf({KeyType::kEcdsaP256}, Use::kSign, with);
  ExpectEveryChangeIsFound(ArrivedRecipe(*FindClass(KeyKind::kEc, Origin::kImported).value()),
                           Unwraps(with, pair));
}

TEST_F(ObjectRecipeTest, DerivedKeys) {
  const KeySpec spec{KeyType::kAes256Gcm96, true, kHmacOctets, Kdf::kAesEcb1};
  const ObjectHandle with = Undemanding();
  const Bytes blob = BlobOf(spec, Use::kDerive, with);
  const auto base = Unwraps(with, blob)(UnwrappedRecipe(spec, Use::kDerive)->Template());
  ASSERT_TRUE(base);
  const auto derives = [&](const Attributes& attributes) -> std::optional<ObjectHandle> {
    const Bytes data(32, 1);
    const auto made =
        session_->DeriveKey(Mechanism(MechanismType::kAesEcbEncryptData, data), *base, attributes);
    return made ? std::optional(*made) : std::nullopt;
  };
  ExpectEveryChangeIsFound(DerivationStepRecipe(), derives);
  ExpectEveryChangeIsFound(DerivedRecipe(spec, DerivedUse::kCipher), derives);
  ExpectEveryChangeIsFound(DerivedRecipe(spec, DerivedUse::kNonce), derives);
}

TEST_F(ObjectRecipeTest, TheXOfAnAgreedPoint) {
  const ObjectHandle with = Undemanding();
  const KeySpec spec{KeyType::kEcdsaP256};
  const Bytes blob = BlobOf(spec, Use::kSign, with);
  const auto base = Unwraps(with, blob)(UnwrappedRecipe(spec, Use::kAgree)->Template());
  ASSERT_TRUE(base);
  ExpectEveryChangeIsFound(PublicPointRecipe(32), [&](const Attributes& attributes) {
    const auto made =
        session_->DeriveEcdh(*base, crypto::GeneratorPoint(EcdsaCurveOf(spec.type)), attributes);
    return made ? std::optional(*made) : std::nullopt;
  });
}

TEST_F(ObjectRecipeTest, AnObjectThatTheTokenDidNotKeepAsAskedIsDestroyed) {
  const auto module = pkcs11::Module::Load(COFFER_FAULTY_MODULE, pkcs11::Threading::kOsLocking);
  ASSERT_TRUE(module);
  Session session = token_.OpenUserSession(**module);
  fakes::FaultyPkcs11Module faulty(COFFER_FAULTY_MODULE);
  const MasterClass& aes = *FindClass(KeyKind::kAes).value();
  const Recipe master = MasterRecipe(aes, "coffer-aes-v1", kKeyWrap);
  const Recipe key = NewSecretRecipe(aes, 32);
  ObjectMaker objects;
  ASSERT_TRUE(objects.Generate(session, MechanismType::kAesKeyGen, key));
  faulty.Set(fakes::Pkcs11Fault::kCopyableKeys);
  const auto refused = objects.Generate(session, MechanismType::kAesKeyGen, master);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kTokenRefused);
  EXPECT_NE(refused.error().message.find("coffer-aes-v1 has a wrong CKA_COPYABLE"),
            std::string::npos)
      << refused.error().message;
  Attributes labelled;
  labelled.Add(AttributeType::kLabel, "coffer-aes-v1");
  EXPECT_EQ(session.Find(labelled).value().size(), 0U);
  // A session object is read back once for its kind and start, and each time in an examination.
  EXPECT_TRUE(objects.Generate(session, MechanismType::kAesKeyGen, key));
  objects.Forget();
  EXPECT_FALSE(objects.Generate(session, MechanismType::kAesKeyGen, key));
  ObjectMaker examining(ObjectMaker::ReadBack::kEachObject);
  faulty.Set(fakes::Pkcs11Fault::kNone);
  EXPECT_TRUE(examining.Generate(session, MechanismType::kAesKeyGen, key));
  faulty.Set(fakes::Pkcs11Fault::kCopyableKeys);
  EXPECT_FALSE(examining.Generate(session, MechanismType::kAesKeyGen, key));
}

TEST_F(ObjectRecipeTest, AnUnknownCaseIsAnError) {
  const auto use = UnwrappedRecipe({KeyType::kAes256Gcm96}, Use::kSign);
  ASSERT_FALSE(use);
  EXPECT_EQ(use.error().code, Code::kInternal);
  EXPECT_FALSE(UnwrappedRecipe({KeyType::kHmac}, Use::kCipher));
  EXPECT_FALSE(UnwrappedRecipe({KeyType::kEd25519}, Use::kSign)) << "no master wraps them";
  EXPECT_FALSE(TokenUseOf({KeyType::kAes256Gcm96}, Use::kDerive)) << "not a derived key's";
  for (const char* name : {"", "aes", "aes-v", "aes-v0", "aes-v01x", "aes-v-1", "x-v1", "-v1"}) {
    const auto found = ClassOfMaster(name);
    ASSERT_FALSE(found) << name;
    EXPECT_EQ(found.error().code, Code::kCorrupt);
  }
  EXPECT_EQ(ClassOfMaster("import-aes-derive-v12").value()->kind, KeyKind::kAesBase);
  EXPECT_FALSE(FindClass(KeyKind::kEd25519));
}

}  // namespace
}  // namespace coffer::keyring
