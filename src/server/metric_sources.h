#pragma once

#include <cstddef>
#include <functional>

#include "coffer/api/system_engine.h"
#include "coffer/audit/broker.h"
#include "coffer/base/logger.h"
#include "coffer/base/stall_watch.h"
#include "coffer/http/server.h"
#include "coffer/keyring/custodian.h"
#include "coffer/keyring/key_ring.h"
#include "coffer/metrics/registry.h"
#include "coffer/storage/database.h"

namespace coffer::server {

// Each function registers how the counts of a room are read. Its arguments must outlive the reading
// of the registry. docs/metrics.md describes every metric.
void AddProcessMetrics(metrics::Registry& registry, const api::ServerInfo& info);
void AddLogMetrics(metrics::Registry& registry, const Logger& logger);
void AddStorageMetrics(metrics::Registry& registry, const storage::Database& database);
void AddAuditMetrics(metrics::Registry& registry, const audit::Broker& broker);
void AddTokenMetrics(metrics::Registry& registry, const keyring::KeyRing& keys,
                     const keyring::Custodian& custodian, std::size_t instances);
// `ready`: as sys/health says it.
void AddHealthMetrics(metrics::Registry& registry, const keyring::Custodian& custodian,
                      const StallWatch& watch, std::function<bool()> ready);
void AddHttpMetrics(metrics::Registry& registry, const std::function<http::ServerCounts()>& read);

}  // namespace coffer::server
