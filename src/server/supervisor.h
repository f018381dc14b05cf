#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace coffer::server {

// Tells systemd the state of the server, if systemd started it with Type=notify; else it does
// nothing. Any thread.
class Supervisor {
 public:
  static void Ready() { Notify("READY=1"); }
  static void Stopping() { Notify("STOPPING=1"); }
  static void Alive() { Notify("WATCHDOG=1"); }
  // Sets the text that `systemctl status` shows; an empty one shows nothing.
  static void Say(std::string_view status) { Notify("STATUS=" + std::string(status)); }
  // The period at which Alive() must be called: half of the unit's WatchdogSec; zero if it need not
  // be called.
  static std::chrono::microseconds AlivePeriod();

 private:
  static void Notify(const std::string& state);
};

}  // namespace coffer::server
