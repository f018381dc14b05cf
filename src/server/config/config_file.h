#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "coffer/base/result.h"
#include "coffer/hcl/object_reader.h"
#include "server/config/config.h"

namespace coffer::server {

// Reads one file, or all *.hcl and *.json of a directory in the order of their names. kInvalid
// "FILE: line L, column C: ..." for what is not understood, unknown keys too; for files that others
// can change.
Result<Config> ReadConfig(const std::filesystem::path& path);

// The settings that the server would run with, as a configuration file. Defaults are filled in; it
// never holds a secret.
std::string EffectiveSettings(const Config& config);

// One kind of block of the configuration file. A new one is a file that defines Read and Print, a
// declaration below, and a row in config_file.cc.
struct ConfigSection {
  std::string_view name;
  std::size_t labels = 0;
  bool repeats = false;  // else once in all files together
  Status (*read)(const hcl::Block& block, Config& config) = nullptr;
  void (*print)(const Config& config, std::string& out) = nullptr;
};

Status ReadListener(const hcl::Block& block, Config& config);
void PrintListeners(const Config& config, std::string& out);
Status ReadStorage(const hcl::Block& block, Config& config);
void PrintStorage(const Config& config, std::string& out);
Status ReadToken(const hcl::Block& block, Config& config);
void PrintToken(const Config& config, std::string& out);
Status ReadAudit(const hcl::Block& block, Config& config);
void PrintAudit(const Config& config, std::string& out);
Status ReadLimits(const hcl::Block& block, Config& config);
void PrintLimits(const Config& config, std::string& out);
Status ReadTelemetry(const hcl::Block& block, Config& config);
void PrintTelemetry(const Config& config, std::string& out);
Status ReadLog(hcl::ObjectReader& reader, LogSettings& log);
void PrintLog(const LogSettings& log, std::string& out);
// A listener's own block: whether it shows metrics without a token.
Result<bool> ReadListenerTelemetry(hcl::ObjectReader& listener);

// "  name = value\n", for Print.
void PrintText(std::string_view name, std::string_view value, std::string& out);
void PrintBoolean(std::string_view name, bool value, std::string& out);
void PrintInteger(std::string_view name, std::int64_t value, std::string& out);
void PrintSeconds(std::string_view name, std::chrono::milliseconds value, std::string& out);

// The text as an absolute path; `at` is where it stands.
Result<std::filesystem::path> AbsolutePath(std::string_view name, const std::string& text,
                                           hcl::Position at);

}  // namespace coffer::server
