#pragma once

// The settings of audit devices: reading them from options, checking them, and naming their
// targets. The configuration, the API and the broker pass them around by value. Plain data and
// functions, for any thread. Errors: kInvalid, naming the option.
// Example: `auto settings = SettingsOfType("file"); SetOption(*settings, "file_path", path);`

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coffer/base/result.h"

namespace coffer::audit {

// The kind of a device. A file or a named pipe keeps its lines; the other kinds hand them to the
// kernel, which may lose them.
enum class DeviceType { kFile, kStdout, kStderr, kSyslog, kSocket };
enum class Transport { kTcp, kUdp, kUnix };

// The settings of an audit device, as an operator gives them.
struct DeviceSettings {
  std::string path;  // its name in the API, with a slash at the end: "file/"
  std::string description;
  DeviceType type = DeviceType::kFile;
  std::filesystem::path file;
  // The address of a socket or of the system's log: "10.0.0.1:514", or the path of a Unix socket.
  std::string address;
  Transport transport = Transport::kTcp;
  std::chrono::milliseconds write_wait{2000};  // for a socket
  int facility = 4;                            // for the system's log; 4 is "AUTH"
  std::string tag = "coffer";
  bool hmac_accessor = true;
  bool always_sync = false;         // every record is on the disk before the answer
  std::uint64_t rotate_octets = 0;  // 0: never by size
  bool local = false;               // kept for clients, without effect
  bool declared = false;            // in the configuration: the API cannot disable it

  // True if both lead to the same place.
  bool SameTarget(const DeviceSettings& other) const {
    return type == other.type && file == other.file && address == other.address &&
           transport == other.transport;
  }
};

// "file", "syslog" or "socket", as the API and the configuration name the type.
std::string_view TypeName(DeviceType type);
// Returns the default settings of the type of that name. kInvalid if there is none.
Result<DeviceSettings> SettingsOfType(std::string_view type);
// Sets one option. kInvalid, "audit option NAME: WHY", also for options that the type does not have
// and for safeguards that this server cannot give: nobody may believe that he has one that he has
// not.
Status SetOption(DeviceSettings& settings, std::string_view name, const std::string& text);
// Checks whether the options fit together; to be called after the last one.
Status CheckSettings(const DeviceSettings& settings);
// Names the target for logs and errors: "/var/log/audit.log", "stdout", "tcp://10.0.0.1:514".
std::string TargetName(const DeviceSettings& settings);
// Returns the options from which the same settings can be made again.
std::vector<std::pair<std::string_view, std::string>> OptionsOf(const DeviceSettings& settings);

}  // namespace coffer::audit
