#include "server/running_server.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include "coffer/base/ids.h"
#include "server/console/root_token.h"
#include "server/locked_database.h"
#include "server/metric_sources.h"
#include "server/process_edges.h"
#include "server/serve_command.h"
#include "server/start_check.h"
#include "server/supervisor.h"
#include "server/token/pin_guard.h"
#include "server/token/pin_source.h"
#include "server/token/secret_file.h"
#include "server/token/token_making.h"

namespace coffer::server {
namespace {

void AnnounceListeners(const std::vector<http::Listener>& listeners, const http::Server& server,
                       const char* what) {
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    const bool tcp = listeners[i].kind == http::Listener::Kind::kTcp;
    const char* const scheme = !tcp ? "unix:" : listeners[i].tls ? "https://" : "http://";
    std::printf("%s on %s%s\n", what, scheme, server.Addresses()[i].c_str());
  }
}

// The lines that make a shell's clients find a development server.
void AnnounceExports(const Config& config, std::string address, std::string_view token) {
  for (const auto& [anywhere, here] : {std::pair{"0.0.0.0:", "127.0.0.1:"}, {"[::]:", "[::1]:"}}) {
    const std::string_view host = anywhere;
    if (address.starts_with(host)) address.replace(0, host.size(), here);
  }
  const bool tls = config.http.listeners.front().tls.has_value();
  std::printf("export VAULT_ADDR='%s%s'\nexport VAULT_TOKEN='%.*s'\n", tls ? "https://" : "http://",
              address.c_str(), static_cast<int>(token.size()), token.data());
  if (tls) std::printf("export VAULT_CACERT='%s'\n", config.dev_authority.c_str());
}

}  // namespace

RunningServer::~RunningServer() {
  {
    const std::lock_guard lock(serving_mutex_);
    serving_ = nullptr;
  }
  health_.reset();
  http_.reset();
  backups_.reset();  // its thread waits for the custodian
  store_check_.reset();
  rooms_.Close();  // before those above them go, whom the custodian calls
}

Status RunningServer::Start() {
  WarnOfSurroundings(config_, logger_);
  COFFER_ASSIGN(auto lock, LockDataDirectory(config_, logger_));
  lock_.emplace(std::move(lock));
  COFFER_TRY(rooms_.OpenDatabase(DatabaseFile(config_), STDOUT_FILENO));
  COFFER_TRY(OpenKeys());
  COFFER_TRY(OpenAccess());
  for (const Error& useless : FindUseless(config_)) {
    logger_.Log(LogLevel::kWarn, "server", useless.message);
  }
  if (!config_.dev && !tokens_->Initialized()) {
    logger_.Log(LogLevel::kWarn, "server",
                "there is no root token yet: stop the server and run coffer operator init");
  }
  return OpenHttp();
}

Status RunningServer::OpenKeys() {
  SelectSoftHsm(config_);
  MakeWatch();
  return WithPin(config_, [this](const SecretBytes& pin) { return OpenTokenAndKeys(pin); });
}

// Dev mode only: an operator makes a token with `coffer hsm init`.
Status RunningServer::MakeTokenAtFirstStart(const SecretBytes& pin) {
  COFFER_ASSIGN(const bool seen_before, keyring::HasState(rooms_.Database()));
  if (!config_.dev || seen_before) return {};
  COFFER_ASSIGN(const bool usable, IsTokenUsable(config_));
  if (!usable) {
    COFFER_ASSIGN(const NewPins pins, NewPins::Read(config_));
    COFFER_TRY(MakeToken(config_, pins));
  }
  COFFER_ASSIGN(const Id database, keyring::LoadOrCreateDatabaseId(rooms_.Database(), random_));
  return keyring::CompleteToken(config_.token, pin, database, logger_);
}

Status RunningServer::OpenTokenAndKeys(const SecretBytes& pin) {
  COFFER_TRY(MakeTokenAtFirstStart(pin));
  COFFER_ASSIGN(
      keyring::OpenedTokens opened,
      keyring::OpenTokens(config_.token, pin, config_.http.workers, logger_, watch_.get()));
  COFFER_TRY(rooms_.OpenKeys(std::move(opened), config_.start_policy, config_.cache_limits));
  barrier_ = std::make_unique<barrier::Barrier>(rooms_.Keys(), logger_);
  return barrier_->Start(rooms_.Custodian());
}

Status RunningServer::OpenAccess() {
  COFFER_ASSIGN(mounts_,
                mounts::MountTable::Load(rooms_.Database(), random_, api::ReservedPaths()));
  COFFER_ASSIGN(const SecretBytes lookup_key, rooms_.Keys().DeriveLookupKey(kTokenLookupLabel));
  COFFER_ASSIGN(policies_, auth::PolicyStore::Load(rooms_.Database(), rooms_.GetClock()));
  COFFER_ASSIGN(tokens_, auth::TokenStore::Load(rooms_.Database(), *policies_, lookup_key, random_,
                                                rooms_.GetClock()));
  return config_.dev ? KeepRootToken() : Status{};
}

Status RunningServer::KeepRootToken() {
  if (!tokens_->Initialized() && mounts_->List().empty()) {
    COFFER_ASSIGN(const auto path, mounts::MountPath::Parse("transit"));
    COFFER_TRY(mounts_->Add(path, "transit", {}));
  }
  root_token_ = SecretBytes::CopyOf(AsBytes(config_.root_token.value()));
  COFFER_TRY(WriteSecretFile(config_.data_directory / kRootTokenFile, root_token_));
  if (!tokens_->Lookup(AsText(root_token_.Reveal()))) {
    COFFER_TRY(tokens_->SetRootToken(AsText(root_token_.Reveal())));
  }
  return {};
}

Status RunningServer::OpenHttp() {
  engine_ = std::make_unique<transit::Engine>(rooms_.Keys(), random_, config_.engine);
  engine_->AddJobs(rooms_.Custodian());
  tokens_->AddJobs(rooms_.Custodian());
  AddAnchors();
  COFFER_TRY(rooms_.BeginTrail(config_));
  COFFER_TRY(CheckTrail());
  store_check_ = std::make_unique<StoreCheck>(rooms_.Database(), rooms_.Audit().Broker(), logger_,
                                              config_.check_period);
  backups_ =
      std::make_unique<RunningBackups>(BackupSource{.database = rooms_.Database(),
                                                    .custodian = rooms_.Custodian(),
                                                    .token_serial = rooms_.TokenSerial(),
                                                    .clock = rooms_.GetClock()},
                                       rooms_.Audit().Broker(), config_.backup_directory, logger_);
  api::ServerInfo info;
  info.cluster_name = config_.cluster_name;
  info.imported_through = keyring::ImportedThroughName(config_.token.import_oaep);
  info.cluster_id = rooms_.Keys().DatabaseId().ToUuid();
  const api::SystemParts system{.mounts = *mounts_,
                                .tokens = *tokens_,
                                .policies = *policies_,
                                .random = random_,
                                .clock = rooms_.GetClock(),
                                .info = info,
                                .can_serve =
                                    [this] {
                                      return rooms_.Keys().Ready() && !watch_->AnyStalled() &&
                                             !draining_ && store_check_->Sound();
                                    },
                                .barrier = barrier_.get(),
                                .audit_devices = &rooms_.Audit().Broker(),
                                .backups = backups_.get(),
                                .metrics = &metrics_,
                                .open_metrics = config_.open_metrics};
  COFFER_ASSIGN(engines_, Engines::Make(system, rooms_.Database(), *engine_));
  const api::Services services{.registry = engines_->All(),
                               .mounts = *mounts_,
                               .tokens = *tokens_,
                               .audit = rooms_.Audit().Broker(),
                               .random = random_,
                               .logger = logger_,
                               .custodian = rooms_.Custodian(),
                               .lanes = rooms_.Keys().GetLanes(),
                               .metrics = &metrics_,
                               .key_series = config_.key_series};
  service_ = std::make_unique<api::Service>(
      services, api::MakeVaultFace(engines_->All(), *mounts_, *tokens_));
  AddMetrics(system);
  COFFER_TRY(OpenHealth(system));
  COFFER_ASSIGN(const http::Options options, FitConnections(config_, logger_));
  COFFER_ASSIGN(http_, http::Server::Start(options, *service_, logger_));
  WatchRequests();
  const std::lock_guard lock(serving_mutex_);
  serving_ = http_.get();
  return {};
}

// Changes that wait for no anchor get one by this job, soon after they are committed.
void RunningServer::AddAnchors() {
  rooms_.Custodian().AddPeriodic("anchor", config_.anchor_interval, [this](SystemTime) {
    if (!rooms_.Database().Unanchored()) return;
    if (const Status made = rooms_.Database().AwaitAnchor(); !made) {
      logger_.Log(LogLevel::kWarn, "server", "the token has no anchor of the latest changes",
                  {{"why", made.error().message}});
    }
  });
}

// A server whose audit trail takes no entries could answer no request. So it does not start, and
// says why.
Status RunningServer::CheckTrail() {
  if (rooms_.Audit().Broker().Healthy()) return {};
  std::string devices;
  for (const audit::DeviceSettings& device : rooms_.Audit().Broker().List()) {
    devices += (devices.empty() ? "" : ", ") + device.path + " (" + audit::TargetName(device) + ")";
  }
  return Fail(Code::kUnavailable,
              "no audit device takes records, and every request would be refused: " + devices +
                  "; the log says why; coffer operator remove-audit-device takes one away that was "
                  "enabled through the API");
}

void RunningServer::AddMetrics(const api::SystemParts& system) {
  AddProcessMetrics(metrics_, system.info);
  AddLogMetrics(metrics_, logger_);
  AddHealthMetrics(metrics_, rooms_.Custodian(), *watch_, system.can_serve);
  AddTokenMetrics(metrics_, rooms_.Keys(), rooms_.Custodian(), config_.http.workers + 1);
  AddStorageMetrics(metrics_, rooms_.Database());
  AddAuditMetrics(metrics_, rooms_.Audit().Broker());
  AddHttpMetrics(metrics_, [this] {
    const std::lock_guard lock(serving_mutex_);
    return serving_ == nullptr ? http::ServerCounts{} : serving_->Counts();
  });
}

void RunningServer::MakeWatch() {
  StallWatch::Reactions reactions;
  reactions.on_change = [this](const StallWatch::Subject& subject, bool stalled) {
    const std::lock_guard lock(serving_mutex_);
    stalled ? ++stalled_subjects_ : --stalled_subjects_;
    if (stalled || stalled_subjects_ == 0) {
      Supervisor::Say(stalled ? std::string(subject.work) + " does not return" : "");
    }
    if (!subject.worker) return;  // others serve no connections
    // A worker may be held up by a call into the token, by the request that makes it, or by both.
    std::size_t& held = stalls_[*subject.worker];
    stalled ? ++held : --held;
    if (serving_ != nullptr) serving_->SetWorkerStalled(*subject.worker, held > 0);
  };
  // A thread that hangs in a call cannot be freed, so the process ends and is started anew.
  reactions.on_hang = [this](const StallWatch::Subject& subject) {
    const std::lock_guard lock(serving_mutex_);
    logger_.Log(LogLevel::kError, "server",
                serving_ == nullptr && !draining_.load()
                    ? "the token does not answer: see to it, then try again"
                    : "the server ends without it",
                {{"instance", subject.name}});
    logger_.Flush(std::chrono::seconds(1));
    ::_exit(kTokenHangsExit);
  };
  watch_ = std::make_unique<StallWatch>(std::move(reactions), logger_);
  watch_->Start();
}

void RunningServer::WatchRequests() {
  // This is longer than any request whose time is bounded. A process is not ended because a request
  // takes long.
  constexpr StallWatch::Limits kRequest{.wait = std::chrono::seconds(10), .hang = std::nullopt};
  // One piece of the custodian's work may make several keys, and each may take a call of a minute.
  constexpr StallWatch::Limits kKeyChange{.wait = std::chrono::minutes(3), .hang = std::nullopt};
  const auto workers = http_->Work();
  for (std::size_t i = 0; i < workers.size(); ++i) {
    watch_->Add({.name = "worker " + std::to_string(i),
                 .work = "a request",
                 .since = [clock = workers[i]] { return clock->Since(); },
                 .limits = kRequest,
                 .worker = i});
  }
  if (health_) {
    watch_->Add({.name = "health",
                 .work = "a request",
                 .since = [clock = health_->Work().front()] { return clock->Since(); },
                 .limits = kRequest});
  }
  watch_->Add({.name = "custodian",
               .work = "a key change",
               .since = [clock = rooms_.Custodian().Work()] { return clock->Since(); },
               .limits = kKeyChange});
}

Status RunningServer::OpenHealth(const api::SystemParts& system) {
  if (config_.health_listeners.empty()) return {};
  constexpr std::size_t kConnectionsPerAddress = 64;
  constexpr std::size_t kBodyBytes = 4096;
  http::Options options;
  options.listeners = config_.health_listeners;
  options.workers = 1;
  options.max_connections = kHealthConnections;
  options.max_connections_per_address = kConnectionsPerAddress;
  options.max_body_bytes = kBodyBytes;
  api::SystemParts shown = system;
  shown.open_metrics = config_.health_open_metrics;
  health_handler_ = std::make_unique<api::HealthHandler>(std::move(shown));
  COFFER_ASSIGN(health_, http::Server::Start(options, *health_handler_, logger_));
  return {};
}

void RunningServer::Reload(const ReadAgain& read_again) {
  ReloadTls();
  rooms_.Audit().Broker().Reopen();  // somebody renamed its files
  ReloadSettings(read_again, running_, logger_);
}

void RunningServer::Drain() {
  draining_.store(true);  // a load balancer that asks the health listener hears of it at once
  http_->Drain(running_.drain_deadline);
  if (const http::ServerCounts left = http_->Counts(); left.open > 0) {
    logger_.Log(LogLevel::kWarn, "server", "drain_timeout is over: the rest is given up",
                {{"connections", static_cast<std::int64_t>(left.open)},
                 {"requests_waiting", static_cast<std::int64_t>(left.parked)}});
  }
  // Work not done by now is given up: a thread that does not come back must not keep the process.
  watch_->Finish(std::chrono::seconds(5));
}

void RunningServer::ReloadTls() {
  std::vector<http::Server::TlsSwitch> switches;
  for (const http::Server* const server : {http_.get(), health_.get()}) {
    if (server == nullptr) continue;
    auto read = server->ReadTls();
    if (!read) {
      logger_.Log(LogLevel::kError, "server", "failed to read the certificates again",
                  {{"reason", read.error().message}, {"in use", "those read before"}});
      return;
    }
    switches.push_back(std::move(*read));
  }
  for (const http::Server::TlsSwitch& use : switches) use();
  logger_.Log(LogLevel::kInfo, "server", "certificates read again");
}

void RunningServer::Announce() const {
  AnnounceListeners(config_.http.listeners, *http_, "listening");
  if (health_) AnnounceListeners(config_.health_listeners, *health_, "health");
  if (!config_.dev_authority.empty()) {
    std::printf("certificate authority to trust: %s\n", config_.dev_authority.c_str());
  }
  std::printf("data directory: %s\n", config_.data_directory.c_str());
  const bool softhsm =
      config_.token.module.filename().string().find("softhsm") != std::string::npos;
  std::printf(
      "token: %s%s\n", config_.token.label.c_str(),
      softhsm ? " (SoftHSM is for testing: it protects nothing from this machine's root)" : "");
  if (config_.token.import_oaep == keyring::ImportedThrough::kProcess) {
    std::printf(
        "imports: RSA-OAEP is undone in this process, where the AES key of an import can be seen "
        "(-dev-import-oaep=token leaves it to the token)\n");
  }
  if (config_.dev) {
    const std::string_view token = AsText(root_token_.Reveal());
    std::printf("root token: %.*s\n", static_cast<int>(token.size()), token.data());
    AnnounceExports(config_, http_->Addresses().front(), token);
    for (const auto& mount : mounts_->List()) {
      std::printf("secrets engine: %s is mounted (%s)\n", mount->path.Text().c_str(),
                  mount->type.c_str());
    }
  }
  std::printf("coffer is ready\n");
  std::fflush(stdout);
}

}  // namespace coffer::server
