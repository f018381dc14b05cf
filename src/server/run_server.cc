#include "server/run_server.h"

#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coffer/api/service.h"
#include "coffer/auth/token_store.h"
#include "coffer/base/clock.h"
#include "coffer/base/ids.h"
#include "coffer/keyring/custodian.h"
#include "coffer/keyring/key_ring.h"
#include "coffer/mounts/mount_table.h"
#include "coffer/storage/database.h"
#include "coffer/storage/directory_lock.h"
#include "coffer/transit/engine.h"
#include "server/pin_guard.h"
#include "server/pin_source.h"
#include "server/secret_file.h"

namespace coffer::server {
namespace {

constexpr std::string_view kPinCredential = "coffer-pin";
constexpr std::string_view kSoPinCredential = "coffer-so-pin";

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// The rooms of a running server, made in this order and unmade in the reverse one.
class Instance {
 public:
  Instance(const Config& config, Random& random, Logger& logger)
      : config_(config), random_(random), logger_(logger) {}
  ~Instance() {
    http_.reset();
    if (custodian_) custodian_->Stop();
  }

  Status Start();
  void Announce() const;
  void Drain() { http_->Drain(config_.drain_deadline); }

 private:
  Status OpenStorage();
  Status OpenKeys();
  Status MakeTokenAtFirstStart(const SecretBytes& pin);
  Status OpenTokenAndKeys(const SecretBytes& pin);
  Status OpenAccess();
  Status KeepRootToken();
  Status OpenHttp();

  const Config& config_;
  Random& random_;
  Logger& logger_;
  SystemClock clock_;
  std::optional<storage::DirectoryLock> lock_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<keyring::Custodian> custodian_;
  std::unique_ptr<keyring::KeyRing> keys_;
  std::unique_ptr<mounts::MountTable> mounts_;
  std::unique_ptr<auth::TokenStore> tokens_;
  std::unique_ptr<transit::Engine> engine_;
  api::RootPolicy policy_;
  api::NullAuditSink audit_;
  std::unique_ptr<api::Service> service_;
  std::unique_ptr<http::Server> http_;
  SecretBytes root_token_;
};

Status Instance::Start() {
  COFFER_ASSIGN(auto lock, storage::DirectoryLock::Acquire(config_.data_directory));
  lock_.emplace(std::move(lock));
  COFFER_TRY(OpenStorage());
  COFFER_TRY(OpenKeys());
  COFFER_TRY(OpenAccess());
  return OpenHttp();
}

Status Instance::OpenStorage() {
  std::vector<storage::Migration> schema = keyring::KeyRing::Schema();
  for (const auto& room : {mounts::MountTable::Schema(), auth::TokenStore::Schema()}) {
    schema.insert(schema.end(), room.begin(), room.end());
  }
  COFFER_ASSIGN(database_, storage::Database::Open({.file = config_.data_directory / "coffer.db"},
                                                   schema, logger_));
  return {};
}

Status Instance::OpenKeys() {
  if (!config_.softhsm_config.empty()) {
    ::setenv("SOFTHSM2_CONF", config_.softhsm_config.c_str(), 1);
  }
  COFFER_ASSIGN(const PinSource source, PinSource::Find(config_.pin_file, kPinCredential, "PIN"));
  const std::filesystem::path state_file = config_.data_directory / "pin-rejected";
  const PinGuard guard(source, state_file);
  COFFER_TRY(guard.Check());
  COFFER_ASSIGN(const SecretBytes pin, source.Read());
  Status opened = OpenTokenAndKeys(pin);
  if (opened) {
    guard.Forget();
    return {};
  }
  if (opened.error().code == Code::kPinIncorrect) {
    COFFER_TRY(guard.RememberRefusal());
    return Fail(Code::kPinIncorrect, source.Name() +
                                         " was refused by the token: " + source.Remedy(state_file) +
                                         "; it will not be tried a second time");
  }
  return opened;
}

// Dev mode only: an operator makes a token with `coffer hsm init`.
Status Instance::MakeTokenAtFirstStart(const SecretBytes& pin) {
  COFFER_ASSIGN(const bool seen_before, keyring::HasState(*database_));
  if (!config_.dev || seen_before) return {};
  COFFER_ASSIGN(const PinSource source,
                PinSource::Find(config_.so_pin_file, kSoPinCredential, "SO PIN"));
  COFFER_ASSIGN(const SecretBytes so_pin, source.Read());
  COFFER_ASSIGN(const Id database, keyring::LoadOrCreateDatabaseId(*database_, random_));
  return keyring::InitializeToken(config_.token, so_pin, pin, database, logger_);
}

Status Instance::OpenTokenAndKeys(const SecretBytes& pin) {
  COFFER_TRY(MakeTokenAtFirstStart(pin));
  COFFER_ASSIGN(keyring::OpenedTokens opened,
                keyring::OpenTokens(config_.token, pin, config_.http.workers, logger_));
  keyring::Token& custodians_token = *opened.custodian;
  custodian_ = std::make_unique<keyring::Custodian>(std::move(opened.custodian),
                                                    keyring::Custodian::Options{}, clock_, logger_);
  COFFER_ASSIGN(keys_, keyring::KeyRing::Open(*database_, *custodian_, custodians_token,
                                              std::move(opened.workers), config_.start_policy,
                                              random_, clock_, logger_));
  return {};
}

Status Instance::OpenAccess() {
  COFFER_ASSIGN(mounts_, mounts::MountTable::Load(*database_, random_));
  COFFER_ASSIGN(const SecretBytes lookup_key, keys_->DeriveLookupKey("coffer token look-up 1"));
  COFFER_ASSIGN(tokens_, auth::TokenStore::Load(*database_, lookup_key, random_, clock_));
  if (config_.dev) return KeepRootToken();
  if (!tokens_->Initialized()) {
    logger_.Log(LogLevel::kWarn, "server",
                "there is no root token yet: stop the server and run coffer operator init");
  }
  return {};
}

Status Instance::KeepRootToken() {
  if (!tokens_->Initialized() && mounts_->List().empty()) {
    COFFER_ASSIGN(const auto path, mounts::MountPath::Parse("transit"));
    COFFER_TRY(mounts_->Add(path, "transit", {}));
  }
  const std::filesystem::path file = config_.data_directory / "root-token";
  COFFER_ASSIGN(auto kept, ReadSecretFile(file));
  if (config_.root_token) {
    root_token_ = SecretBytes::CopyOf(AsBytes(*config_.root_token));
  } else if (kept) {
    root_token_ = std::move(*kept);
  } else {
    root_token_ = SecretBytes::CopyOf(AsBytes("hvs." + RandomBase62(random_, 24)));
  }
  COFFER_TRY(WriteSecretFile(file, root_token_));
  if (!tokens_->Lookup(AsText(root_token_.Reveal()))) {
    COFFER_TRY(tokens_->SetRootToken(AsText(root_token_.Reveal())));
  }
  return {};
}

Status Instance::OpenHttp() {
  engine_ = std::make_unique<transit::Engine>(*keys_, random_);
  engine_->AddJobs(*custodian_);
  custodian_->Start();
  api::ServerInfo info;
  info.cluster_name = config_.cluster_name;
  info.cluster_id = keys_->DatabaseId().ToUuid();
  service_ = std::make_unique<api::Service>(
      api::Services{*engine_, *mounts_, *tokens_, policy_, audit_, random_, clock_, logger_, info,
                    [keys = keys_.get()] { return keys->Ready(); }, *custodian_});
  COFFER_ASSIGN(http_, http::Server::Start(config_.http, *service_, logger_));
  return {};
}

void Instance::Announce() const {
  const auto& addresses = http_->Addresses();
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const bool tcp = config_.http.listeners[i].kind == http::Listener::Kind::kTcp;
    std::printf("listening on %s%s\n", tcp ? "http://" : "unix:", addresses[i].c_str());
  }
  std::printf("data directory: %s\n", config_.data_directory.c_str());
  const bool softhsm =
      config_.token.module.filename().string().find("softhsm") != std::string::npos;
  std::printf(
      "token: %s%s\n", config_.token.label.c_str(),
      softhsm ? " (SoftHSM is for testing: it protects nothing from this machine's root)" : "");
  if (config_.dev) {
    const std::string_view token = AsText(root_token_.Reveal());
    std::printf("root token: %.*s\n", static_cast<int>(token.size()), token.data());
  }
  std::printf("coffer is ready\n");
  std::fflush(stdout);
}

}  // namespace

void PrepareProcess() {
  ::umask(0077);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  const sigset_t signals = StopSignals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

Status RunServer(const Config& config, Random& random, Logger& logger) {
  Instance instance(config, random, logger);
  COFFER_TRY(instance.Start());
  instance.Announce();
  const sigset_t signals = StopSignals();
  int signal = 0;
  ::sigwait(&signals, &signal);
  logger.Log(LogLevel::kInfo, "server", "draining", {{"signal", std::int64_t{signal}}});
  instance.Drain();
  return {};
}

}  // namespace coffer::server
