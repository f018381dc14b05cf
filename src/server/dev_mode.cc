#include "server/dev_mode.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <thread>

#include "coffer/base/clock.h"
#include "coffer/crypto/dev_certificates.h"
#include "server/secret_file.h"
#include "server/token_making.h"

namespace coffer::server {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxWorkers = 16;

Result<fs::path> MakeDataDirectory(const std::string& wanted) {
  std::error_code error;
  if (wanted.empty()) {
    std::string made = (fs::temp_directory_path(error) / "coffer-dev-XXXXXX").string();
    if (::mkdtemp(made.data()) == nullptr) {
      return Fail(Code::kUnavailable,
                  "failed to make a temporary directory: " + std::string(std::strerror(errno)));
    }
    return fs::path(made);
  }
  const fs::path directory = fs::absolute(wanted, error);
  fs::create_directories(directory, error);
  if (error) {
    return Fail(Code::kInvalid,
                "failed to make data directory " + directory.string() + ": " + error.message());
  }
  if (::chmod(directory.c_str(), 0700) != 0) {
    return Fail(Code::kInvalid,
                "data directory " + directory.string() + " is not ours: " + std::strerror(errno));
  }
  return directory;
}

Status MakePinUnlessThere(const fs::path& file, Random& random) {
  COFFER_ASSIGN(const auto existing, ReadSecretFile(file));
  return existing ? Status{} : WriteSecretFile(file, RandomPin(random, 32));
}

// What the server uses of SoftHSM. It copies its list of permitted mechanisms at each operation, so
// a list without the rest is less work, too.
constexpr std::string_view kMechanisms =
    "CKM_AES_KEY_GEN,CKM_AES_KEY_WRAP_PAD,CKM_AES_GCM,CKM_AES_CMAC,CKM_AES_ECB_ENCRYPT_DATA,"
    "CKM_GENERIC_SECRET_KEY_GEN,CKM_SHA_1_HMAC,CKM_SHA224_HMAC,CKM_SHA256_HMAC,CKM_SHA384_HMAC,"
    "CKM_SHA512_HMAC,CKM_RSA_PKCS_KEY_PAIR_GEN,CKM_RSA_PKCS,CKM_RSA_PKCS_PSS,CKM_RSA_PKCS_OAEP,"
    "CKM_RSA_X_509,CKM_EC_KEY_PAIR_GEN,CKM_ECDSA,CKM_ECDH1_DERIVE,CKM_EC_EDWARDS_KEY_PAIR_GEN,"
    "CKM_EDDSA";

Result<fs::path> WriteSoftHsmConfig(const fs::path& directory) {
  const fs::path tokens = directory / "tokens";
  std::error_code error;
  fs::create_directories(tokens, error);
  const fs::path file = directory / "softhsm2.conf";
  std::ofstream out(file, std::ios::trunc);
  out << "directories.tokendir = " << tokens.string()
      << "\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false"
      << "\nslots.mechanisms = " << kMechanisms << "\n";
  out.close();
  if (error || !out) return Fail(Code::kUnavailable, "failed to write " + file.string());
  return file;
}

// The host of "HOST:PORT" and what this machine is called by itself.
std::vector<std::string> NamesOf(const std::string& listen_address) {
  std::vector<std::string> names{"localhost", "127.0.0.1", "::1"};
  std::string host = listen_address.substr(0, listen_address.rfind(':'));
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  const bool anywhere = host.empty() || host == "0.0.0.0" || host == "::";
  if (!anywhere && std::find(names.begin(), names.end(), host) == names.end()) {
    names.push_back(host);
  }
  return names;
}

}  // namespace

Result<Config> MakeDevConfig(const DevFlags& flags, Random& random) {
  Config config;
  COFFER_ASSIGN(config.data_directory, MakeDataDirectory(flags.data));
  const fs::path& directory = config.data_directory;
  COFFER_ASSIGN(config.softhsm_config, WriteSoftHsmConfig(directory));
  config.pin_file = directory / "pin";
  config.so_pin_file = directory / "so-pin";
  COFFER_TRY(MakePinUnlessThere(config.pin_file, random));
  COFFER_TRY(MakePinUnlessThere(config.so_pin_file, random));
  config.token.module = flags.module;
  config.token.label = "coffer-dev";
  config.token.copies_directory = directory;
  config.token.objects_directory = directory / "tokens";
  config.dev = true;
  config.audit_directory = directory / "audit";
  config.backup_directory = directory / "backups";
  for (const fs::path& made : {config.audit_directory, config.backup_directory}) {
    std::error_code error;
    fs::create_directories(made, error);
    if (error) {
      return Fail(Code::kUnavailable, "failed to make " + made.string() + ": " + error.message());
    }
  }
  config.http.workers =
      std::clamp<std::size_t>(std::thread::hardware_concurrency(), 2, kMaxWorkers);
  http::Listener listener{http::Listener::Kind::kTcp, flags.listen_address};
  if (flags.tls) {
    COFFER_ASSIGN(
        const crypto::DevCertificates made,
        crypto::MakeDevCertificates(directory, NamesOf(flags.listen_address), SystemClock().Now()));
    listener.tls = http::TlsOptions{};
    listener.tls->certificate_file = made.certificate.string();
    listener.tls->key_file = made.key.string();
    config.dev_authority = made.authority;
  }
  config.http.listeners.push_back(std::move(listener));
  config.http.listeners.push_back(
      {http::Listener::Kind::kUnix,
       flags.unix_socket.empty() ? (directory / "coffer.sock").string() : flags.unix_socket});
  if (!flags.root_token_id.empty()) config.root_token = flags.root_token_id;
  return config;
}

}  // namespace coffer::server
