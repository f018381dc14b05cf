#include "server/config/config_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "coffer/hcl/parse.h"
#include "server/token/trusted_path.h"

namespace coffer::server {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFiles = 100;
constexpr std::size_t kMaxFileOctets = 1024UL * 1024;
constexpr std::int64_t kMaxWorkers = 64;
constexpr std::int64_t kMaxDrainSeconds = 3600;

constexpr std::array kSections{
    ConfigSection{.name = "listener",
                  .labels = 1,
                  .repeats = true,
                  .read = ReadListener,
                  .print = PrintListeners},
    ConfigSection{.name = "storage",
                  .labels = 1,
                  .repeats = false,
                  .read = ReadStorage,
                  .print = PrintStorage},
    ConfigSection{
        .name = "token", .labels = 0, .repeats = false, .read = ReadToken, .print = PrintToken},
    ConfigSection{
        .name = "audit", .labels = 2, .repeats = true, .read = ReadAudit, .print = PrintAudit},
    ConfigSection{
        .name = "limits", .labels = 0, .repeats = false, .read = ReadLimits, .print = PrintLimits},
    ConfigSection{.name = "telemetry",
                  .labels = 0,
                  .repeats = false,
                  .read = ReadTelemetry,
                  .print = PrintTelemetry},
};

// Hints for settings that Vault has and this server does not have, or has in another place.
constexpr std::string_view kInAListener = "it stands in a listener block";
constexpr std::string_view kAlone = "this server is alone and redirects nobody";
constexpr std::array kHints{
    hcl::Hint{"ui", "there is no web interface"},
    hcl::Hint{"disable_mlock", "memory is not locked; keep the host from swapping to a plain disk"},
    hcl::Hint{"api_addr", kAlone},
    hcl::Hint{"cluster_addr", kAlone},
    hcl::Hint{"disable_clustering", kAlone},
    hcl::Hint{"ha_storage", kAlone},
    hcl::Hint{"service_registration", kAlone},
    hcl::Hint{"tls_disable", kInAListener},
    hcl::Hint{"tls_cert_file", kInAListener},
    hcl::Hint{"tls_key_file", kInAListener},
    hcl::Hint{"address", kInAListener},
    hcl::Hint{"backend", "the block is called storage"},
    hcl::Hint{"seal", "keys are sealed by the token: write a token block"},
    hcl::Hint{"pid_file", "the data directory's lock names the process"},
    hcl::Hint{"plugin_directory", "there are no plugins"},
    hcl::Hint{"default_lease_ttl", "nothing has a lease"},
    hcl::Hint{"max_lease_ttl", "nothing has a lease"},
};

bool Repeats(std::string_view name) {
  return std::any_of(kSections.begin(), kSections.end(), [&](const ConfigSection& section) {
    return section.name == name && section.repeats;
  });
}

Result<std::string> ReadWhole(const fs::path& file) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(std::fopen(file.c_str(), "rbe"),
                                                           &std::fclose);
  std::string text;
  std::array<char, 8192> block{};
  while (in != nullptr && text.size() <= kMaxFileOctets) {
    const std::size_t got = std::fread(block.data(), 1, block.size(), in.get());
    if (got == 0) break;
    text.append(block.data(), got);
  }
  if (in == nullptr || std::ferror(in.get()) != 0) {
    return Fail(Code::kInvalid, "failed to read " + file.string() + ": " + std::strerror(errno));
  }
  return text;
}

Result<std::vector<fs::path>> FilesOf(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return std::vector<fs::path>{path};
  std::vector<fs::path> files;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error)) {
    const fs::path& file = entry->path();
    if (file.extension() == ".hcl" || file.extension() == ".json") files.push_back(file);
  }
  if (error) {
    return Fail(Code::kInvalid, "failed to read " + path.string() + ": " + error.message());
  }
  std::sort(files.begin(), files.end());
  if (files.empty() || files.size() > kMaxFiles) {
    return Fail(Code::kInvalid, path.string() + " has " + std::to_string(files.size()) +
                                    " files *.hcl and *.json; 1 to 100 make a configuration");
  }
  return files;
}

// Reads one file after the other into one Config.
class Builder {
 public:
  Status Add(const fs::path& file);
  Result<Config> Finish(const fs::path& path);

 private:
  Status Read(const hcl::Value& document, const fs::path& file);
  Status CheckOnce(const hcl::Value& document, const fs::path& file);
  Status ReadTop(hcl::ObjectReader& reader);

  Config config_;
  hcl::Position backup_at_;
  std::map<std::string, std::string, std::less<>> set_in_;  // name -> file, of what stands once
};

Status Builder::Add(const fs::path& file) {
  COFFER_ASSIGN(const std::string text, ReadWhole(file));
  Status done;
  if (const auto document = hcl::Parse(text, {.octets = kMaxFileOctets})) {
    done = Read(*document, file);
  } else {
    done = Fail(document.error());
  }
  if (!done) return Fail(done.error().code, file.string() + ": " + done.error().message);
  return {};
}

Status Builder::CheckOnce(const hcl::Value& document, const fs::path& file) {
  for (const hcl::Member& member : document.members) {
    if (Repeats(member.name)) continue;
    const auto [before, fresh] = set_in_.emplace(member.name, file.string());
    if (fresh) continue;
    const std::string elsewhere = before->second == file.string() ? "" : ", in " + before->second;
    return hcl::FailAt(member.at, "\"" + member.name + "\" was set before" + elsewhere);
  }
  return {};
}

Status Builder::ReadTop(hcl::ObjectReader& reader) {
  COFFER_ASSIGN(const auto workers, reader.Integer("workers", 1, kMaxWorkers));
  if (workers) config_.http.workers = static_cast<std::size_t>(*workers);
  COFFER_ASSIGN(const auto drain, reader.Seconds("drain_timeout", 0, kMaxDrainSeconds));
  if (drain) config_.drain_deadline = std::chrono::seconds(*drain);
  COFFER_ASSIGN(const auto name, reader.Text("cluster_name"));
  if (name) config_.cluster_name = *name;
  COFFER_ASSIGN(const auto exported, reader.Text("key_export"));
  if (exported && *exported != "none" && *exported != "wrapped") {
    return hcl::FailAt(reader.At("key_export"),
                       "\"key_export\" is \"none\" or \"wrapped\": keys never leave the token in "
                       "plaintext");
  }
  config_.engine.exports_keys = exported == "wrapped";
  COFFER_TRY(ReadLog(reader, config_.log));
  COFFER_ASSIGN(const auto audit, reader.Text("audit_directory"));
  if (audit) {
    COFFER_ASSIGN(config_.audit_directory,
                  AbsolutePath("audit_directory", *audit, reader.At("audit_directory")));
  }
  COFFER_ASSIGN(const auto sockets, reader.Texts("audit_socket_addresses"));
  if (sockets) config_.audit_sockets = *sockets;
  COFFER_ASSIGN(const auto backup, reader.Text("backup_directory"));
  if (backup) {
    backup_at_ = reader.At("backup_directory");
    COFFER_ASSIGN(config_.backup_directory, AbsolutePath("backup_directory", *backup, backup_at_));
  }
  return {};
}

Status Builder::Read(const hcl::Value& document, const fs::path& file) {
  COFFER_TRY(CheckOnce(document, file));
  hcl::ObjectReader reader(document, "the configuration");
  COFFER_TRY(ReadTop(reader));
  for (const ConfigSection& section : kSections) {
    COFFER_ASSIGN(const auto blocks, reader.Blocks(section.name, section.labels));
    if (!section.repeats && blocks.size() > 1) {
      return hcl::FailAt(blocks[1].at, "\"" + std::string(section.name) + "\" was set before");
    }
    for (const hcl::Block& block : blocks) COFFER_TRY(section.read(block, config_));
  }
  return reader.Finish(kHints);
}

Result<Config> Builder::Finish(const fs::path& path) {
  std::string missing;
  if (config_.http.listeners.empty()) missing = "no listener";
  if (!set_in_.contains("storage")) missing = "no storage block";
  if (!set_in_.contains("token")) missing = "no token block";
  if (!missing.empty()) return Fail(Code::kInvalid, path.string() + ": " + missing);
  // A request for a backup names a file in this directory and may overwrite it, so no other files
  // may be there.
  if (!config_.backup_directory.empty() && (config_.backup_directory == config_.data_directory ||
                                            config_.backup_directory == config_.audit_directory)) {
    const Status refused =
        hcl::FailAt(backup_at_, "\"backup_directory\" must be a directory of its own");
    return Fail(Code::kInvalid, set_in_["backup_directory"] + ": " + refused.error().message);
  }
  if (!set_in_.contains("workers")) {
    config_.http.workers = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 2, 16);
  }
  if (config_.token.copies_directory.empty()) {
    config_.token.copies_directory = config_.data_directory;
  }
  return std::move(config_);
}

}  // namespace

void PrintText(std::string_view name, std::string_view value, std::string& out) {
  out.append("  ").append(name).append(" = ").append(hcl::Quote(value)).append("\n");
}

void PrintBoolean(std::string_view name, bool value, std::string& out) {
  out.append("  ").append(name).append(value ? " = true\n" : " = false\n");
}

void PrintInteger(std::string_view name, std::int64_t value, std::string& out) {
  out.append("  ").append(name).append(" = ").append(std::to_string(value)).append("\n");
}

void PrintSeconds(std::string_view name, std::chrono::milliseconds value, std::string& out) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(value).count();
  PrintText(name, std::to_string(seconds) + "s", out);
}

Result<fs::path> AbsolutePath(std::string_view name, const std::string& text, hcl::Position at) {
  fs::path path(text);
  if (path.is_absolute()) return path;
  return hcl::FailAt(at, "\"" + std::string(name) + "\" must be an absolute path");
}

Result<Config> ReadConfig(const fs::path& path) {
  COFFER_TRY(CheckTrustedPath("the configuration", path));
  COFFER_ASSIGN(const auto files, FilesOf(path));
  Builder builder;
  for (const fs::path& file : files) {
    COFFER_TRY(CheckTrustedPath("the configuration", file));
    COFFER_TRY(builder.Add(file));
  }
  return builder.Finish(path);
}

std::string EffectiveSettings(const Config& config) {
  std::string out = "cluster_name = " + hcl::Quote(config.cluster_name) +
                    "\nworkers = " + std::to_string(config.http.workers) + "\n";
  const auto drain = std::chrono::duration_cast<std::chrono::seconds>(config.drain_deadline);
  out += "drain_timeout = \"" + std::to_string(drain.count()) + "s\"\n";
  out += config.engine.exports_keys ? "key_export = \"wrapped\"\n" : "key_export = \"none\"\n";
  PrintLog(config.log, out);
  if (!config.audit_directory.empty()) {
    out += "audit_directory = " + hcl::Quote(config.audit_directory.string()) + "\n";
  }
  if (!config.audit_sockets.empty()) {
    out += "audit_socket_addresses = [";
    for (std::size_t i = 0; i < config.audit_sockets.size(); ++i) {
      out += (i > 0 ? ", " : "") + hcl::Quote(config.audit_sockets[i]);
    }
    out += "]\n";
  }
  if (!config.backup_directory.empty()) {
    out += "backup_directory = " + hcl::Quote(config.backup_directory.string()) + "\n";
  }
  for (const ConfigSection& section : kSections) section.print(config, out);
  return out;
}

}  // namespace coffer::server
