#include "coffer/audit/device_settings.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "coffer/base/parse.h"

namespace coffer::audit {
namespace {

// The names of the facilities, in the order of their numbers (syslog(3)).
constexpr std::array<std::string_view, 24> kFacilities{
    "KERN",   "USER",   "MAIL",     "DAEMON", "AUTH",   "SYSLOG",   "LPR",     "NEWS",
    "UUCP",   "CRON",   "AUTHPRIV", "FTP",    "NTP",    "SECURITY", "CONSOLE", "SOLARIS-CRON",
    "LOCAL0", "LOCAL1", "LOCAL2",   "LOCAL3", "LOCAL4", "LOCAL5",   "LOCAL6",  "LOCAL7"};
constexpr std::array<std::string_view, 3> kTransports{"tcp", "udp", "unix"};
constexpr const char* kSystemLog = "/dev/log";

auto Refused(std::string_view name, std::string_view why) {
  return Fail(Code::kInvalid, "audit option " + std::string(name) + ": " + std::string(why));
}

// Sets the file. Vault has names for targets that are no file, such as "stdout".
Status SetFile(DeviceSettings& settings, std::string_view name, const std::string& text) {
  if (text == "discard" || text == "/dev/null") {
    return Refused(name, "a device that discards its records is none: leave it out");
  }
  settings.type = DeviceType::kFile;
  settings.file.clear();
  if (text == "stdout" || text == "/dev/stdout") {
    settings.type = DeviceType::kStdout;
  } else if (text == "stderr" || text == "/dev/stderr") {
    settings.type = DeviceType::kStderr;
  } else {
    settings.file = text;
  }
  return {};
}

// Options of Vault's that every type has, and that this server has in one form only.
Status SetCommon(DeviceSettings& settings, std::string_view name, const std::string& text) {
  const auto flag = ParseBool(text);
  if (name == "hmac_accessor") {
    if (!flag) return Refused(name, "expected a boolean");
    settings.hmac_accessor = *flag;
    return {};
  }
  if (name == "log_raw" || name == "elide_list_responses") {
    return flag && !*flag ? Status{} : Refused(name, "not available on this server");
  }
  if (name == "format") return text == "json" ? Status{} : Refused(name, "only json is available");
  if (name == "prefix") {
    return text.empty() ? Status{} : Refused(name, "not available on this server");
  }
  return Refused(name, "unknown for a device of type " + std::string(TypeName(settings.type)));
}

Status SetFileOption(DeviceSettings& settings, std::string_view name, const std::string& text) {
  if (name == "file_path" || name == "path") return SetFile(settings, name, text);
  if (name == "sync") {
    if (text != "always" && text != "usual") return Refused(name, "expected always or usual");
    settings.always_sync = text == "always";
    return {};
  }
  if (name == "rotate_bytes") {
    const auto number = ParseInt64(text);
    // A file must hold far more than the entries that say it was opened.
    constexpr std::int64_t kSmallestRotation = 65'536;
    if (!number || (*number != 0 && *number < kSmallestRotation)) {
      return Refused(name, "expected a number of bytes, 65536 or more, or 0 for no rotation");
    }
    settings.rotate_octets = static_cast<std::uint64_t>(*number);
    return {};
  }
  if (name == "mode") {
    return text == "0600" || text == "0" ? Status{}
                                         : Refused(name, "files are made with mode 0600");
  }
  return SetCommon(settings, name, text);
}

Status SetLogOption(DeviceSettings& settings, std::string_view name, const std::string& text) {
  if (name == "tag") {
    const bool plain =
        !text.empty() && text.size() <= 32 && std::all_of(text.begin(), text.end(), [](char c) {
          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '-' || c == '_' || c == '.';
        });
    if (!plain) return Refused(name, "expected up to 32 letters, digits and -_.");
    settings.tag = text;
    return {};
  }
  if (name == "facility") {
    const auto* const found = std::find(kFacilities.begin(), kFacilities.end(), text);
    if (found == kFacilities.end()) return Refused(name, "expected a name such as AUTH or LOCAL0");
    settings.facility = static_cast<int>(found - kFacilities.begin());
    return {};
  }
  return SetCommon(settings, name, text);
}

Status SetSocketOption(DeviceSettings& settings, std::string_view name, const std::string& text) {
  if (name == "address") {
    settings.address = text;
    return {};
  }
  if (name == "socket_type") {
    const auto* const found = std::find(kTransports.begin(), kTransports.end(), text);
    if (found == kTransports.end()) return Refused(name, "expected tcp, udp or unix");
    settings.transport = static_cast<Transport>(found - kTransports.begin());
    return {};
  }
  if (name == "write_timeout") {
    const auto seconds = ParseDurationSeconds(text);
    if (!seconds || *seconds < 1 || *seconds > 5) return Refused(name, "expected 1s to 5s");
    settings.write_wait = std::chrono::seconds(*seconds);
    return {};
  }
  return SetCommon(settings, name, text);
}

// "host:port", or "[::1]:port".
bool IsHostAndPort(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const auto port = ParseInt64(address.substr(colon + 1));
  return port && *port >= 1 && *port <= 65535;
}

}  // namespace

std::string_view TypeName(DeviceType type) {
  if (type == DeviceType::kSyslog) return "syslog";
  return type == DeviceType::kSocket ? "socket" : "file";
}

Result<DeviceSettings> SettingsOfType(std::string_view type) {
  DeviceSettings settings;
  if (type == "syslog") {
    settings.type = DeviceType::kSyslog;
    settings.address = kSystemLog;
  } else if (type == "socket") {
    settings.type = DeviceType::kSocket;
  } else if (type != "file") {
    const bool stream = type == "stdout" || type == "stderr";
    const std::string name(type);
    return Fail(Code::kInvalid,
                "an audit device is \"file\", \"syslog\" or \"socket\", not \"" + name + "\"" +
                    (stream ? ": it is of type \"file\", with file_path=" + name : ""));
  }
  return settings;
}

Status SetOption(DeviceSettings& settings, std::string_view name, const std::string& text) {
  if (settings.type == DeviceType::kSyslog) return SetLogOption(settings, name, text);
  if (settings.type == DeviceType::kSocket) return SetSocketOption(settings, name, text);
  return SetFileOption(settings, name, text);
}

Status CheckSettings(const DeviceSettings& settings) {
  constexpr std::size_t kMostPathBytes = 256;
  constexpr std::size_t kMostDescriptionBytes = 4096;
  if (settings.path.size() > kMostPathBytes) {
    return Fail(Code::kInvalid, "the name of an audit device has at most " +
                                    std::to_string(kMostPathBytes) + " bytes");
  }
  if (settings.description.size() > kMostDescriptionBytes) {
    return Fail(Code::kInvalid, "the description of an audit device has at most " +
                                    std::to_string(kMostDescriptionBytes) + " bytes");
  }
  switch (settings.type) {
    case DeviceType::kFile:
      if (settings.file.empty()) return Fail(Code::kInvalid, "file_path is required");
      break;
    case DeviceType::kStdout:
    case DeviceType::kStderr:
      if (settings.always_sync) return Refused("sync", "a stream cannot be synced");
      if (settings.rotate_octets != 0) return Refused("rotate_bytes", "a stream has no size");
      break;
    case DeviceType::kSyslog:
      break;
    case DeviceType::kSocket:
      if (settings.address.empty()) return Fail(Code::kInvalid, "address is required");
      if (settings.transport == Transport::kUnix ? settings.address.front() != '/'
                                                 : !IsHostAndPort(settings.address)) {
        return Refused("address", "expected HOST:PORT, or the absolute path of a Unix socket");
      }
      break;
  }
  return {};
}

std::string TargetName(const DeviceSettings& settings) {
  switch (settings.type) {
    case DeviceType::kStdout:
      return "stdout";
    case DeviceType::kStderr:
      return "stderr";
    case DeviceType::kSyslog:
      return settings.address;
    case DeviceType::kSocket:
      return std::string(kTransports[static_cast<std::size_t>(settings.transport)]) + "://" +
             settings.address;
    case DeviceType::kFile:
      break;
  }
  return settings.file.string();
}

std::vector<std::pair<std::string_view, std::string>> OptionsOf(const DeviceSettings& settings) {
  std::vector<std::pair<std::string_view, std::string>> options;
  switch (settings.type) {
    case DeviceType::kFile:
      options.emplace_back("file_path", settings.file.string());
      options.emplace_back("sync", settings.always_sync ? "always" : "usual");
      options.emplace_back("rotate_bytes", std::to_string(settings.rotate_octets));
      break;
    case DeviceType::kStdout:
    case DeviceType::kStderr:
      options.emplace_back("file_path", settings.type == DeviceType::kStdout ? "stdout" : "stderr");
      break;
    case DeviceType::kSyslog:
      options.emplace_back("facility", kFacilities[static_cast<std::size_t>(settings.facility)]);
      options.emplace_back("tag", settings.tag);
      break;
    case DeviceType::kSocket: {
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(settings.write_wait);
      options.emplace_back("address", settings.address);
      options.emplace_back("socket_type",
                           kTransports[static_cast<std::size_t>(settings.transport)]);
      options.emplace_back("write_timeout", std::to_string(seconds.count()) + "s");
      break;
    }
  }
  options.emplace_back("hmac_accessor", settings.hmac_accessor ? "true" : "false");
  return options;
}

}  // namespace coffer::audit
