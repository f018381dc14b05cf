#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "coffer/audit/broker.h"
#include "coffer/http/server.h"
#include "coffer/keyring/key_ring.h"
#include "coffer/keyring/token_setup.h"
#include "coffer/transit/engine.h"
#include "server/log/log_line.h"

namespace coffer::server {

// All settings of a server. They come from dev mode or from a configuration file; the rest of the
// server cannot tell which, except by `dev`.
struct Config {
  // The token, its keys, the first mount and the root token are made at the first start, and the
  // root token is kept in a file and shown.
  bool dev = false;
  std::filesystem::path data_directory;
  http::Options http;                            // listeners, workers, limits
  std::vector<http::Listener> health_listeners;  // served by a thread of their own
  // One flag for each listener: true if sys/metrics needs no token there. A listener without a flag
  // needs one.
  std::vector<bool> open_metrics;
  std::vector<bool> health_open_metrics;
  std::size_t key_series = 0;           // keys that the metrics count one by one
  std::filesystem::path dev_authority;  // dev: what clients must trust; empty without -dev-tls
  keyring::TokenLocation token;
  std::filesystem::path softhsm_config;   // SOFTHSM2_CONF; empty: as the environment says
  std::filesystem::path pin_file;         // empty: a systemd credential or the terminal
  std::filesystem::path so_pin_file;      // as for pin_file
  bool accept_readable_pin = false;       // the operator's word: PIN files that others can read
  std::optional<std::string> root_token;  // dev: the root token's wanted value
  std::string cluster_name = "coffer";
  std::vector<audit::DeviceSettings> audit_devices;
  std::vector<std::string> audit_sockets;  // addresses that sys/audit may send records to
  std::filesystem::path audit_directory;   // where sys/audit may enable devices; empty: nowhere
  std::filesystem::path backup_directory;  // where sys/backup writes; empty: nowhere
  keyring::StartPolicy start_policy;
  // Each row of the database is checked once in this time, and the token has an anchor of each
  // change after this time at the latest.
  std::chrono::milliseconds check_period{60'000};
  std::chrono::milliseconds anchor_interval{1'000};
  keyring::CacheLimits cache_limits;
  transit::EngineSettings engine;
  LogSettings log;
  std::chrono::milliseconds drain_deadline{10'000};
};

}  // namespace coffer::server
