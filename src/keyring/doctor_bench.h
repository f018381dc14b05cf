#pragma once

#include <map>
#include <optional>
#include <string>

#include "coffer/keyring/token_doctor.h"
#include "coffer/pkcs11/module.h"
#include "keyring/key_recipes.h"
#include "keyring/object_maker.h"
#include "keyring/token_trial.h"

namespace coffer::keyring {

// A key that was made for an examination, in the way in which the token could keep such keys.
struct Specimen {
  KeySpec spec;
  Use use = Use::kCipher;  // what it was made for
  Way way = Way::kRefused;
  std::string note = {};
  crypto::PublicKey::Shared public_key = {};          // pairs
  Bytes blob = {};                                    // wrapped
  pkcs11::ObjectHandle resident = pkcs11::kNoObject;  // resident: a session object in its place
  bool in_token = false;                              // it is a token object after all
};

// The session objects of one examination, all under one random label, and its sessions: one that
// holds the login, one that makes objects, one that uses them. A session that breaks is replaced.
class DoctorBench {
 public:
  DoctorBench(pkcs11::Module& module, pkcs11::SlotId slot, bool token_objects)
      : module_(module), slot_(slot), token_objects_(token_objects) {}

  // Logs in: one attempt.
  Status Open(const SecretBytes& pin);
  // The trial that a server makes of the token, too.
  const TokenTrial& Trial() const { return trial_; }

  // Makes a key that is kept wrapped if the token can do that, else resident. The result says
  // which, and why.
  Specimen Make(const KeySpec& spec, Use use);
  // Makes the key once more without checking it, to measure the speed.
  Status MakeAgain(const Specimen& specimen);
  // A handle for one use of it. Release() takes it back.
  Result<pkcs11::ObjectHandle> Take(const Specimen& specimen, Use use);
  void Release(const Specimen& specimen, pkcs11::ObjectHandle handle);
  void Discard(const Specimen& specimen);
  // The session that makes objects; for what is derived and for the epoch.
  pkcs11::Session& Maker() { return *maker_; }
  ObjectMaker& Objects() { return objects_; }
  // The session for one operation.
  Result<pkcs11::Session*> User();
  std::string_view Label() const { return label_; }

  // An error if the token does not work any more. Called after a refusal, since a lost token may
  // answer in the same way.
  Status CheckAlive();
  // True if the token keeps session objects for good.
  Result<bool> KeepsSessionObjects();
  // Destroys all objects that are left, and returns how many could not be destroyed.
  Result<std::size_t> Clear();

 private:
  Result<Specimen> MakeWrapped(const KeySpec& spec, Use use);
  Result<Specimen> MakeResident(const KeySpec& spec, Use use, MasterLifetime lifetime);
  Result<pkcs11::KeyPair> MakeResidentPair(const KeySpec& spec, MasterLifetime lifetime);
  Result<Bytes> WrapNew(const KeySpec& spec, Use use, crypto::PublicKey::Shared& public_key);
  Status AttackBlob(const Specimen& specimen);
  Result<pkcs11::ObjectHandle> Master(const MasterClass& master_class);
  Status Renew();

  pkcs11::Module& module_;
  const pkcs11::SlotId slot_;
  const bool token_objects_;  // make them where there are no session objects
  ObjectMaker objects_{ObjectMaker::ReadBack::kEachObject};
  std::string label_;
  TokenTrial trial_;
  std::optional<pkcs11::Session> keeper_;
  std::optional<pkcs11::Session> maker_;
  std::optional<pkcs11::Session> user_;
  std::map<std::string, pkcs11::ObjectHandle, std::less<>> masters_;  // by class
};

}  // namespace coffer::keyring
