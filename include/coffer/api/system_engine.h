#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "coffer/api/backups.h"
#include "coffer/api/registry.h"
#include "coffer/audit/broker.h"
#include "coffer/auth/token_store.h"
#include "coffer/base/clock.h"
#include "coffer/base/random.h"
#include "coffer/metrics/registry.h"
#include "coffer/mounts/mount_table.h"

namespace coffer::api {

// What the server says about itself.
struct ServerInfo {
  std::string version = "0.1.0";  // semantic version: clients parse it
  std::string build_date;         // RFC 3339
  std::string storage_type = "sqlite";
  std::string cluster_name = "coffer";
  std::string cluster_id;  // a UUID
};

// What sys/ manages and tells. All of it outlives the engine.
struct SystemParts {
  mounts::MountTable& mounts;
  const auth::TokenStore& tokens;
  Random& random;  // for ids
  const Clock& clock;
  ServerInfo info;
  std::function<bool()> token_reachable;   // thread-safe and cheap: asked by each health request
  audit::Broker* audit_devices = nullptr;  // null: there are none
  Backups* backups = nullptr;              // null: there are none
  const metrics::Registry* metrics = nullptr;
  std::vector<bool> open_metrics = {};  // by listener: whether sys/metrics needs no token there
};

// The engine behind sys/.
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
