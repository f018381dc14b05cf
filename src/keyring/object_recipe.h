#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "coffer/base/bytes.h"
#include "coffer/pkcs11/attributes.h"

namespace coffer::keyring {

// A flag of a token object, on or off. It has no default: a recipe that leaves a flag out does not
// compile, because tokens take omitted flags for true.
class Flag {
 public:
  constexpr explicit Flag(bool on) : on_(on) {}
  constexpr bool On() const { return on_; }
  void AddTo(pkcs11::Attributes& attributes, pkcs11::AttributeType type) const {
    attributes.Add(type, on_);
  }

 private:
  bool on_;
};
inline constexpr Flag kOn(true);
inline constexpr Flag kOff(false);

// A flag in a nested template: the value that the token demands of each key, or free. It has no
// default either.
class Demand {
 public:
  enum class Value { kMustBeOff, kMustBeOn, kFree };
  constexpr explicit Demand(Value value) : value_(value) {}
  constexpr bool IsFree() const { return value_ == Value::kFree; }
  constexpr bool On() const { return value_ == Value::kMustBeOn; }
  void AddTo(pkcs11::Attributes& attributes, pkcs11::AttributeType type) const {
    if (!IsFree()) attributes.Add(type, On());
  }

 private:
  Value value_;
};
inline constexpr Demand kDemandOn(Demand::Value::kMustBeOn);
inline constexpr Demand kDemandOff(Demand::Value::kMustBeOff);
inline constexpr Demand kNoDemand(Demand::Value::kFree);

// The flags of an object by its class. F is Flag or Demand. CKA_MODIFIABLE is visited last: SoftHSM
// takes nothing after it. (CKA_DESTROYABLE, CKA_WRAP_WITH_TRUSTED and CKA_ALWAYS_AUTHENTICATE can
// only take rights away, and not every token supports them.)
template <typename F>
struct SecretKeyAttributes {
  F token;
  F private_object;
  F sensitive;
  F extractable;
  F encrypt;
  F decrypt;
  F sign;
  F verify;
  F wrap;
  F unwrap;
  F derive;
  F copyable;
  F modifiable;

  template <typename Visit>
  void ForEach(Visit visit) const {
    using enum pkcs11::AttributeType;
    visit(kToken, token);
    visit(kPrivate, private_object);
    visit(kSensitive, sensitive);
    visit(kExtractable, extractable);
    visit(kEncrypt, encrypt);
    visit(kDecrypt, decrypt);
    visit(kSign, sign);
    visit(kVerify, verify);
    visit(kWrap, wrap);
    visit(kUnwrap, unwrap);
    visit(kDerive, derive);
    visit(kCopyable, copyable);
    visit(kModifiable, modifiable);
  }
};

template <typename F>
struct PrivateKeyAttributes {
  F token;
  F private_object;
  F sensitive;
  F extractable;
  F decrypt;
  F sign;
  F sign_recover;
  F unwrap;
  F derive;
  F copyable;
  F modifiable;

  template <typename Visit>
  void ForEach(Visit visit) const {
    using enum pkcs11::AttributeType;
    visit(kToken, token);
    visit(kPrivate, private_object);
    visit(kSensitive, sensitive);
    visit(kExtractable, extractable);
    visit(kDecrypt, decrypt);
    visit(kSign, sign);
    visit(kSignRecover, sign_recover);
    visit(kUnwrap, unwrap);
    visit(kDerive, derive);
    visit(kCopyable, copyable);
    visit(kModifiable, modifiable);
  }
};

template <typename F>
struct PublicKeyAttributes {
  F token;
  F private_object;
  F encrypt;
  F verify;
  F wrap;
  F derive;
  F copyable;
  F modifiable;

  template <typename Visit>
  void ForEach(Visit visit) const {
    using enum pkcs11::AttributeType;
    visit(kToken, token);
    visit(kPrivate, private_object);
    visit(kEncrypt, encrypt);
    visit(kVerify, verify);
    visit(kWrap, wrap);
    visit(kDerive, derive);
    visit(kCopyable, copyable);
    visit(kModifiable, modifiable);
  }
};

// A data object holds no key; its label changes with the epoch.
template <typename F>
struct DataAttributes {
  F token;
  F private_object;
  F modifiable;

  template <typename Visit>
  void ForEach(Visit visit) const {
    using enum pkcs11::AttributeType;
    visit(kToken, token);
    visit(kPrivate, private_object);
    visit(kModifiable, modifiable);
  }
};

using SecretKeyFlags = SecretKeyAttributes<Flag>;
using PrivateKeyFlags = PrivateKeyAttributes<Flag>;
using PublicKeyFlags = PublicKeyAttributes<Flag>;
using DataFlags = DataAttributes<Flag>;
using SecretKeyDemands = SecretKeyAttributes<Demand>;
using PrivateKeyDemands = PrivateKeyAttributes<Demand>;

// CKA_ALLOWED_MECHANISMS. Tokens take none for any, so an object that may be used names them; an
// object whose usage flags are all off has none.
using AllowedMechanisms = std::vector<pkcs11::MechanismType>;

// All that an object is made of besides its flags.
struct RecipeDetails {
  std::string label = {};
  Bytes id = {};                       // CKA_ID
  unsigned long value_bytes = 0;       // CKA_VALUE_LEN; 0: not in the template
  pkcs11::Attributes parameters = {};  // of a key pair's public half; a data object's content
  pkcs11::Attributes unwrap_template = {};
  pkcs11::Attributes wrap_template = {};
};

// Describes one kind of token object whole: its class, its type and every flag. Every template for
// an object that Coffer makes comes from one. Move-only.
class Recipe {
 public:
  // `what` names the object in errors: "a new AES key".
  Recipe(std::string what, pkcs11::KeyType type, const SecretKeyFlags& flags,
         const AllowedMechanisms& mechanisms, const RecipeDetails& details = {});
  Recipe(std::string what, pkcs11::KeyType type, const PrivateKeyFlags& flags,
         const AllowedMechanisms& mechanisms, const RecipeDetails& details = {});
  Recipe(std::string what, pkcs11::KeyType type, const PublicKeyFlags& flags,
         const RecipeDetails& details = {});
  Recipe(std::string what, const DataFlags& flags, const RecipeDetails& details = {});

  // The same with another label.
  Recipe WithLabel(std::string_view label) const;

  // The template for the call that makes the object.
  const pkcs11::Attributes& Template() const { return template_; }
  const std::string& What() const { return what_; }
  bool IsTokenObject() const { return token_object_; }
  bool HoldsSecret() const { return holds_secret_; }  // a secret or a private key
  bool IsSealed() const { return sealed_; }           // sensitive and not extractable

 private:
  Recipe() = default;

  std::string what_;
  bool token_object_ = false;
  bool holds_secret_ = false;
  bool sealed_ = false;
  pkcs11::Attributes template_;
};

// The templates that a master demands of the keys under it.
pkcs11::Attributes UnwrapTemplateOf(pkcs11::KeyType type, const SecretKeyDemands& pins);
pkcs11::Attributes UnwrapTemplateOf(pkcs11::KeyType type, const PrivateKeyDemands& pins);

}  // namespace coffer::keyring
