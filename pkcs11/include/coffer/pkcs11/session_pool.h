#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "coffer/base/result.h"
#include "coffer/pkcs11/module.h"
#include "coffer/pkcs11/session.h"

namespace coffer::pkcs11 {

// A bounded set of sessions of one slot, made on demand and lent for one operation each. A session
// that comes back Broken is closed, not lent again. Thread-safe with Threading::kOsLocking. The
// Module must outlive the pool, and the pool its loans; the login must be held by a keeper session
// of the caller's own.
class SessionPool {
 public:
  SessionPool(Module& module, SlotId slot, std::size_t max_sessions);
  ~SessionPool();

  // A loan: gives the session back when destroyed.
  class Loan {
   public:
    Loan(Loan&&) noexcept;
    Loan& operator=(Loan&&) = delete;
    ~Loan();
    Session& operator*() const;
    Session* operator->() const;

   private:
    friend class SessionPool;
    Loan(SessionPool* pool, std::unique_ptr<Session> session);
    SessionPool* pool_;
    std::unique_ptr<Session> session_;
  };

  // Waits at most `wait` for a free session; then kUnavailable.
  Result<Loan> Borrow(std::chrono::milliseconds wait);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::pkcs11
