#include "keyring/rotations.h"

#include <iterator>
#include <string>
#include <utility>

namespace coffer::keyring {
namespace {

// True if the key is due, by the same rule as store::DueForRotation().
bool IsDue(const Key& key, SystemTime now) {
  const std::chrono::seconds period(key.settings.auto_rotate_period_seconds);
  const auto age = now - key.versions.at(key.latest_version).info.created;
  return period.count() > 0 && !key.settings.soft_deleted &&
         std::chrono::duration_cast<std::chrono::seconds>(age) >= period;
}

}  // namespace

Rotations::Changed Rotations::Witnessed(const Id& mount, std::string_view name,
                                        std::string_view reason,
                                        const std::function<Changed()>& rotate) const {
  if (witness_ == nullptr) return rotate();
  COFFER_TRY(witness_->Begun(mount, name, reason));
  Changed changed = rotate();
  witness_->Ended(mount, name, changed ? Status{} : Fail(changed.error()));
  return changed;
}

Status Rotations::RotateDue(SystemTime now) {
  return custodian_.Run([&](CustodianTurn& turn) -> Status {
    if (!due_.empty()) return {};  // the last call's are being rotated
    COFFER_ASSIGN(auto places, store::DueForRotation(database_, now));
    due_.assign(std::make_move_iterator(places.begin()), std::make_move_iterator(places.end()));
    QueueNextDue(turn);
    return {};
  });
}

// Rotates one key, then lets other work that waits for the custodian run. A key that could not be
// rotated stays due_.
void Rotations::QueueNextDue(CustodianTurn&) {
  if (due_.empty()) return;
  const Status queued = custodian_.Submit([this](CustodianTurn& turn) -> Status {
    Status done = RotateOneDue(due_.front());
    const bool lost = !done && done.error().code == Code::kTokenLost;
    due_.erase(due_.begin(), lost ? due_.end() : due_.begin() + 1);
    QueueNextDue(turn);
    return done;
  });
  if (!queued) due_.clear();
}

Status Rotations::RotateOneDue(const store::MountedName& place) {
  const Actor actor{"auto-rotate", "scheduled"};
  const KeyCommits::Edit edit = [&](CustodianTurn& turn, Key& key,
                                    std::vector<int>& new_versions) -> Status {
    if (!IsDue(key, clock_.Now())) return Fail(Code::kConflict, "key was changed meanwhile");
    return versions_.Rotate(turn, key, new_versions, actor);
  };
  const Changed done = Witnessed(place.mount, place.name, actor.reason,
                                 [&] { return commits_.ChangeKey(place.mount, place.name, edit); });
  // If the key was deleted or rotated since it was found due, nothing is left to do.
  const bool settled =
      done || done.error().code == Code::kConflict || done.error().code == Code::kNotFound;
  if (settled) return {};
  logger_.Log(LogLevel::kError, "keyring", "failed to rotate a key that is due",
              {{"key", place.name}, {"why", done.error().message}});
  return Fail(done.error());
}

void Rotations::RotateAtLimit(const Key& key) {
  custodian_.Post([this, mount = key.mount, name = key.name,
                   latest = key.latest_version](CustodianTurn&) -> Status {
    const Actor actor{"coffer", "encryption limit"};
    const KeyCommits::Edit edit = [&](CustodianTurn& turn, Key& current,
                                      std::vector<int>& new_versions) -> Status {
      if (current.latest_version != latest) {
        return Fail(Code::kConflict, "key was rotated meanwhile");
      }
      return versions_.Rotate(turn, current, new_versions, actor);
    };
    const auto rotated =
        Witnessed(mount, name, actor.reason, [&] { return commits_.ChangeKey(mount, name, edit); });
    if (!rotated && rotated.error().code != Code::kConflict) {
      logger_.Log(LogLevel::kError, "keyring", "failed to rotate a key at its encryption limit",
                  {{"key", name}, {"why", rotated.error().message}});
    }
    return {};
  });
}

}  // namespace coffer::keyring
