#include "http/memory_budget.h"

#include <string>

namespace coffer::http {

bool MemoryBudget::HasRoom(Owner owner, std::size_t bytes, Limit& met) const {
  const auto found = used_.find(owner);
  const std::size_t others = found == used_.end() ? 0 : found->second;
  if (owner == kUnknownOwner) {
    met = {for_unknown_, "bytes together without a valid token"};
    return others + bytes <= for_unknown_;
  }
  met = {for_known_, "bytes together"};
  if (used_by_known_ + bytes > for_known_) return false;
  // An owner that holds nothing else may take all of this part for one request: the quarter binds
  // it only from its second request on.
  met = {for_known_ / 4, "bytes together for one token"};
  return others == 0 || others + bytes <= for_known_ / 4;
}

void MemoryBudget::Add(Owner owner, std::size_t bytes) {
  if (bytes == 0) return;
  used_[owner] += bytes;
  if (owner != kUnknownOwner) used_by_known_ += bytes;
}

void MemoryBudget::Give(Owner owner, std::size_t bytes) {
  if (bytes == 0) return;
  const auto found = used_.find(owner);
  if ((found->second -= bytes) == 0) used_.erase(found);
  if (owner != kUnknownOwner) used_by_known_ -= bytes;
}

std::size_t MemoryBudget::Used() const {
  const std::lock_guard lock(mutex_);
  const auto unknown = used_.find(kUnknownOwner);
  return used_by_known_ + (unknown == used_.end() ? 0 : unknown->second);
}

bool MemoryBudget::Share::Change(Owner owner, std::size_t bytes, bool always) {
  if (bytes <= kFree) bytes = 0;
  if (held_ == 0 && bytes == 0) {  // nearly every request: nothing is locked
    owner_ = owner;
    return true;
  }
  const std::lock_guard lock(budget_->mutex_);
  budget_->Give(owner_, held_);
  const bool grows = owner != owner_ || bytes > held_;
  if (grows && !always && !budget_->HasRoom(owner, bytes, met_)) {
    budget_->Add(owner_, held_);
    return false;
  }
  budget_->Add(owner, bytes);
  owner_ = owner;
  held_ = bytes;
  return true;
}

bool MemoryBudget::Share::Ask(Owner owner, std::size_t bytes) {
  return Change(owner, bytes, false);
}

void MemoryBudget::Share::Note(Owner owner, std::size_t bytes) {
  static_cast<void>(Change(owner, bytes, true));
}

Error MemoryBudget::Share::Full() const {
  return {Code::kUnavailable, "too many large requests at once, try again: at most " +
                                  std::to_string(met_.bytes) + " " + std::string(met_.unit)};
}

Status MemoryBudget::Share::Take(std::size_t bytes) {
  if (!Ask(owner_, held_ + bytes)) return Fail(Full());
  return {};
}

}  // namespace coffer::http
