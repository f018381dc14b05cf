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
  return reader.Finish();
}

void PrintStorage(const Config& config, std::string& out) {
  out += "storage \"sqlite\" {\n";
  PrintText("path", config.data_directory.string(), out);
  out += "}\n";
}

}  // namespace coffer::server
