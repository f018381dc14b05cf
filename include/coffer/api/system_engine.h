#pragma once

// The engine of sys/: mounts, policies, audit devices, backups, health and metrics. The program's
// wiring owns one SystemEngine, which outlives the Registry that it is registered in; its
// SystemParts outlive it. Its handlers run on any thread. Errors are those of the parts; they are
// answered to the client.
// Example: `SystemEngine system(parts); ... registrations.push_back(system.Registered());`

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "coffer/api/backups.h"
#include "coffer/api/registry.h"
#include "coffer/audit/broker.h"
#include "coffer/auth/policy_store.h"
#include "coffer/auth/token_store.h"
#include "coffer/barrier/barrier.h"
#include "coffer/base/clock.h"
#include "coffer/base/random.h"
#include "coffer/metrics/registry.h"
#include "coffer/mounts/mount_table.h"

namespace coffer::api {

// The facts about the server that its answers show.
struct ServerInfo {
  std::string version = "0.1.0";  // semantic version: clients parse it
  std::string build_date;         // RFC 3339
  std::string storage_type = "sqlite";
  std::string cluster_name = "coffer";
  std::string cluster_id;  // a UUID
  // The place where the AES keys of imports are opened: "token", or "process" in dev mode.
  std::string imported_through = "token";
};

// The parts that sys/ manages and reports on. All of them outlive the engine.
struct SystemParts {
  mounts::MountTable& mounts;
  auth::TokenStore& tokens;
  auth::PolicyStore& policies;
  Random& random;  // for ids
  const Clock& clock;
  ServerInfo info;
  // False while the server cannot serve: the token is lost, a thread hangs, damaged rows were
  // found, or the server ends. Thread-safe and cheap, since each health request calls it.
  std::function<bool()> can_serve;
  barrier::Barrier* barrier = nullptr;     // null: there is none
  audit::Broker* audit_devices = nullptr;  // null: there are none
  Backups* backups = nullptr;              // null: there are none
  const metrics::Registry* metrics = nullptr;
  std::vector<bool> open_metrics = {};  // by listener: true if sys/metrics needs no token there
};

// The engine of sys/.
class SystemEngine {
 public:
  struct State;
  explicit SystemEngine(SystemParts parts);
  ~SystemEngine();
  Registration Registered() const;

 private:
  std::unique_ptr<State> state_;
};

const EngineType& SystemEngineType();

}  // namespace coffer::api
