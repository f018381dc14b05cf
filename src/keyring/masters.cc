#include "keyring/masters.h"

#include <algorithm>
#include <array>
#include <vector>

namespace coffer::keyring {
namespace {

using pkcs11::Attributes;
using pkcs11::AttributeType;
using pkcs11::KeyType;
using pkcs11::MechanismType;
using pkcs11::ObjectClass;

constexpr unsigned long kMasterOctets = 32;

constexpr std::array kClasses{
    MasterClass{"aes", ObjectClass::kSecretKey, KeyType::kAes, true, false, false},
    MasterClass{"aes-derive", ObjectClass::kSecretKey, KeyType::kAes, false, true, false},
    MasterClass{"hmac", ObjectClass::kSecretKey, KeyType::kGenericSecret, false, false, false},
    MasterClass{"rsa", ObjectClass::kPrivateKey, KeyType::kRsa, true, false, false},
    MasterClass{"ec", ObjectClass::kPrivateKey, KeyType::kEc, false, false, false},
    MasterClass{"import-aes", ObjectClass::kSecretKey, KeyType::kAes, true, false, true},
    MasterClass{"import-aes-derive", ObjectClass::kSecretKey, KeyType::kAes, false, true, true},
    MasterClass{"import-hmac", ObjectClass::kSecretKey, KeyType::kGenericSecret, false, false,
                true},
    MasterClass{"import-rsa", ObjectClass::kPrivateKey, KeyType::kRsa, true, false, true},
    MasterClass{"import-ec", ObjectClass::kPrivateKey, KeyType::kEc, false, false, true},
    MasterClass{"chacha20", ObjectClass::kSecretKey, KeyType::kChaCha20, true, false, false, false,
                true},
    MasterClass{"import-chacha20", ObjectClass::kSecretKey, KeyType::kChaCha20, true, false, true,
                false, true},
    MasterClass{"hkdf", ObjectClass::kSecretKey, KeyType::kHkdf, false, true, false, false, true},
    MasterClass{"import-hkdf", ObjectClass::kSecretKey, KeyType::kHkdf, false, true, true, false,
                true},
    MasterClass{"export-aes", ObjectClass::kSecretKey, KeyType::kAes, true, false, false, true,
                true, true},
    MasterClass{"export-hmac", ObjectClass::kSecretKey, KeyType::kGenericSecret, false, false,
                false, true, true, true},
    MasterClass{"export-rsa", ObjectClass::kPrivateKey, KeyType::kRsa, true, false, false, true,
                true, true},
    MasterClass{"export-ec", ObjectClass::kPrivateKey, KeyType::kEc, false, false, false, true,
                true, true},
    MasterClass{"export-chacha20", ObjectClass::kSecretKey, KeyType::kChaCha20, true, false, false,
                false, true, true},
};

// The class of Ed25519 keys, for a token that cannot wrap them.
constexpr MasterClass kResident{"",   ObjectClass::kPrivateKey, KeyType::kEcEdwards, false, false,
                                false};

Attributes WrapTemplate(const MasterClass& master_class) {
  Attributes attributes;
  attributes.Add(AttributeType::kClass, master_class.object_class)
      .Add(AttributeType::kKeyType, master_class.key_type)
      .Add(AttributeType::kLocal, true)
      .Add(AttributeType::kAlwaysSensitive, true);
  return attributes;
}

// The unwrap template without its last attribute.
Attributes PinnedAttributes(const MasterClass& master_class) {
  Attributes attributes;
  attributes.Add(AttributeType::kClass, master_class.object_class)
      .Add(AttributeType::kKeyType, master_class.key_type)
      .Add(AttributeType::kToken, false)
      .Add(AttributeType::kPrivate, true)
      .Add(AttributeType::kSensitive, true);
  if (!master_class.exported) attributes.Add(AttributeType::kExtractable, false);
  if (master_class.object_class == ObjectClass::kSecretKey) {
    attributes.Add(AttributeType::kWrap, false).Add(AttributeType::kUnwrap, false);
    if (!master_class.may_encrypt) {
      attributes.Add(AttributeType::kEncrypt, false).Add(AttributeType::kDecrypt, false);
    }
    if (!master_class.may_sign) {
      attributes.Add(AttributeType::kSign, false).Add(AttributeType::kVerify, false);
    }
    if (!master_class.may_derive) attributes.Add(AttributeType::kDerive, false);
  }
  attributes.Add(AttributeType::kCopyable, false);
  return attributes;
}

// The flags a master or coffer-meta must show when read back, whatever the token's defaults are.
struct Flag {
  AttributeType type;
  std::string_view name;
  bool master;
  bool meta;
};

constexpr std::array kFlags{
    Flag{AttributeType::kToken, "CKA_TOKEN", true, true},
    Flag{AttributeType::kPrivate, "CKA_PRIVATE", true, true},
    Flag{AttributeType::kSensitive, "CKA_SENSITIVE", true, true},
    Flag{AttributeType::kExtractable, "CKA_EXTRACTABLE", false, false},
    Flag{AttributeType::kWrap, "CKA_WRAP", true, false},
    Flag{AttributeType::kUnwrap, "CKA_UNWRAP", true, false},
    Flag{AttributeType::kEncrypt, "CKA_ENCRYPT", false, false},
    Flag{AttributeType::kDecrypt, "CKA_DECRYPT", false, false},
    Flag{AttributeType::kSign, "CKA_SIGN", false, true},
    Flag{AttributeType::kVerify, "CKA_VERIFY", false, false},
    Flag{AttributeType::kDerive, "CKA_DERIVE", false, false},
    Flag{AttributeType::kCopyable, "CKA_COPYABLE", false, false},
    Flag{AttributeType::kModifiable, "CKA_MODIFIABLE", false, false},
    Flag{AttributeType::kLocal, "CKA_LOCAL", true, true},
    Flag{AttributeType::kAlwaysSensitive, "CKA_ALWAYS_SENSITIVE", true, true},
    Flag{AttributeType::kNeverExtractable, "CKA_NEVER_EXTRACTABLE", true, true},
};

auto Deviates(std::string_view label, std::string_view attribute) {
  const bool unfinished = attribute == "CKA_LOCAL";
  return Fail(
      Code::kTokenRefused,
      "token object " + std::string(label) + " has a wrong " + std::string(attribute) +
          ": it was not made by coffer or the token does not keep it; coffer will not use "
          "it" +
          (unfinished ? "; if a process was killed over it, coffer hsm init removes it" : ""));
}

Status VerifyFlags(pkcs11::Session& session, pkcs11::ObjectHandle object, std::string_view label,
                   bool Flag::*expected) {
  for (const Flag& flag : kFlags) {
    COFFER_ASSIGN(const bool value, session.GetBool(object, flag.type));
    if (value != flag.*expected) return Deviates(label, flag.name);
  }
  return {};
}

bool SameAttributes(const Attributes& expected, const Attributes& actual) {
  if (expected.size() != actual.size()) return false;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    bool found = false;
    for (std::size_t j = 0; j < actual.size() && !found; ++j) {
      found = actual.TypeAt(j) == expected.TypeAt(i) &&
              std::ranges::equal(actual.ValueAt(j), expected.ValueAt(i));
    }
    if (!found) return false;
  }
  return true;
}

Status VerifyTemplate(pkcs11::Session& session, pkcs11::ObjectHandle object, std::string_view label,
                      AttributeType type, std::string_view name, const Attributes& expected) {
  COFFER_ASSIGN(const Attributes actual, session.GetTemplate(object, type));
  if (!SameAttributes(expected, actual)) return Deviates(label, name);
  return {};
}

Status VerifyMechanism(pkcs11::Session& session, pkcs11::ObjectHandle object,
                       std::string_view label, MechanismType expected) {
  COFFER_ASSIGN(const std::vector<MechanismType> allowed,
                session.GetMechanisms(object, AttributeType::kAllowedMechanisms));
  if (allowed != std::vector{expected}) return Deviates(label, "CKA_ALLOWED_MECHANISMS");
  return {};
}

Status VerifyType(pkcs11::Session& session, pkcs11::ObjectHandle object, std::string_view label,
                  KeyType expected) {
  COFFER_ASSIGN(const unsigned long object_class, session.GetUlong(object, AttributeType::kClass));
  COFFER_ASSIGN(const unsigned long key_type, session.GetUlong(object, AttributeType::kKeyType));
  COFFER_ASSIGN(const unsigned long octets, session.GetUlong(object, AttributeType::kValueLen));
  if (object_class != static_cast<unsigned long>(ObjectClass::kSecretKey)) {
    return Deviates(label, "CKA_CLASS");
  }
  if (key_type != static_cast<unsigned long>(expected)) return Deviates(label, "CKA_KEY_TYPE");
  if (octets != kMasterOctets) return Deviates(label, "CKA_VALUE_LEN");
  return {};
}

}  // namespace

std::span<const MasterClass> MasterClasses() { return kClasses; }
const MasterClass& AesClass() { return kClasses[0]; }
const MasterClass& HmacClass() { return kClasses[2]; }

const MasterClass& ClassNamed(std::string_view name) {
  const auto* const found = std::ranges::find(kClasses, name, &MasterClass::name);
  return found == kClasses.end() ? kResident : *found;
}

Attributes UnwrapTemplate(const MasterClass& master_class) {
  Attributes attributes = PinnedAttributes(master_class);
  attributes.Add(AttributeType::kModifiable, false);
  return attributes;
}

Attributes UnwrappedKeyTemplate(const MasterClass& master_class, const Attributes& usage) {
  Attributes attributes = PinnedAttributes(master_class);
  if (master_class.exported) attributes.Add(AttributeType::kExtractable, false);
  attributes.Append(usage).Add(AttributeType::kModifiable, false);
  return attributes;
}

Attributes NewSecretTemplate(const MasterClass& master_class, unsigned long octets) {
  Attributes attributes;
  attributes.Add(AttributeType::kClass, master_class.object_class)
      .Add(AttributeType::kKeyType, master_class.key_type)
      .Add(AttributeType::kToken, false)
      .Add(AttributeType::kPrivate, true)
      .Add(AttributeType::kSensitive, true)
      .Add(AttributeType::kExtractable, true);
  for (const AttributeType usage :
       {AttributeType::kEncrypt, AttributeType::kDecrypt, AttributeType::kSign,
        AttributeType::kVerify, AttributeType::kDerive, AttributeType::kWrap,
        AttributeType::kUnwrap}) {
    attributes.Add(usage, false);
  }
  attributes.Add(AttributeType::kValueLen, octets);
  return attributes;
}

Attributes NewPrivateTemplate() {
  Attributes attributes;
  attributes.Add(AttributeType::kToken, false)
      .Add(AttributeType::kPrivate, true)
      .Add(AttributeType::kSensitive, true)
      .Add(AttributeType::kExtractable, true);
  for (const AttributeType usage :
       {AttributeType::kDecrypt, AttributeType::kSign, AttributeType::kSignRecover,
        AttributeType::kUnwrap, AttributeType::kDerive}) {
    attributes.Add(usage, false);
  }
  return attributes;
}

Attributes MasterTemplate(const MasterClass& master_class, std::string_view label,
                          MechanismType wrap, MasterLifetime lifetime) {
  Attributes attributes;
  attributes.Add(AttributeType::kClass, ObjectClass::kSecretKey)
      .Add(AttributeType::kKeyType, KeyType::kAes)
      .Add(AttributeType::kToken, lifetime == MasterLifetime::kToken)
      .Add(AttributeType::kPrivate, true)
      .Add(AttributeType::kSensitive, true)
      .Add(AttributeType::kExtractable, false)
      .Add(AttributeType::kWrap, true)
      .Add(AttributeType::kUnwrap, true)
      .Add(AttributeType::kEncrypt, false)
      .Add(AttributeType::kDecrypt, false)
      .Add(AttributeType::kSign, false)
      .Add(AttributeType::kVerify, false)
      .Add(AttributeType::kDerive, false)
      .Add(AttributeType::kValueLen, kMasterOctets)
      .Add(AttributeType::kLabel, label)
      .AddMechanisms(AttributeType::kAllowedMechanisms, {wrap})
      .AddTemplate(AttributeType::kUnwrapTemplate, UnwrapTemplate(master_class));
  if (!master_class.imported) {
    attributes.AddTemplate(AttributeType::kWrapTemplate, WrapTemplate(master_class));
  }
  attributes.Add(AttributeType::kCopyable, false).Add(AttributeType::kModifiable, false);
  return attributes;
}

Attributes MetaTemplate() {
  Attributes attributes;
  attributes.Add(AttributeType::kClass, ObjectClass::kSecretKey)
      .Add(AttributeType::kKeyType, KeyType::kGenericSecret)
      .Add(AttributeType::kToken, true)
      .Add(AttributeType::kPrivate, true)
      .Add(AttributeType::kSensitive, true)
      .Add(AttributeType::kExtractable, false)
      .Add(AttributeType::kSign, true);
  for (const AttributeType usage :
       {AttributeType::kVerify, AttributeType::kEncrypt, AttributeType::kDecrypt,
        AttributeType::kWrap, AttributeType::kUnwrap, AttributeType::kDerive}) {
    attributes.Add(usage, false);
  }
  attributes.Add(AttributeType::kValueLen, kMasterOctets)
      .Add(AttributeType::kLabel, kMetaLabel)
      .AddMechanisms(AttributeType::kAllowedMechanisms, {MechanismType::kSha256Hmac})
      .Add(AttributeType::kCopyable, false)
      .Add(AttributeType::kModifiable, false);
  return attributes;
}

Status VerifyMaster(pkcs11::Session& session, pkcs11::ObjectHandle object,
                    const MasterClass& master_class, std::string_view label, MechanismType wrap) {
  COFFER_TRY(VerifyType(session, object, label, KeyType::kAes));
  COFFER_TRY(VerifyFlags(session, object, label, &Flag::master));
  COFFER_TRY(VerifyMechanism(session, object, label, wrap));
  COFFER_TRY(VerifyTemplate(session, object, label, AttributeType::kUnwrapTemplate,
                            "CKA_UNWRAP_TEMPLATE", UnwrapTemplate(master_class)));
  if (master_class.imported) return {};
  return VerifyTemplate(session, object, label, AttributeType::kWrapTemplate, "CKA_WRAP_TEMPLATE",
                        WrapTemplate(master_class));
}

Status VerifyMeta(pkcs11::Session& session, pkcs11::ObjectHandle object) {
  COFFER_TRY(VerifyType(session, object, kMetaLabel, KeyType::kGenericSecret));
  COFFER_TRY(VerifyFlags(session, object, kMetaLabel, &Flag::meta));
  return VerifyMechanism(session, object, kMetaLabel, MechanismType::kSha256Hmac);
}

}  // namespace coffer::keyring
