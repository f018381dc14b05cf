#include "coffer/pkcs11/session_pool.h"

#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

namespace coffer::pkcs11 {

struct SessionPool::Impl {
  Impl(Module& owner, SlotId where, std::size_t max) : module(owner), slot(where), max_open(max) {
    idle.reserve(max);  // giving back must not allocate
  }

  void GiveBack(std::unique_ptr<Session> session) {
    if (session->Broken()) session.reset();  // closes it outside the lock
    {
      const std::lock_guard lock(mutex);
      if (session == nullptr) {
        --open;
      } else {
        idle.push_back(std::move(session));
      }
    }
    changed.notify_one();
  }

  Module& module;
  const SlotId slot;
  const std::size_t max_open;

  std::mutex mutex;  // guards the members below
  std::condition_variable changed;
  std::vector<std::unique_ptr<Session>> idle;
  std::size_t open = 0;  // idle, lent and being opened
};

SessionPool::SessionPool(Module& module, SlotId slot, std::size_t max_sessions)
    : impl_(std::make_unique<Impl>(module, slot, max_sessions)) {}

SessionPool::~SessionPool() = default;

Result<SessionPool::Loan> SessionPool::Borrow(std::chrono::milliseconds wait) {
  std::unique_lock lock(impl_->mutex);
  const auto free = [this] { return !impl_->idle.empty() || impl_->open < impl_->max_open; };
  if (!impl_->changed.wait_for(lock, wait, free)) {
    return Fail(Code::kUnavailable, "the token is busy",
                "no session came free among " + std::to_string(impl_->max_open));
  }
  std::vector<std::unique_ptr<Session>> stale;  // closed after the lock is gone
  while (!impl_->idle.empty()) {
    std::unique_ptr<Session> session = std::move(impl_->idle.back());
    impl_->idle.pop_back();
    if (!session->Broken()) return Loan(this, std::move(session));
    --impl_->open;
    stale.push_back(std::move(session));
  }
  ++impl_->open;
  lock.unlock();
  Result<Session> opened = impl_->module.OpenSession(impl_->slot);
  if (!opened) {
    lock.lock();
    --impl_->open;
    lock.unlock();
    impl_->changed.notify_one();
    return Fail(std::move(opened).error());
  }
  return Loan(this, std::make_unique<Session>(*std::move(opened)));
}

SessionPool::Loan::Loan(SessionPool* pool, std::unique_ptr<Session> session)
    : pool_(pool), session_(std::move(session)) {}

SessionPool::Loan::Loan(Loan&&) noexcept = default;

SessionPool::Loan::~Loan() {
  if (session_ != nullptr) pool_->impl_->GiveBack(std::move(session_));
}

Session& SessionPool::Loan::operator*() const { return *session_; }
Session* SessionPool::Loan::operator->() const { return session_.get(); }

}  // namespace coffer::pkcs11
