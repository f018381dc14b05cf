#include "keyring/masters.h"

#include <algorithm>
#include <array>
#include <string>

namespace coffer::keyring {
namespace {

using pkcs11::Attributes;
using pkcs11::AttributeType;
using P11Type = pkcs11::KeyType;
using pkcs11::MechanismType;
using pkcs11::ObjectClass;

constexpr unsigned long kMasterBytes = 32;

// A kind of keys, whatever their origin.
struct KindRow {
  std::string_view name;
  std::string_view imported_name;
  std::string_view exportable_name;  // empty: no such key may leave
  KeyKind kind{};
  ObjectClass object_class{};
  P11Type key_type{};
  Demand may_encrypt;
  Demand may_sign;
  Demand may_derive;
  FirstMaster first{};
};

constexpr std::string_view NameOf(const KindRow& row, Origin origin) {
  switch (origin) {
    case Origin::kImported:
      return row.imported_name;
    case Origin::kExportable:
      return row.exportable_name;
    case Origin::kBorn:
      break;
  }
  return row.name;
}

constexpr MasterClass Class(const KindRow& row, Origin origin) {
  return {.name = NameOf(row, origin),
          .kind = row.kind,
          .origin = origin,
          .object_class = row.object_class,
          .key_type = row.key_type,
          .may_encrypt = row.may_encrypt,
          .may_sign = row.may_sign,
          .may_derive = row.may_derive,
          .first = origin == Origin::kExportable ? FirstMaster::kAtFirstKey : row.first};
}

constexpr KindRow kAesRow{.name = "aes",
                          .imported_name = "import-aes",
                          .exportable_name = "export-aes",
                          .kind = KeyKind::kAes,
                          .object_class = ObjectClass::kSecretKey,
                          .key_type = P11Type::kAes,
                          .may_encrypt = kNoDemand,
                          .may_sign = kNoDemand,  // CMAC
                          .may_derive = kDemandOff,
                          .first = FirstMaster::kAtInit};
constexpr KindRow kAesBaseRow{.name = "aes-derive",
                              .imported_name = "import-aes-derive",
                              .exportable_name = "",
                              .kind = KeyKind::kAesBase,
                              .object_class = ObjectClass::kSecretKey,
                              .key_type = P11Type::kAes,
                              .may_encrypt = kDemandOff,
                              .may_sign = kDemandOff,
                              .may_derive = kNoDemand,
                              .first = FirstMaster::kAtInit};
constexpr KindRow kHmacRow{.name = "hmac",
                           .imported_name = "import-hmac",
                           .exportable_name = "export-hmac",
                           .kind = KeyKind::kHmac,
                           .object_class = ObjectClass::kSecretKey,
                           .key_type = P11Type::kGenericSecret,
                           .may_encrypt = kDemandOff,
                           .may_sign = kNoDemand,
                           .may_derive = kDemandOff,
                           .first = FirstMaster::kAtInit};
constexpr KindRow kRsaRow{.name = "rsa",
                          .imported_name = "import-rsa",
                          .exportable_name = "export-rsa",
                          .kind = KeyKind::kRsa,
                          .object_class = ObjectClass::kPrivateKey,
                          .key_type = P11Type::kRsa,
                          .may_encrypt = kNoDemand,
                          .may_sign = kNoDemand,
                          .may_derive = kDemandOff,
                          .first = FirstMaster::kAtInit};
constexpr KindRow kEcRow{.name = "ec",
                         .imported_name = "import-ec",
                         .exportable_name = "export-ec",
                         .kind = KeyKind::kEc,
                         .object_class = ObjectClass::kPrivateKey,
                         .key_type = P11Type::kEc,
                         .may_encrypt = kDemandOff,
                         .may_sign = kNoDemand,
                         .may_derive = kNoDemand,  // ECDH
                         .first = FirstMaster::kAtInit};
constexpr KindRow kChaCha20Row{.name = "chacha20",
                               .imported_name = "import-chacha20",
                               .exportable_name = "export-chacha20",
                               .kind = KeyKind::kChaCha20,
                               .object_class = ObjectClass::kSecretKey,
                               .key_type = P11Type::kChaCha20,
                               .may_encrypt = kNoDemand,
                               .may_sign = kDemandOff,
                               .may_derive = kDemandOff,
                               .first = FirstMaster::kAtFirstKey};
constexpr KindRow kHkdfBaseRow{.name = "hkdf",
                               .imported_name = "import-hkdf",
                               .exportable_name = "",
                               .kind = KeyKind::kHkdfBase,
                               .object_class = ObjectClass::kSecretKey,
                               .key_type = P11Type::kHkdf,
                               .may_encrypt = kDemandOff,
                               .may_sign = kDemandOff,
                               .may_derive = kNoDemand,
                               .first = FirstMaster::kAtFirstKey};

constexpr std::array kClasses{
    Class(kAesRow, Origin::kBorn),
    Class(kAesBaseRow, Origin::kBorn),
    Class(kHmacRow, Origin::kBorn),
    Class(kRsaRow, Origin::kBorn),
    Class(kEcRow, Origin::kBorn),
    Class(kAesRow, Origin::kImported),
    Class(kAesBaseRow, Origin::kImported),
    Class(kHmacRow, Origin::kImported),
    Class(kRsaRow, Origin::kImported),
    Class(kEcRow, Origin::kImported),
    Class(kChaCha20Row, Origin::kBorn),
    Class(kChaCha20Row, Origin::kImported),
    Class(kHkdfBaseRow, Origin::kBorn),
    Class(kHkdfBaseRow, Origin::kImported),
    Class(kAesRow, Origin::kExportable),
    Class(kHmacRow, Origin::kExportable),
    Class(kRsaRow, Origin::kExportable),
    Class(kEcRow, Origin::kExportable),
    Class(kChaCha20Row, Origin::kExportable),
};

// A key made elsewhere, whose value somebody may know, is not wrapped under a master for born keys.
Attributes WrapTemplate(const MasterClass& master_class) {
  Attributes attributes;
  if (master_class.origin == Origin::kImported) return attributes;
  attributes.Add(AttributeType::kClass, master_class.object_class)
      .Add(AttributeType::kKeyType, master_class.key_type)
      .Add(AttributeType::kLocal, true)
      .Add(AttributeType::kAlwaysSensitive, true);
  return attributes;
}

}  // namespace

std::span<const MasterClass> MasterClasses() { return kClasses; }

Result<const MasterClass*> FindClass(KeyKind kind, Origin origin) {
  const auto* const found = std::ranges::find_if(kClasses, [&](const MasterClass& each) {
    return each.kind == kind && each.origin == origin;
  });
  if (found != kClasses.end()) return found;
  return Fail(Code::kInternal, "there are no master keys for keys of kind " +
                                   std::to_string(static_cast<int>(kind)));
}

const MasterClass* FindClassNamed(std::string_view name) {
  const auto* const found = std::ranges::find(kClasses, name, &MasterClass::name);
  return found == kClasses.end() ? nullptr : found;
}

Result<const MasterClass*> ClassOfMaster(std::string_view master) {
  const auto parts = ParseMasterName(master);
  const MasterClass* const found = parts ? FindClassNamed(parts->master_class) : nullptr;
  if (found != nullptr) return found;
  return Fail(Code::kCorrupt, "\"" + std::string(master) + "\" is no master key's name");
}

Attributes UnwrapTemplate(const MasterClass& master_class) {
  // A key in use is sealed all the same: its own recipe says so.
  const Demand extractable = master_class.origin == Origin::kExportable ? kNoDemand : kDemandOff;
  if (master_class.object_class == ObjectClass::kPrivateKey) {
    return UnwrapTemplateOf(master_class.key_type,
                            PrivateKeyDemands{.token = kDemandOff,
                                              .private_object = kDemandOn,
                                              .sensitive = kDemandOn,
                                              .extractable = extractable,
                                              .decrypt = master_class.may_encrypt,
                                              .sign = master_class.may_sign,
                                              .sign_recover = kDemandOff,
                                              .unwrap = kDemandOff,
                                              .derive = master_class.may_derive,
                                              .copyable = kDemandOff,
                                              .modifiable = kDemandOff});
  }
  return UnwrapTemplateOf(master_class.key_type,
                          SecretKeyDemands{.token = kDemandOff,
                                           .private_object = kDemandOn,
                                           .sensitive = kDemandOn,
                                           .extractable = extractable,
                                           .encrypt = master_class.may_encrypt,
                                           .decrypt = master_class.may_encrypt,
                                           .sign = master_class.may_sign,
                                           .verify = master_class.may_sign,
                                           .wrap = kDemandOff,
                                           .unwrap = kDemandOff,
                                           .derive = master_class.may_derive,
                                           .copyable = kDemandOff,
                                           .modifiable = kDemandOff});
}

Recipe MasterRecipe(const MasterClass& master_class, std::string_view label, MechanismType wrap,
                    MasterLifetime lifetime) {
  return {std::string(label),
          P11Type::kAes,
          SecretKeyFlags{.token = Flag(lifetime == MasterLifetime::kToken),
                         .private_object = kOn,
                         .sensitive = kOn,
                         .extractable = kOff,
                         .encrypt = kOff,
                         .decrypt = kOff,
                         .sign = kOff,
                         .verify = kOff,
                         .wrap = kOn,
                         .unwrap = kOn,
                         .derive = kOff,
                         .copyable = kOff,
                         .modifiable = kOff},
          {wrap},
          {.label = std::string(label),
           .value_bytes = kMasterBytes,
           .unwrap_template = UnwrapTemplate(master_class),
           .wrap_template = WrapTemplate(master_class)}};
}

Recipe MetaRecipe(MasterLifetime lifetime) {
  return {std::string(kMetaLabel),
          P11Type::kGenericSecret,
          SecretKeyFlags{.token = Flag(lifetime == MasterLifetime::kToken),
                         .private_object = kOn,
                         .sensitive = kOn,
                         .extractable = kOff,
                         .encrypt = kOff,
                         .decrypt = kOff,
                         .sign = kOn,
                         .verify = kOff,
                         .wrap = kOff,
                         .unwrap = kOff,
                         .derive = kOff,
                         .copyable = kOff,
                         .modifiable = kOff},
          {MechanismType::kSha256Hmac},
          {.label = lifetime == MasterLifetime::kToken ? std::string(kMetaLabel)
                                                       : std::string(kProbeLabelPrefix) + "meta",
           .value_bytes = kMasterBytes}};
}

}  // namespace coffer::keyring
