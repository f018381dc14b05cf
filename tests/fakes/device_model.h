#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include <atomic>

namespace coffer::fakes {

// Does to its callers what a token does that is a device of its own, for a module that passes calls
// on to SoftHSM: each operation takes some time in which others go on, sessions are few and are
// lost at times, and the device fails in bursts. Everything is off until it is set, by a test in
// the same process through the members, or by the environment of the process that loads the module:
//   COFFER_TEST_LATENCY_US           microseconds that each operation takes longer
//   COFFER_TEST_MAX_SESSIONS         C_OpenSession refuses a further one (CKR_SESSION_COUNT)
//   COFFER_TEST_DROP_SESSION_EVERY   each operation of this number finds its session closed
//   COFFER_TEST_DEVICE_ERROR_EVERY   after so many operations ...
//   COFFER_TEST_DEVICE_ERRORS        ... so many answer CKR_DEVICE_ERROR (1 where not given)
//   COFFER_TEST_DEVICE_REPORT        a file to which C_Finalize writes what was measured
// An operation is a call that a device works for: Encrypt, Decrypt, Sign, GenerateRandom and those
// that make, wrap, unwrap and derive keys. Thread-safe.
class DeviceModel {
 public:
  std::atomic<long> latency_us{FromEnvironment("COFFER_TEST_LATENCY_US", 0)};
  std::atomic<long> max_sessions{FromEnvironment("COFFER_TEST_MAX_SESSIONS", 0)};
  std::atomic<long> drop_session_every{FromEnvironment("COFFER_TEST_DROP_SESSION_EVERY", 0)};
  std::atomic<long> device_error_every{FromEnvironment("COFFER_TEST_DEVICE_ERROR_EVERY", 0)};
  std::atomic<long> device_errors{FromEnvironment("COFFER_TEST_DEVICE_ERRORS", 1)};

  long Operations() const { return operations_.load(); }
  long OpenSessions() const { return open_sessions_.load(); }
  // The most operations that were under way at once.
  long MostAtOnce() const { return most_at_once_.load(); }
  // The mean time that an operation was made to take, in nanoseconds, as it was measured.
  long MeanLatency() const {
    const long count = operations_.load();
    return count == 0 ? 0 : waited_ns_.load() / count;
  }

  // Takes the time of one operation; what becomes of it.
  enum class Outcome { kDone, kSessionLost, kDeviceError };
  Outcome Operate() {
    const long number = ++operations_;
    const long at_once = ++at_once_;
    for (long most = most_at_once_; most < at_once;) {
      if (most_at_once_.compare_exchange_weak(most, at_once)) break;
    }
    Wait();
    --at_once_;
    if (const long every = drop_session_every; every > 0 && number % every == 0) {
      return Outcome::kSessionLost;
    }
    if (const long every = device_error_every; every > 0) {
      const long burst = device_errors;
      const long place = (number - 1) % (every + burst);
      if (place >= every) return Outcome::kDeviceError;
    }
    return Outcome::kDone;
  }

  // True if the device has a further session to give, which is then counted.
  bool TakeSession() {
    const long most = max_sessions;
    for (long open = open_sessions_;;) {
      if (most > 0 && open >= most) return false;
      if (open_sessions_.compare_exchange_weak(open, open + 1)) return true;
    }
  }
  void GiveSession() { --open_sessions_; }
  void GiveAllSessions() { open_sessions_ = 0; }

  void Report() const {
    const char* const file = ::getenv("COFFER_TEST_DEVICE_REPORT");
    std::FILE* const out = file == nullptr ? nullptr : ::fopen(file, "ae");
    if (out == nullptr) return;
    ::fprintf(out, "operations=%ld mean_latency_ns=%ld most_at_once=%ld\n", Operations(),
              MeanLatency(), MostAtOnce());
    ::fclose(out);
  }

 private:
  static long FromEnvironment(const char* name, long otherwise) {
    const char* const told = ::getenv(name);
    return told == nullptr ? otherwise : ::strtol(told, nullptr, 10);
  }
  static long Now() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1'000'000'000 + time.tv_nsec;
  }
  // The thread sleeps and does not spin, because the device's processor is not the server's: a loop
  // would take away what the server, its clients and the audit trail run on.
  void Wait() {
    const long microseconds = latency_us;
    if (microseconds <= 0) return;
    // Else the kernel lets each sleep last up to 50 us longer.
    thread_local const int exact = ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    (void)exact;
    const long begun = Now();
    const timespec time{microseconds / 1'000'000, microseconds % 1'000'000 * 1'000};
    ::clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
    waited_ns_ += Now() - begun;
  }

  std::atomic<long> operations_{0};
  std::atomic<long> open_sessions_{0};
  std::atomic<long> at_once_{0};
  std::atomic<long> most_at_once_{0};
  std::atomic<long> waited_ns_{0};
};

}  // namespace coffer::fakes
