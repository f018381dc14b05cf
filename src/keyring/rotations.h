#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string_view>

#include "coffer/base/clock.h"
#include "coffer/base/logger.h"
#include "coffer/base/result.h"
#include "coffer/keyring/custodian.h"
#include "coffer/keyring/key_ring.h"
#include "coffer/storage/database.h"
#include "keyring/key_commits.h"
#include "keyring/version_maker.h"

namespace coffer::keyring {

// Rotations that no request caused: keys whose period has passed are rotated one after another, and
// so is a key that has encrypted as much as it may. The witness is called before and after each.
// Any thread may call; the rotations run on the custodian's thread.
class Rotations {
 public:
  Rotations(storage::Database& database, Custodian& custodian, KeyCommits& commits,
            VersionMaker& versions, const Clock& clock, Logger& logger)
      : database_(database),
        custodian_(custodian),
        commits_(commits),
        versions_(versions),
        clock_(clock),
        logger_(logger) {}

  // Before the first use.
  void SetWitness(RotationWitness& witness) { witness_ = &witness; }
  // As KeyRing::RotateDue().
  Status RotateDue(SystemTime now);
  // Queues the rotation of a key that has reached its limit; done unless it was rotated meanwhile.
  void RotateAtLimit(const Key& key);

 private:
  using Changed = Result<std::shared_ptr<const Key>>;
  // Calls the witness, `rotate`, and the witness again.
  Changed Witnessed(const Id& mount, std::string_view name, std::string_view reason,
                    const std::function<Changed()>& rotate) const;
  void QueueNextDue(CustodianTurn& turn);
  Status RotateOneDue(const store::MountedName& place);

  storage::Database& database_;
  Custodian& custodian_;
  KeyCommits& commits_;
  VersionMaker& versions_;
  const Clock& clock_;
  Logger& logger_;
  RotationWitness* witness_ = nullptr;
  std::deque<store::MountedName> due_;  // to be rotated, one in each turn; the custodian's thread
};

}  // namespace coffer::keyring
