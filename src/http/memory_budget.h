#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "coffer/base/literal_text.h"
#include "coffer/base/result.h"
#include "coffer/http/handler.h"

namespace coffer::http {

// The memory that all requests of a server hold together. A part of it is for the requests of all
// unknown clients together; of the rest one known owner has at most a quarter, but always one
// request. Thread-safe.
class MemoryBudget {
 public:
  // A request that holds no more than this is not counted: every connection may have one.
  static constexpr std::size_t kFree = 4UL * 1024;

  MemoryBudget(std::size_t limit, std::size_t for_unknown)
      : for_unknown_(for_unknown), for_known_(limit - for_unknown) {}

  struct Limit {
    std::size_t bytes = 0;
    LiteralText unit;
  };

  // Counts the memory that one request holds, whether its connection has it or it is parked. One
  // thread at a time.
  class Share final : public Memory {
   public:
    explicit Share(std::shared_ptr<MemoryBudget> budget) : budget_(std::move(budget)) {}
    ~Share() override { Note(kUnknownOwner, 0); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    // Counts `bytes` for `owner` in place of what this share counted before. False if there is no
    // room for that: nothing has changed then, and Met() is the limit.
    bool Ask(Owner owner, std::size_t bytes);
    const Limit& Met() const { return met_; }
    // Does the same for memory that is held already, whether there is room or not.
    void Note(Owner owner, std::size_t bytes);
    Owner Whose() const { return owner_; }
    // The error that says which limit was met.
    Error Full() const;
    void SetOwner(Owner owner) override { Note(owner, held_); }
    Status Take(std::size_t bytes) override;

   private:
    bool Change(Owner owner, std::size_t bytes, bool always);
    const std::shared_ptr<MemoryBudget> budget_;
    Owner owner_ = kUnknownOwner;
    std::size_t held_ = 0;
    Limit met_;
  };

  std::size_t Used() const;

 private:
  // These three are called under mutex_. If HasRoom() is false, `met` is the limit.
  bool HasRoom(Owner owner, std::size_t bytes, Limit& met) const;
  void Give(Owner owner, std::size_t bytes);
  void Add(Owner owner, std::size_t bytes);

  const std::size_t for_unknown_;
  const std::size_t for_known_;
  mutable std::mutex mutex_;
  // Protected by mutex_. Every owner that holds something.
  std::unordered_map<Owner, std::size_t> used_;
  std::size_t used_by_known_ = 0;
};

}  // namespace coffer::http
