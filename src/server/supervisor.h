#pragma once

#include <chrono>
#include <string_view>

namespace coffer::server {

// Speaks to systemd where it started us (Type=notify); silent elsewhere. One thread.
class Supervisor {
 public:
  static void Ready() { Say("READY=1"); }
  static void Stopping() { Say("STOPPING=1"); }
  static void Alive() { Say("WATCHDOG=1"); }
  // How often Alive() is wanted: half of what the unit's WatchdogSec allows; zero: not at all.
  static std::chrono::microseconds AlivePeriod();

 private:
  static void Say(std::string_view state);
};

}  // namespace coffer::server
