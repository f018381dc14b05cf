#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/api/backups.h"
#include "coffer/audit/broker.h"
#include "coffer/audit/entry.h"
#include "coffer/auth/token_store.h"
#include "coffer/base/clock.h"
#include "coffer/base/literal_text.h"
#include "coffer/base/logger.h"
#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "coffer/http/server.h"
#include "coffer/keyring/custodian.h"
#include "coffer/metrics/registry.h"
#include "coffer/mounts/mount_table.h"
#include "coffer/transit/engine.h"

namespace coffer::api {

// What a policy grants on a path; vault-compatible names.
enum class Capability { kCreate, kRead, kUpdate, kPatch, kDelete, kList, kScan, kSudo };

// What the policies say about a request: by which rule, or why they say no. The trail has both.
struct Decision {
  bool allowed = false;
  std::string rule;    // the policy that grants it; empty where none does
  LiteralText reason;  // of a refusal
};

// Decides whether a token may do something. Thread-safe.
class Policy {
 public:
  virtual ~Policy() = default;
  // `path` has neither "/v1/" nor a leading slash; it ends in one where it is listed, else it does
  // not.
  virtual Decision Decide(const auth::TokenEntry& token, Capability capability,
                          std::string_view path) const = 0;
};

// A token with the policy "root" may do everything, any other nothing.
class RootPolicy final : public Policy {
 public:
  Decision Decide(const auth::TokenEntry& token, Capability capability,
                  std::string_view path) const override;
};

// What the server says about itself.
struct ServerInfo {
  std::string version = "0.1.0";  // semantic version: clients parse it
  std::string build_date;         // RFC 3339
  std::string storage_type = "sqlite";
  std::string cluster_name = "coffer";
  std::string cluster_id;  // a UUID
};

// Everything the endpoints work on. All outlive the service.
struct Services {
  transit::Engine& engine;
  mounts::MountTable& mounts;
  const auth::TokenStore& tokens;
  const Policy& policy;
  audit::Sink& audit;
  coffer::Random& random;  // for ids
  const Clock& clock;
  Logger& logger;
  ServerInfo info;
  std::function<bool()> token_reachable;   // thread-safe and cheap: asked by each health request
  keyring::Custodian& custodian;           // carries out the requests that change keys
  audit::Broker* audit_devices = nullptr;  // what sys/audit manages; null: it manages nothing
  Backups* backups = nullptr;              // what sys/backup asks; null: there are none
  metrics::Registry* metrics = nullptr;    // what sys/metrics tells, the service's own too
  std::vector<bool> open_metrics = {};     // by listener: whether sys/metrics needs no token there
  std::size_t key_series = 0;              // keys that are counted one by one
};

// Vault's wire API. Every request takes one way: request id, token, policy, audit, endpoint (typed
// decoding, one engine call, encoding), audit. One that changes keys takes it on the custodian's
// thread, parked meanwhile where the request can be. Thread-safe.
class Service final : public http::Handler {
 public:
  explicit Service(Services services);
  ~Service() override;
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  void Handle(const http::Request& request, http::Response& response) override;
  http::Admission Admit(const http::Request& head) override;
  void OnRefused(const http::Refusal& refusal) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::api
