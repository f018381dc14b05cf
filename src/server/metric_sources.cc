#include "server/metric_sources.h"

#include <string>
#include <utility>

#include "server/log/log_line.h"

namespace coffer::server {
namespace {

using metrics::Registry;
using metrics::Samples;
using metrics::Type;

// Adds a family with one series: the member of the counts that `read` returns.
template <typename Counts, typename Number>
void AddMember(Registry& registry, metrics::Family&& family, std::function<Counts()> read,
               Number Counts::*member) {
  registry.AddValue(std::move(family), [read = std::move(read), member] {
    return static_cast<double>(read().*member);
  });
}

double Flag(bool value) { return value ? 1 : 0; }

}  // namespace

void AddLogMetrics(Registry& registry, const Logger& logger) {
  registry.Add({"coffer_log_lines_total", "Lines logged, dropped ones too.", Type::kCounter},
               [&logger](Samples& samples) {
                 const LogCounts counts = logger.Counts();
                 for (std::size_t i = 0; i < kLogLevels; ++i) {
                   const std::string_view level = LevelName(static_cast<LogLevel>(i));
                   samples.Add(counts.lines[i], {{"level", std::string(level)}});
                 }
               });
  registry.AddValue(
      {"coffer_log_dropped_lines_total",
       "Lines that were not written: nobody read them, or the disk was full.", Type::kCounter},
      [&logger] { return static_cast<double>(logger.Counts().dropped); });
}

void AddStorageMetrics(Registry& registry, const storage::Database& database) {
  registry.Add({"coffer_storage_commit_duration_seconds", "Time that a commit of SQLite takes.",
                Type::kHistogram},
               [&database](Samples& samples) { samples.Add(database.Counts().commits); });
  const std::function<storage::DatabaseCounts()> read = [&database] { return database.Counts(); };
  using Counts = storage::DatabaseCounts;
  AddMember(registry,
            {"coffer_storage_commit_failures_total", "Commits that failed.", Type::kCounter}, read,
            &Counts::failed_commits);
  AddMember(registry,
            {"coffer_storage_database_bytes", "Size of the database's file.", Type::kGauge}, read,
            &Counts::database_octets);
  AddMember(registry,
            {"coffer_storage_wal_bytes", "Size of the database's write-ahead log.", Type::kGauge},
            read, &Counts::wal_octets);
}

void AddAuditMetrics(Registry& registry, const audit::Broker& broker) {
  struct Shown {
    const char* name;
    const char* help;
    Type type;
    std::uint64_t audit::DeviceCounts::*member;
  };
  static constexpr Shown kShown[] = {
      {.name = "coffer_audit_entries_total",
       .help = "Entries that the audit device took since the start.",
       .type = Type::kCounter,
       .member = &audit::DeviceCounts::accepted},
      {.name = "coffer_audit_refused_entries_total",
       .help = "Entries that the audit device refused.",
       .type = Type::kCounter,
       .member = &audit::DeviceCounts::refused},
      {.name = "coffer_audit_unsynced_entries",
       .help = "Entries taken that are not on the disk yet.",
       .type = Type::kGauge,
       .member = &audit::DeviceCounts::unsynced},
      {.name = "coffer_audit_unsigned_entries",
       .help = "Entries taken that no signed checkpoint covers yet.",
       .type = Type::kGauge,
       .member = &audit::DeviceCounts::unsigned_entries},
      {.name = "coffer_audit_file_bytes",
       .help = "Size of the audit device's file.",
       .type = Type::kGauge,
       .member = &audit::DeviceCounts::octets},
  };
  for (const Shown& shown : kShown) {
    registry.Add({shown.name, shown.help, shown.type},
                 [&broker, member = shown.member](Samples& samples) {
                   for (const audit::DeviceCounts& device : broker.Counts()) {
                     samples.Add(device.*member, {{"device", device.path}});
                   }
                 });
  }
  registry.Add(
      {"coffer_audit_device_healthy", "Whether the audit device takes entries.", Type::kGauge},
      [&broker](Samples& samples) {
        for (const audit::DeviceCounts& device : broker.Counts()) {
          samples.Add(Flag(device.healthy), {{"device", device.path}});
        }
      });
}

void AddTokenMetrics(Registry& registry, const keyring::KeyRing& keys,
                     const keyring::Custodian& custodian, std::size_t instances) {
  const auto count = [&registry, &keys](const char* name, const char* help,
                                        std::uint64_t pkcs11::Statistics::Count::*member) {
    registry.Add({name, help, Type::kCounter}, [&keys, member](Samples& samples) {
      for (const auto& operation : keys.TokenCounts().operations) {
        samples.Add(operation.*member,
                    {{"operation", std::string(pkcs11::OperationName(operation.operation))},
                     {"mechanism", std::string(operation.mechanism)}});
      }
    });
  };
  count("coffer_token_operations_total", "Operations that the token carried out.",
        &pkcs11::Statistics::Count::done);
  count("coffer_token_operation_failures_total",
        "Operations that failed in the token, forged ciphertexts too.",
        &pkcs11::Statistics::Count::failed);
  registry.Add({"coffer_token_operation_duration_seconds", "Time in the token.", Type::kHistogram},
               [&keys](Samples& samples) {
                 const pkcs11::Statistics counts = keys.TokenCounts();
                 for (std::size_t i = 0; i < pkcs11::kOperationKinds; ++i) {
                   if (counts.durations[i].Count() == 0) continue;
                   const auto kind = static_cast<pkcs11::OperationKind>(i);
                   samples.Add(counts.durations[i],
                               {{"operation", std::string(pkcs11::OperationName(kind))}});
                 }
               });
  registry.AddValue({"coffer_token_sessions", "Open sessions with the token.", Type::kGauge},
                    [&keys] { return static_cast<double>(keys.TokenCounts().open_sessions); });
  registry.AddValue({"coffer_token_instances", "Instances of the token's module.", Type::kGauge},
                    [instances] { return static_cast<double>(instances); });
  registry.AddValue(
      {"coffer_token_orphaned_objects",
       "Token objects of this database without a key, counted at the start.", Type::kGauge},
      [&keys] { return static_cast<double>(keys.OrphanedResidents()); });
  const std::function<keyring::HandleCounts()> handles = [&keys] { return keys.Handles(); };
  using Handles = keyring::HandleCounts;
  AddMember(registry,
            {"coffer_key_handles", "Unwrapped keys that are kept in the token.", Type::kGauge},
            handles, &Handles::cached);
  AddMember(
      registry,
      {"coffer_key_handle_hits_total", "Uses of a key that was unwrapped already.", Type::kCounter},
      handles, &Handles::hits);
  AddMember(registry,
            {"coffer_key_handle_misses_total",
             "Uses of a key that had to be unwrapped or derived first.", Type::kCounter},
            handles, &Handles::misses);
  AddMember(registry,
            {"coffer_key_handle_evictions_total", "Unwrapped keys that made room for others.",
             Type::kCounter},
            handles, &Handles::displaced);
  registry.AddValue({"coffer_custodian_queue_length",
                     "Changes of keys that wait for the custodian.", Type::kGauge},
                    [&custodian] { return static_cast<double>(custodian.Waiting()); });
}

void AddHealthMetrics(Registry& registry, const keyring::Custodian& custodian,
                      const StallWatch& watch, std::function<bool()> ready) {
  registry.AddValue(
      {"coffer_unsealed", "Whether the token can be reached, and the keys with it.", Type::kGauge},
      [&custodian] { return Flag(custodian.Health().reachable.load()); });
  registry.AddValue(
      {"coffer_token_recoveries_total", "How often the token was lost and came back.",
       Type::kCounter},
      [&custodian] { return static_cast<double>(custodian.Health().generation.load() - 1); });
  registry.AddValue(
      {"coffer_stalled",
       "1 while a call into the token, a request or a key change does not return.", Type::kGauge},
      [&watch] { return Flag(watch.AnyStalled()); });
  registry.AddValue(
      {"coffer_ready", "Whether sys/health says that the server can serve.", Type::kGauge},
      [ready = std::move(ready)] { return Flag(ready()); });
}

void AddHttpMetrics(Registry& registry, const std::function<http::ServerCounts()>& read) {
  using Counts = http::ServerCounts;
  AddMember(registry, {"coffer_http_connections", "Open connections.", Type::kGauge}, read,
            &Counts::open);
  AddMember(
      registry,
      {"coffer_http_connections_accepted_total", "Connections that were taken.", Type::kCounter},
      read, &Counts::accepted);
  AddMember(
      registry,
      {"coffer_http_connections_turned_away_total",
       "Connections closed at once: too many, or none of the trusted proxies'.", Type::kCounter},
      read, &Counts::turned_away);
  AddMember(registry,
            {"coffer_http_parked_requests",
             "Requests that wait for the custodian, apart from their connections.", Type::kGauge},
            read, &Counts::parked);
  AddMember(registry,
            {"coffer_http_buffered_bytes", "What the large buffers of requests and answers hold.",
             Type::kGauge},
            read, &Counts::buffered_octets);
}

}  // namespace coffer::server
