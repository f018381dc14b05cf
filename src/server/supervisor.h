#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace coffer::server {

// Speaks to systemd where it started us (Type=notify); silent elsewhere. Any thread.
class Supervisor {
 public:
  static void Ready() { Notify("READY=1"); }
  static void Stopping() { Notify("STOPPING=1"); }
  static void Alive() { Notify("WATCHDOG=1"); }
  // Sets the text that `systemctl status` shows; an empty one shows nothing.
  static void Say(std::string_view status) { Notify("STATUS=" + std::string(status)); }
  // How often Alive() is wanted: half of what the unit's WatchdogSec allows; zero: not at all.
  static std::chrono::microseconds AlivePeriod();

 private:
  static void Notify(const std::string& state);
};

}  // namespace coffer::server
