#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "coffer/base/result.h"
#include "coffer/pkcs11/types.h"
#include "keyring/object_names.h"
#include "keyring/object_recipe.h"

namespace coffer::keyring {

// The kinds of keys that have masters of their own, because an unwrap template pins one object
// class and one key type (docs/key-custody.md, "Token objects").
enum class KeyKind : std::uint8_t {
  kAes,
  kAesBase,  // of derived keys
  kHmac,
  kRsa,
  kEc,
  kChaCha20,
  kHkdfBase,
  kEd25519  // no token that was tried wraps such keys: there are no masters for it
};

// The origin of the keys under a master.
enum class Origin : std::uint8_t {
  kBorn,
  kImported,
  kExportable  // generated here; may be wrapped for other servers
};

// When a class's first master is made: not every token has every type.
enum class FirstMaster : std::uint8_t { kAtInit, kAtFirstKey };

// A class of masters. `may_...` are the usage flags of the keys under it that a use may set; the
// unwrap template holds every other flag.
struct MasterClass {
  std::string_view name;  // "aes": the first object's label is "coffer-aes-v1"
  KeyKind kind{};
  Origin origin{};
  pkcs11::ObjectClass object_class{};
  pkcs11::KeyType key_type{};
  Demand may_encrypt;  // and decrypt
  Demand may_sign;
  Demand may_derive;
  FirstMaster first{};
};

std::span<const MasterClass> MasterClasses();
// kInternal, naming the kind, where there are no masters for it.
Result<const MasterClass*> FindClass(KeyKind kind, Origin origin = Origin::kBorn);
// Null where there is none.
const MasterClass* FindClassNamed(std::string_view name);
// The class of a master's name, "aes-v1"; kCorrupt where it is none: names come from rows.
Result<const MasterClass*> ClassOfMaster(std::string_view master);

// The attributes that every key unwrapped under the class's master must have.
pkcs11::Attributes UnwrapTemplate(const MasterClass& master_class);

// kSession is for trying out how a token treats a master.
enum class MasterLifetime : std::uint8_t { kToken, kSession };
Recipe MasterRecipe(const MasterClass& master_class, std::string_view label,
                    pkcs11::MechanismType wrap, MasterLifetime lifetime = MasterLifetime::kToken);
Recipe MetaRecipe(MasterLifetime lifetime = MasterLifetime::kToken);

}  // namespace coffer::keyring
