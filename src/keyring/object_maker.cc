#include "keyring/object_maker.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

namespace coffer::keyring {
namespace {

using pkcs11::Attributes;
using pkcs11::AttributeType;
using pkcs11::MechanismType;
using pkcs11::ObjectHandle;
using pkcs11::Session;

std::string_view AttributeName(AttributeType type) {
  using enum AttributeType;
  struct Name {
    AttributeType type;
    std::string_view name;
  };
  static constexpr std::array kNames{
      Name{kClass, "CKA_CLASS"},
      Name{kToken, "CKA_TOKEN"},
      Name{kPrivate, "CKA_PRIVATE"},
      Name{kLabel, "CKA_LABEL"},
      Name{kApplication, "CKA_APPLICATION"},
      Name{kValue, "CKA_VALUE"},
      Name{kKeyType, "CKA_KEY_TYPE"},
      Name{kId, "CKA_ID"},
      Name{kSensitive, "CKA_SENSITIVE"},
      Name{kEncrypt, "CKA_ENCRYPT"},
      Name{kDecrypt, "CKA_DECRYPT"},
      Name{kWrap, "CKA_WRAP"},
      Name{kUnwrap, "CKA_UNWRAP"},
      Name{kSign, "CKA_SIGN"},
      Name{kSignRecover, "CKA_SIGN_RECOVER"},
      Name{kVerify, "CKA_VERIFY"},
      Name{kDerive, "CKA_DERIVE"},
      Name{kModulusBits, "CKA_MODULUS_BITS"},
      Name{kPublicExponent, "CKA_PUBLIC_EXPONENT"},
      Name{kValueLen, "CKA_VALUE_LEN"},
      Name{kExtractable, "CKA_EXTRACTABLE"},
      Name{kLocal, "CKA_LOCAL"},
      Name{kNeverExtractable, "CKA_NEVER_EXTRACTABLE"},
      Name{kAlwaysSensitive, "CKA_ALWAYS_SENSITIVE"},
      Name{kModifiable, "CKA_MODIFIABLE"},
      Name{kCopyable, "CKA_COPYABLE"},
      Name{kEcParams, "CKA_EC_PARAMS"},
      Name{kWrapTemplate, "CKA_WRAP_TEMPLATE"},
      Name{kUnwrapTemplate, "CKA_UNWRAP_TEMPLATE"},
      Name{kAllowedMechanisms, "CKA_ALLOWED_MECHANISMS"},
  };
  const auto* const found = std::ranges::find(kNames, type, &Name::type);
  return found == kNames.end() ? "attribute" : found->name;
}

auto Deviates(std::string_view what, AttributeType attribute) {
  const bool unfinished = attribute == AttributeType::kLocal;
  return Fail(
      Code::kTokenRefused,
      "token object " + std::string(what) + " has a wrong " +
          std::string(AttributeName(attribute)) +
          ": it was not made by coffer or the token does not keep it; coffer will not use "
          "it" +
          (unfinished ? "; if a process was killed over it, coffer hsm init removes it" : ""));
}

// CK_TRUE may be any byte but 0.
bool SameValue(AttributeType type, ByteView expected, ByteView actual) {
  if (type == AttributeType::kAllowedMechanisms) {
    const auto sorted = [](ByteView raw) {
      std::vector<std::string_view> each;
      for (; raw.size() >= sizeof(MechanismType); raw = raw.subspan(sizeof(MechanismType))) {
        each.push_back(AsText(raw.first(sizeof(MechanismType))));
      }
      std::ranges::sort(each);
      return each;
    };
    return expected.size() == actual.size() && sorted(expected) == sorted(actual);
  }
  if (expected.size() == 1 && actual.size() == 1) return (expected[0] != 0) == (actual[0] != 0);
  return std::ranges::equal(expected, actual);
}

bool SameTemplate(const Attributes& expected, const Attributes& actual) {
  if (expected.size() != actual.size()) return false;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    bool found = false;
    for (std::size_t j = 0; j < actual.size() && !found; ++j) {
      found = actual.TypeAt(j) == expected.TypeAt(i) &&
              SameValue(expected.TypeAt(i), expected.ValueAt(i), actual.ValueAt(j));
    }
    if (!found) return false;
  }
  return true;
}

// NSS softokn has no CKA_VALUE_LEN for keys whose type has one length only.
bool HaveOneLength(const Attributes& attributes) {
  const auto type = static_cast<unsigned long>(pkcs11::KeyType::kChaCha20);
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    const ByteView value = attributes.ValueAt(i);
    if (attributes.TypeAt(i) == AttributeType::kKeyType && value.size() == sizeof(type)) {
      return std::memcmp(value.data(), &type, sizeof(type)) == 0;
    }
  }
  return false;
}

// A kind of session object: its recipe's template without the label and the length.
std::string KindOf(const Recipe& recipe) {
  const Attributes& attributes = recipe.Template();
  std::string kind;
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    const AttributeType type = attributes.TypeAt(i);
    if (type == AttributeType::kLabel || type == AttributeType::kId ||
        type == AttributeType::kValueLen) {
      continue;
    }
    kind += std::to_string(static_cast<unsigned long>(type)) + "=";
    if (const Attributes* const nested = attributes.NestedAt(i)) {
      for (std::size_t j = 0; j < nested->size(); ++j) {
        kind += std::to_string(static_cast<unsigned long>(nested->TypeAt(j))) + ":" +
                ToHex(nested->ValueAt(j)) + ",";
      }
    } else {
      kind += ToHex(attributes.ValueAt(i));
    }
    kind += ";";
  }
  return kind;
}

}  // namespace

Status VerifyAttributes(Session& session, ObjectHandle object, const Attributes& expected,
                        std::string_view what) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const AttributeType type = expected.TypeAt(i);
    if (const Attributes* const nested = expected.NestedAt(i)) {
      COFFER_ASSIGN(const Attributes actual, session.GetTemplate(object, type));
      if (!SameTemplate(*nested, actual)) return Deviates(what, type);
      continue;
    }
    const auto actual = session.GetBytes(object, type);
    if (!actual && type == AttributeType::kValueLen && HaveOneLength(expected) &&
        actual.error().code == Code::kTokenRefused) {
      continue;
    }
    if (!actual) return Fail(actual.error());
    if (!SameValue(type, expected.ValueAt(i), *actual)) return Deviates(what, type);
  }
  return {};
}

Status VerifyObject(Session& session, ObjectHandle object, const Recipe& recipe) {
  COFFER_TRY(VerifyAttributes(session, object, recipe.Template(), recipe.What()));
  if (!recipe.IsTokenObject() || !recipe.HoldsSecret()) return {};
  Attributes past;
  past.Add(AttributeType::kLocal, true);
  if (recipe.IsSealed()) {
    past.Add(AttributeType::kAlwaysSensitive, true).Add(AttributeType::kNeverExtractable, true);
  }
  return VerifyAttributes(session, object, past, recipe.What());
}

Status ObjectMaker::Check(Session& session, ObjectHandle object, const Recipe& recipe) {
  if (recipe.IsTokenObject() || read_back_ == ReadBack::kEachObject) {
    return VerifyObject(session, object, recipe);
  }
  std::string kind = KindOf(recipe);
  if (known_.contains(kind)) return {};
  COFFER_TRY(VerifyObject(session, object, recipe));
  known_.insert(std::move(kind));
  return {};
}

Result<ObjectHandle> ObjectMaker::Checked(Session& session, const Recipe& recipe,
                                          Result<ObjectHandle> made) {
  if (!made) return made;
  if (Status good = Check(session, *made, recipe); !good) {
    static_cast<void>(session.DestroyObject(*made));
    return Fail(std::move(good).error());
  }
  return made;
}

Result<ObjectHandle> ObjectMaker::Generate(Session& session, MechanismType generator,
                                           const Recipe& recipe) {
  return Checked(session, recipe, session.GenerateKey(generator, recipe.Template()));
}

Result<pkcs11::KeyPair> ObjectMaker::GeneratePair(Session& session, MechanismType generator,
                                                  const Recipe& public_half,
                                                  const Recipe& private_half) {
  COFFER_ASSIGN(
      const pkcs11::KeyPair pair,
      session.GenerateKeyPair(generator, public_half.Template(), private_half.Template()));
  Status good = Check(session, pair.private_key, private_half);
  if (good) good = Check(session, pair.public_key, public_half);
  if (good) return pair;
  static_cast<void>(session.DestroyObject(pair.private_key));
  static_cast<void>(session.DestroyObject(pair.public_key));
  return Fail(std::move(good).error());
}

Result<ObjectHandle> ObjectMaker::Unwrap(Session& session, const pkcs11::Mechanism& mechanism,
                                         ObjectHandle unwrapping, ByteView blob,
                                         const Recipe& recipe) {
  return Checked(session, recipe,
                 session.UnwrapKey(mechanism, unwrapping, blob, recipe.Template()));
}

Result<ObjectHandle> ObjectMaker::Derive(Session& session, const pkcs11::Mechanism& mechanism,
                                         ObjectHandle base, const Recipe& recipe) {
  return Checked(session, recipe, session.DeriveKey(mechanism, base, recipe.Template()));
}

Result<ObjectHandle> ObjectMaker::DeriveHkdf(Session& session, ObjectHandle base,
                                             const pkcs11::HkdfParameters& parameters,
                                             const Recipe& recipe) {
  return Checked(session, recipe, session.DeriveHkdf(base, parameters, recipe.Template()));
}

Result<ObjectHandle> ObjectMaker::DeriveEcdh(Session& session, ObjectHandle base,
                                             ByteView public_point, const Recipe& recipe) {
  return Checked(session, recipe, session.DeriveEcdh(base, public_point, recipe.Template()));
}

Result<ObjectHandle> ObjectMaker::Create(Session& session, const Recipe& recipe) {
  return Checked(session, recipe, session.CreateObject(recipe.Template()));
}

}  // namespace coffer::keyring
