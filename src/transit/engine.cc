#include "coffer/transit/engine.h"

#include <chrono>

namespace coffer::transit {

Engine::Engine(keyring::KeyRing& keys, coffer::Random& random, const EngineSettings& settings)
    : keys_(keys), random_(random), settings_(settings) {}

void Engine::AddJobs(Scheduler& scheduler) {
  // The shortest period is an hour; a minute's delay does no harm.
  scheduler.AddPeriodic("rotate-due-keys", std::chrono::minutes(1), [this](SystemTime now) {
    // A failed key stays due and is tried again by the next run; the key ring logs it.
    static_cast<void>(keys_.RotateDue(now));
  });
}

}  // namespace coffer::transit
