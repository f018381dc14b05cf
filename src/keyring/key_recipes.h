#pragma once

#include "coffer/base/result.h"
#include "coffer/keyring/token.h"
#include "keyring/key_mechanisms.h"
#include "keyring/masters.h"
#include "keyring/object_recipe.h"

namespace coffer::keyring {

// Every kind of key that Coffer makes in a token besides the masters (masters.h).

// The halves of a pair that is made together.
struct PairRecipe {
  Recipe public_half;
  Recipe private_half;
};

// A new key before its master wraps it: a session object, extractable, with every usage flag off.
Recipe NewSecretRecipe(const MasterClass& master_class, unsigned long bytes);
PairRecipe NewPairRecipe(const KeySpec& spec);
// A key that came from elsewhere, likewise; its length is the blob's.
Recipe ArrivedRecipe(const MasterClass& master_class);

// A version in use: unwrapped for one use, never to leave the token. kInternal where keys of this
// type have no such use.
Result<Recipe> UnwrappedRecipe(const KeySpec& spec, Use use);
Recipe UnwrappedRecipe(const MasterClass& master_class, const TokenUse& usage);
// A version that stays in the token as an object.
Result<PairRecipe> ResidentRecipe(const KeySpec& spec, const ResidentPlace& place,
                                  MasterLifetime lifetime = MasterLifetime::kToken);
// An AES-GCM version that stays in the token. `label` is the object's.
Result<Recipe> ResidentSecretRecipe(const KeySpec& spec, std::string_view label, ByteView locator);

// A key that the doctor tries unwrapped, for every use of its type.
Result<Recipe> SpecimenRecipe(const KeySpec& spec, MasterLifetime lifetime);
Result<PairRecipe> SpecimenPairRecipe(const KeySpec& spec, MasterLifetime lifetime);

// A key that was derived for one context. Its attributes depend on its use, not on the KDF.
Recipe DerivedRecipe(const KeySpec& spec, DerivedUse use);
// The key between the two steps of coffer-kdf-aesecb-1.
Recipe DerivationStepRecipe();

// The key pair that imports are wrapped for; and the AES key of an import, which unwraps the
// imported key and does nothing else.
PairRecipe ImportWrappingRecipe(ImportedThrough through, unsigned long bits);
Recipe EphemeralRecipe(pkcs11::MechanismType wrap);

// An exportable key while it is exported: extractable, with every usage flag off. Then the AES key
// that wraps it, and the RSA key that wraps the AES key.
Recipe LeavingRecipe(const MasterClass& master_class);
Recipe TransportRecipe(pkcs11::MechanismType wrap);
Recipe DestinationRecipe(const crypto::PublicKey& key);
// The secret that two EC keys agree on: the input of HKDF and nothing else.
Recipe AgreedRecipe(unsigned long bytes);
// The x of an EC key's public point, as the token agrees on it. It is public, so it is readable.
Recipe PublicPointRecipe(unsigned long bytes);

// The key that signs the audit trail's checkpoints.
PairRecipe AuditRecipe(MasterLifetime lifetime = MasterLifetime::kToken);

// One of the objects that hold the epoch.
Recipe EpochRecipe(const Token::Epoch& epoch, MasterLifetime lifetime = MasterLifetime::kToken);

}  // namespace coffer::keyring
