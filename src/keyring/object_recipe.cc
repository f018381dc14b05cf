#include "keyring/object_recipe.h"

#include <utility>

namespace coffer::keyring {
namespace {

using pkcs11::Attributes;
using pkcs11::AttributeType;
using P11Type = pkcs11::KeyType;
using pkcs11::ObjectClass;

// The label comes first, so that the object has it even if the token fails at a later attribute.
Attributes Begin(ObjectClass object_class, const RecipeDetails& details) {
  Attributes attributes;
  if (!details.label.empty()) attributes.Add(AttributeType::kLabel, details.label);
  attributes.Add(AttributeType::kClass, object_class);
  return attributes;
}

void AddDetails(Attributes& attributes, P11Type type, const RecipeDetails& details) {
  attributes.Add(AttributeType::kKeyType, type);
  if (details.value_bytes > 0) attributes.Add(AttributeType::kValueLen, details.value_bytes);
  if (!details.id.empty()) attributes.Add(AttributeType::kId, ByteView(details.id));
  attributes.Append(details.parameters);
}

void AddRestrictions(Attributes& attributes, const AllowedMechanisms& mechanisms,
                     const RecipeDetails& details) {
  if (!mechanisms.empty()) {
    attributes.AddMechanisms(AttributeType::kAllowedMechanisms, mechanisms);
  }
  if (details.unwrap_template.size() > 0) {
    attributes.AddTemplate(AttributeType::kUnwrapTemplate, details.unwrap_template);
  }
  if (details.wrap_template.size() > 0) {
    attributes.AddTemplate(AttributeType::kWrapTemplate, details.wrap_template);
  }
}

template <typename Flags>
void AddFlags(Attributes& attributes, const Flags& flags) {
  flags.ForEach([&](AttributeType type, const auto& flag) { flag.AddTo(attributes, type); });
}

template <typename Pins>
Attributes Nested(ObjectClass object_class, P11Type type, const Pins& pins) {
  Attributes attributes;
  attributes.Add(AttributeType::kClass, object_class).Add(AttributeType::kKeyType, type);
  AddFlags(attributes, pins);
  return attributes;
}

}  // namespace

Recipe::Recipe(std::string what, P11Type type, const SecretKeyFlags& flags,
               const AllowedMechanisms& mechanisms, const RecipeDetails& details)
    : what_(std::move(what)),
      token_object_(flags.token.On()),
      holds_secret_(true),
      sealed_(flags.sensitive.On() && !flags.extractable.On()),
      template_(Begin(ObjectClass::kSecretKey, details)) {
  AddDetails(template_, type, details);
  AddRestrictions(template_, mechanisms, details);
  AddFlags(template_, flags);
}

Recipe::Recipe(std::string what, P11Type type, const PrivateKeyFlags& flags,
               const AllowedMechanisms& mechanisms, const RecipeDetails& details)
    : what_(std::move(what)),
      token_object_(flags.token.On()),
      holds_secret_(true),
      sealed_(flags.sensitive.On() && !flags.extractable.On()),
      template_(Begin(ObjectClass::kPrivateKey, details)) {
  AddDetails(template_, type, details);
  AddRestrictions(template_, mechanisms, details);
  AddFlags(template_, flags);
}

Recipe::Recipe(std::string what, P11Type type, const PublicKeyFlags& flags,
               const RecipeDetails& details)
    : what_(std::move(what)),
      token_object_(flags.token.On()),
      holds_secret_(false),
      template_(Begin(ObjectClass::kPublicKey, details)) {
  AddDetails(template_, type, details);
  AddFlags(template_, flags);
}

Recipe::Recipe(std::string what, const DataFlags& flags, const RecipeDetails& details)
    : what_(std::move(what)),
      token_object_(flags.token.On()),
      holds_secret_(false),
      template_(Begin(ObjectClass::kData, details)) {
  template_.Append(details.parameters);
  AddFlags(template_, flags);
}

Recipe Recipe::WithLabel(std::string_view label) const {
  Recipe labelled;
  labelled.what_ = what_;
  labelled.token_object_ = token_object_;
  labelled.holds_secret_ = holds_secret_;
  labelled.sealed_ = sealed_;
  labelled.template_.Add(AttributeType::kLabel, label);
  for (std::size_t i = 0; i < template_.size(); ++i) {
    const AttributeType type = template_.TypeAt(i);
    if (type == AttributeType::kLabel) continue;
    if (const Attributes* const nested = template_.NestedAt(i)) {
      labelled.template_.AddTemplate(type, *nested);
    } else {
      labelled.template_.Add(type, template_.ValueAt(i));
    }
  }
  return labelled;
}

Attributes UnwrapTemplateOf(P11Type type, const SecretKeyDemands& pins) {
  return Nested(ObjectClass::kSecretKey, type, pins);
}

Attributes UnwrapTemplateOf(P11Type type, const PrivateKeyDemands& pins) {
  return Nested(ObjectClass::kPrivateKey, type, pins);
}

}  // namespace coffer::keyring
