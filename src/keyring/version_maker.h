#pragma once

#include <vector>

#include "coffer/base/clock.h"
#include "coffer/base/result.h"
#include "coffer/keyring/custodian.h"
#include "coffer/keyring/key.h"
#include "coffer/keyring/token.h"
#include "keyring/residents.h"

namespace coffer::keyring {

// Makes the versions of keys. The custodian's thread.
class VersionMaker {
 public:
  VersionMaker(Residents& residents, const Clock& clock) : residents_(residents), clock_(clock) {}

  // Generates a version in the token; a resident one gets its row first. Of a key that is resident
  // by wish, not by type, a version without room in the token is wrapped.
  Result<KeyVersion> Generate(CustodianTurn& turn, const Key& key, int number, const Actor& actor);
  // Makes a version of what the token returned.
  Result<KeyVersion> From(NewVersion made, int number, const Actor& actor) const;
  // Adds a version to the key and makes it the latest.
  Status Rotate(CustodianTurn& turn, Key& key, std::vector<int>& new_versions, const Actor& actor);

 private:
  Result<NewVersion> MakeResident(CustodianTurn& turn, const Key& key, int number);

  Residents& residents_;
  const Clock& clock_;
};

}  // namespace coffer::keyring
