#include "server/config/config_file.h"

namespace coffer::server {

Status ReadStorage(const hcl::Block& block, Config& config) {
  const hcl::Label& kind = block.labels.front();
  if (kind.text != "sqlite") {
    return hcl::FailAt(kind.at, "storage is \"sqlite\", not \"" + kind.text + "\"");
  }
  hcl::ObjectReader reader(*block.body, "storage \"sqlite\"");
  COFFER_ASSIGN(const auto path, reader.Text("path"));
  if (!path) return reader.Missing("path", block.at);
  COFFER_ASSIGN(config.data_directory, AbsolutePath("path", *path, reader.At("path")));
  constexpr std::int64_t kLongestPeriod = 7L * 24 * 3600;
  COFFER_ASSIGN(const auto period, reader.Seconds("check_period", 1, kLongestPeriod));
  if (period) config.check_period = std::chrono::seconds(*period);
  COFFER_ASSIGN(const auto interval, reader.Seconds("anchor_interval", 1, kLongestPeriod));
  if (interval) config.anchor_interval = std::chrono::seconds(*interval);
  return reader.Finish();
}

void PrintStorage(const Config& config, std::string& out) {
  out += "storage \"sqlite\" {\n";
  PrintText("path", config.data_directory.string(), out);
  PrintSeconds("check_period", config.check_period, out);
  PrintSeconds("anchor_interval", config.anchor_interval, out);
  out += "}\n";
}

}  // namespace coffer::server
