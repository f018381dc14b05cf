// Rotations that no request asked for: the keys that are due are rotated one after another, and the
// witness is told.

#include <iterator>
#include <string>
#include <utility>

#include "keyring/key_ring_impl.h"

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

KeyRing::Changed KeyRing::Impl::RotateUnasked(const Id& mount, std::string_view name,
                                              std::string_view reason,
                                              const std::function<Changed()>& rotate) const {
  if (witness == nullptr) return rotate();
  COFFER_TRY(witness->Begun(mount, name, reason));
  Changed changed = rotate();
  witness->Ended(mount, name, changed ? Status{} : Fail(changed.error()));
  return changed;
}

void KeyRing::SetRotationWitness(RotationWitness& witness) { impl_->witness = &witness; }

Status KeyRing::RotateDue(SystemTime now) {
  return impl_->custodian.Run([&](Token&) -> Status {
    if (!impl_->due.empty()) return {};  // the last call's are being rotated
    COFFER_ASSIGN(auto places, store::DueForRotation(impl_->database, now));
    impl_->due.assign(std::make_move_iterator(places.begin()),
                      std::make_move_iterator(places.end()));
    impl_->QueueNextDue();
    return {};
  });
}

// Rotates one key, then lets other work that waits for the custodian run. A key that could not be
// rotated stays due.
void KeyRing::Impl::QueueNextDue() {
  if (due.empty()) return;
  const Status queued = custodian.Submit([this](Token&) -> Status {
    Status done = RotateOneDue(due.front());
    const bool lost = !done && done.error().code == Code::kTokenLost;
    due.erase(due.begin(), lost ? due.end() : due.begin() + 1);
    QueueNextDue();
    return done;
  });
  if (!queued) due.clear();
}

Status KeyRing::Impl::RotateOneDue(const store::KeyPlace& place) {
  const Actor actor{"auto-rotate", "scheduled"};
  const Edit edit = [&](Token& token, Key& key, std::vector<int>& new_versions) -> Status {
    if (!IsDue(key, clock.Now())) return Fail(Code::kConflict, "key was changed meanwhile");
    return RotateEdit(token, key, new_versions, actor);
  };
  const Changed done = RotateUnasked(place.mount, place.name, actor.reason,
                                     [&] { return ChangeKey(place.mount, place.name, edit); });
  // If the key was deleted or rotated since it was found due, nothing is left to do.
  const bool settled =
      done || done.error().code == Code::kConflict || done.error().code == Code::kNotFound;
  if (settled) return {};
  logger.Log(LogLevel::kError, "keyring", "failed to rotate a key that is due",
             {{"key", place.name}, {"why", done.error().message}});
  return Fail(done.error());
}

}  // namespace coffer::keyring
