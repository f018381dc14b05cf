#pragma once

#include <memory>
#include <vector>

#include "coffer/keyring/key_ring.h"
#include "keyring/archive.h"
#include "keyring/catalog.h"
#include "keyring/encryption_counts.h"
#include "keyring/imports.h"
#include "keyring/key_commits.h"
#include "keyring/residents.h"
#include "keyring/rotations.h"
#include "keyring/token_instance.h"
#include "keyring/version_maker.h"

namespace coffer::keyring {

// The parts of a key ring. Each says itself which thread may call it.
struct KeyRing::Impl {
  Impl(CustodianTurn& turn, storage::Database& db, Custodian& its_custodian,
       std::vector<std::unique_ptr<Token>> tokens, coffer::Random& source, const Clock& time,
       Logger& log, const CacheLimits& limits);

  Status Start(CustodianTurn& turn, const StartPolicy& policy);

  storage::Database& database;
  Custodian& custodian;
  coffer::Random& random;
  const Clock& clock;
  Logger& logger;
  Catalog catalog;
  EncryptionCounts counts;
  std::vector<std::unique_ptr<TokenInstance>> instances;  // the workers'
  TokenInstance custodians;
  keyring::Lanes lanes;
  Residents residents;
  KeyCommits commits;
  VersionMaker versions;
  Imports imports;
  Archive archive;
  Rotations rotations;
  std::vector<std::string> consequences;  // of StartPolicy's flags
};

}  // namespace coffer::keyring
