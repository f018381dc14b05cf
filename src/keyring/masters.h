#pragma once

#include <span>
#include <string>
#include <string_view>

#include "coffer/base/result.h"
#include "coffer/pkcs11/attributes.h"
#include "coffer/pkcs11/session.h"

namespace coffer::keyring {

// A class of keys, which has its own masters because an unwrap template pins one object class and
// one key type (docs/key-custody.md, "Token objects").
struct MasterClass {
  std::string_view name;  // "aes": the object's label is "coffer-aes-v<N>"
  pkcs11::ObjectClass object_class;
  pkcs11::KeyType key_type;
  bool may_encrypt;
  bool may_derive;
  bool imported;              // wraps keys that were not born in this token
  bool may_sign = true;       // false: the template says so, and does not leave it to the use
  bool at_first_key = false;  // made with the first key that needs it: not every token has the type
  bool exported = false;      // its keys may be wrapped for other servers, too
};

std::span<const MasterClass> MasterClasses();
const MasterClass& AesClass();
const MasterClass& HmacClass();
// The class of this name; resident keys' where there is none: it has no master.
const MasterClass& ClassNamed(std::string_view name);

inline constexpr std::string_view kMetaLabel = "coffer-meta";
inline constexpr std::string_view kEpochApplication = "coffer-epoch";
inline constexpr std::string_view kResidentLabelPrefix = "coffer-key-";
inline constexpr std::string_view kProbeLabelPrefix = "coffer-probe-";  // pkcs11::ProbeToken's too

// The attributes that every key unwrapped under the class's master must have; kModifiable = 0 comes
// last.
pkcs11::Attributes UnwrapTemplate(const MasterClass& master_class);
// A template for C_UnwrapKey that agrees with it: `usage` (usage flags and allowed mechanisms) goes
// before kModifiable.
pkcs11::Attributes UnwrappedKeyTemplate(const MasterClass& master_class,
                                        const pkcs11::Attributes& usage);
// A new version at birth: extractable, of no use, a session object.
pkcs11::Attributes NewSecretTemplate(const MasterClass& master_class, unsigned long octets);
pkcs11::Attributes NewPrivateTemplate();

// kSession is for trying out how a token treats a master.
enum class MasterLifetime { kToken, kSession };
pkcs11::Attributes MasterTemplate(const MasterClass& master_class, std::string_view label,
                                  pkcs11::MechanismType wrap,
                                  MasterLifetime lifetime = MasterLifetime::kToken);
pkcs11::Attributes MetaTemplate();

// Checks that the object carries the attributes of its template. kTokenRefused, naming the object
// and the attribute, if it does not.
Status VerifyMaster(pkcs11::Session& session, pkcs11::ObjectHandle object,
                    const MasterClass& master_class, std::string_view label,
                    pkcs11::MechanismType wrap);
Status VerifyMeta(pkcs11::Session& session, pkcs11::ObjectHandle object);

}  // namespace coffer::keyring
