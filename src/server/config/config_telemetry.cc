#include "server/config/config_file.h"

namespace coffer::server {
namespace {

constexpr std::int64_t kMaxKeySeries = 10'000;

}  // namespace

// telemetry { ... } of the whole server.
Status ReadTelemetry(const hcl::Block& block, Config& config) {
  hcl::ObjectReader reader(*block.body, "telemetry");
  COFFER_ASSIGN(const auto series, reader.Integer("key_series", 0, kMaxKeySeries));
  if (series) config.key_series = static_cast<std::size_t>(*series);
  return reader.Finish();
}

void PrintTelemetry(const Config& config, std::string& out) {
  out += "telemetry {\n";
  PrintInteger("key_series", static_cast<std::int64_t>(config.key_series), out);
  out += "}\n";
}

// telemetry { ... } of a listener.
Result<bool> ReadListenerTelemetry(hcl::ObjectReader& listener) {
  COFFER_ASSIGN(const auto blocks, listener.Blocks("telemetry", 0));
  if (blocks.size() > 1) return hcl::FailAt(blocks[1].at, "\"telemetry\" was set before");
  if (blocks.empty()) return false;
  hcl::ObjectReader reader(*blocks.front().body, "the listener's telemetry");
  COFFER_ASSIGN(const auto open, reader.Boolean("unauthenticated_metrics_access"));
  COFFER_TRY(reader.Finish());
  return open.value_or(false);
}

}  // namespace coffer::server
