#include "server/dev_mode.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <thread>

#include "coffer/base/ascii.h"
#include "coffer/base/clock.h"
#include "coffer/crypto/dev_certificates.h"
#include "coffer/http/server.h"
#include "server/console/root_token.h"
#include "server/token/secret_file.h"
#include "server/token/token_making.h"

namespace coffer::server {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxWorkers = 16;

Status MakePinUnlessThere(const fs::path& file, Random& random) {
  COFFER_ASSIGN(const auto existing, ReadSecretFile(file));
  return existing ? Status{} : WriteSecretFile(file, RandomPin(random, 32));
}

// The mechanisms of SoftHSM that the server uses. SoftHSM copies its list of permitted mechanisms
// at each operation, so a short list also saves work.
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

// The names for the certificate: the host of "HOST:PORT" and the names of this machine.
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

http::Listener ListenerOf(const DevFlags& flags) {
  http::Listener listener{.kind = http::Listener::Kind::kTcp, .address = flags.listen_address};
  if (flags.tls) listener.tls = http::TlsOptions{};
  return listener;
}

// The root token: the one that was asked for, else the one of the last start, else a new one.
Result<std::string> RootTokenOf(const DevFlags& flags, const fs::path& directory, Random& random) {
  const std::string_view wanted = Trim(flags.root_token_id, " \t\r\n");
  if (!wanted.empty()) return std::string(wanted);
  COFFER_ASSIGN(const auto kept, ReadSecretFile(directory / kRootTokenFile));
  const SecretBytes made = kept ? SecretBytes() : NewRootToken(random);
  return std::string(AsText(kept ? kept->Reveal() : made.Reveal()));
}

// Clients wrap the keys that they import with SHA-256 unless told otherwise, and SoftHSM unwraps
// with SHA-1 only. So a development server undoes that padding itself, which no other server does.
Result<keyring::ImportedThrough> ImportOaepOf(const DevFlags& flags, const Config& config) {
  const bool softhsm = IsSoftHsm(config);
  if (flags.import_oaep == "process" && !softhsm) {
    return Fail(Code::kInvalid, "-dev-import-oaep=process is for SoftHSM only: " + flags.module +
                                    " opens imports itself");
  }
  const bool process = flags.import_oaep.empty() ? softhsm : flags.import_oaep == "process";
  return process ? keyring::ImportedThrough::kProcess : keyring::ImportedThrough::kToken;
}

}  // namespace

Result<DevDirectory> DevDirectory::Make(const std::string& wanted) {
  std::error_code error;
  if (wanted.empty()) {
    std::string made = (fs::temp_directory_path(error) / "coffer-dev-XXXXXX").string();
    if (::mkdtemp(made.data()) == nullptr) {
      return Fail(Code::kUnavailable,
                  "failed to make a temporary directory: " + std::string(std::strerror(errno)));
    }
    return DevDirectory(made, true);
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
  return DevDirectory(directory, false);
}

DevDirectory::~DevDirectory() {
  std::error_code ignored;
  if (temporary_) fs::remove_all(path_, ignored);
}

DevTokenFile::DevTokenFile(std::string token) : token_(std::move(token)) {
  const char* const home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') return;
  const std::string file = std::string(home) + "/.vault-token";
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return;
  file_ = file;
  const auto size = static_cast<ssize_t>(token_.size());
  const bool written = ::write(fd, token_.data(), token_.size()) == size;
  ::close(fd);
  if (!written) ::unlink(file.c_str());
}

DevTokenFile::~DevTokenFile() {
  if (file_.empty()) return;
  std::ifstream in(file_);
  std::string kept;
  std::getline(in, kept);
  if (kept == token_) ::unlink(file_.c_str());  // else somebody has logged in meanwhile
}

Status CheckDevAddress(const DevFlags& flags) {
  Status free = http::Server::TryListen(ListenerOf(flags));
  if (!free && free.error().code == Code::kConflict) {
    free.error().message += ", with -dev-listen-address=HOST:PORT";
  }
  return free;
}

Result<Config> MakeDevConfig(const DevFlags& flags, const fs::path& directory, Random& random) {
  Config config;
  config.data_directory = directory;
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
  COFFER_ASSIGN(config.token.import_oaep, ImportOaepOf(flags, config));
  config.engine.exports_keys = flags.key_export;
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
  http::Listener listener = ListenerOf(flags);
  if (flags.tls) {
    COFFER_ASSIGN(
        const crypto::DevCertificates made,
        crypto::MakeDevCertificates(directory, NamesOf(flags.listen_address), SystemClock().Now()));
    listener.tls->certificate_file = made.certificate.string();
    listener.tls->key_file = made.key.string();
    config.dev_authority = made.authority;
  }
  config.http.listeners.push_back(std::move(listener));
  config.http.listeners.push_back({.kind = http::Listener::Kind::kUnix,
                                   .address = flags.unix_socket.empty()
                                                  ? (directory / "coffer.sock").string()
                                                  : flags.unix_socket});
  COFFER_ASSIGN(config.root_token, RootTokenOf(flags, directory, random));
  return config;
}

}  // namespace coffer::server
