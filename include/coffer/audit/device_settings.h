#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coffer/base/result.h"

namespace coffer::audit {

// A file or a named pipe keeps lines; the others hand them to the kernel, which may lose them.
enum class DeviceType { kFile, kStdout, kStderr, kSyslog, kSocket };
enum class Transport { kTcp, kUdp, kUnix };

// The settings of an audit device, as an operator gives them.
struct DeviceSettings {
  std::string path;  // its name in the API, with a slash at the end: "file/"
  std::string description;
  DeviceType type = DeviceType::kFile;
  std::filesystem::path file;
  // "10.0.0.1:514", or the path of a Unix socket: of a socket, and of the system's log.
  std::string address;
  Transport transport = Transport::kTcp;
  std::chrono::milliseconds write_wait{2000};  // of a socket
  int facility = 4;                            // of the system's log: "AUTH"
  std::string tag = "coffer";
  bool hmac_accessor = true;
  bool always_sync = false;         // every record is on the disk before the answer
  std::uint64_t rotate_octets = 0;  // 0: never by size
  bool local = false;               // kept for clients, without effect
  bool declared = false;            // in the configuration: the API cannot disable it

  // Both name the same place.
  bool SameTarget(const DeviceSettings& other) const {
    return type == other.type && file == other.file && address == other.address &&
           transport == other.transport;
  }
};

// "file", "syslog" or "socket", as the API and the configuration name the type.
std::string_view TypeName(DeviceType type);
// Begins settings of a type of that name. kInvalid.
Result<DeviceSettings> SettingsOfType(std::string_view type);
// Takes over one option. kInvalid, "audit option NAME: WHY", also for options that the type has not
// and for safeguards that this server cannot give: whoever asks for one must get it.
Status SetOption(DeviceSettings& settings, std::string_view name, const std::string& text);
// After the last option: whether they fit together.
Status CheckSettings(const DeviceSettings& settings);
// "/var/log/audit.log", "stdout", "tcp://10.0.0.1:514": for logs and errors.
std::string TargetName(const DeviceSettings& settings);
// The options with which the settings can be made again.
std::vector<std::pair<std::string_view, std::string>> OptionsOf(const DeviceSettings& settings);

}  // namespace coffer::audit
