#include "server/start_check.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "coffer/audit/target_check.h"
#include "coffer/http/server.h"
#include "coffer/pkcs11/module.h"
#include "server/locked_database.h"
#include "server/token/pin_guard.h"
#include "server/token/trusted_path.h"

namespace coffer::server {
namespace {

namespace fs = std::filesystem;

struct Place {
  std::string_view what;
  fs::path path;
};

std::vector<Place> PlacesOf(const Config& config) {
  std::vector<Place> places{
      {"the module", config.token.module},
      {"the softhsm configuration", config.softhsm_config},
      {"the data directory", config.data_directory},
      {"the token directory", config.token.objects_directory},
      {"the directory of module copies", config.token.copies_directory},
  };
  if (!config.accept_readable_pin) {  // else somebody else made the file, as containers do
    places.push_back({"the PIN file", config.pin_file});
    places.push_back({"the SO PIN file", config.so_pin_file});
  }
  std::erase_if(places, [](const Place& place) { return place.path.empty(); });
  return places;
}

// Checks the module's file. If its path is not trusted the module is not loaded, since its code
// would run.
Status CheckModule(const Config& config) {
  if (!CheckTrustedPath("", config.token.module)) return {};
  // Another check reports a data directory that is missing.
  std::error_code error;
  const fs::path& copies = config.token.copies_directory;
  if (copies == config.data_directory && !fs::is_directory(copies, error)) return {};
  const std::string name = "check-" + std::to_string(::getpid()) + ".so";
  return pkcs11::Module::Probe(config.token.module, config.token.copies_directory / name);
}

Status CheckPin(const Config& config) {
  COFFER_ASSIGN(const PinSource source, FindUserPin(config));
  COFFER_TRY(PinGuard(source, RejectedPinFile(config)).Check());
  if (source.IsTyped()) return {};
  COFFER_TRY(source.Read());
  return {};
}

Status CheckAuditDevice(const audit::DeviceSettings& device) {
  const Status writable = audit::CheckTarget(device);
  if (writable) return {};
  return Fail(writable.error().code,
              "audit device " + device.path + ": " + writable.error().message);
}

}  // namespace

Status CheckPlaces(const Config& config) {
  for (const Place& place : PlacesOf(config)) COFFER_TRY(CheckTrustedPath(place.what, place.path));
  return {};
}

std::vector<Error> FindUseless(const Config& config) {
  std::vector<Error> useless;
  for (const auto& [what, path] : {std::pair{"audit_directory", config.audit_directory},
                                   std::pair{"backup_directory", config.backup_directory}}) {
    if (path.empty()) continue;
    std::error_code error;
    const bool directory = fs::is_directory(path, error);
    if (directory && ::access(path.c_str(), W_OK | X_OK) == 0) continue;
    const std::string why = !directory && !error ? "it is no directory"
                            : directory          ? std::strerror(errno)
                                                 : error.message();
    useless.push_back({Code::kUnavailable,
                       std::string(what) + " " + path.string() + " cannot be used: " + why,
                       {}});
  }
  return useless;
}

std::vector<Error> FindRefusals(const Config& config) {
  std::vector<Error> refusals;
  const auto add = [&](const Status& checked) {
    if (!checked) refusals.push_back(checked.error());
  };
  for (const Place& place : PlacesOf(config)) add(CheckTrustedPath(place.what, place.path));
  add(CheckDataDirectory(config));
  add(CheckPin(config));
  add(CheckModule(config));
  for (const auto* const listeners : {&config.http.listeners, &config.health_listeners}) {
    for (const http::Listener& listener : *listeners) add(http::Server::Check(listener));
  }
  for (const audit::DeviceSettings& device : config.audit_devices) add(CheckAuditDevice(device));
  for (Error& error : FindUseless(config)) refusals.push_back(std::move(error));
  return refusals;
}

}  // namespace coffer::server
