#include "server/config/config_file.h"
#include "server/log/log_levels.h"

namespace coffer::server {
namespace {

Result<LogLevel> LevelOf(std::string_view name, const std::string& text, hcl::Position at) {
  if (const auto level = ParseLevel(text)) return *level;
  return hcl::FailAt(at,
                     "\"" + std::string(name) + "\" is \"debug\", \"info\", \"warn\" or \"error\"");
}

Status ReadRooms(const hcl::Value& levels, LogSettings& log) {
  if (levels.kind != hcl::Value::Kind::kObject) {
    return hcl::FailAt(levels.at, "\"log_levels\" is an object such as { http = \"debug\" }");
  }
  hcl::ObjectReader reader(levels, "log_levels");
  for (const std::string_view room : kLoggingRooms) {
    COFFER_ASSIGN(const auto text, reader.Text(room));
    if (!text) continue;
    COFFER_ASSIGN(const LogLevel level, LevelOf(room, *text, reader.At(room)));
    log.rooms.emplace_back(room, level);
  }
  return reader.Finish();
}

}  // namespace

Status ReadLog(hcl::ObjectReader& reader, LogSettings& log) {
  COFFER_ASSIGN(const auto level, reader.Text("log_level"));
  if (level) {
    COFFER_ASSIGN(log.level, LevelOf("log_level", *level, reader.At("log_level")));
  }
  COFFER_ASSIGN(const auto said, reader.Text("log_format"));
  const std::string format = said.value_or("standard");
  if (format != "standard" && format != "json") {
    return hcl::FailAt(reader.At("log_format"), "\"log_format\" is \"standard\" or \"json\"");
  }
  log.format = format == "json" ? LogFormat::kJson : LogFormat::kStandard;
  const hcl::Value* const rooms = reader.Any("log_levels");
  return rooms == nullptr ? Status{} : ReadRooms(*rooms, log);
}

void PrintLog(const LogSettings& log, std::string& out) {
  out.append("log_level = ").append(hcl::Quote(LevelName(log.level))).append("\n");
  out += log.format == LogFormat::kJson ? "log_format = \"json\"\n" : "log_format = \"standard\"\n";
  if (log.rooms.empty()) return;
  out += "log_levels = {\n";
  for (const auto& [room, level] : log.rooms) PrintText(room, LevelName(level), out);
  out += "}\n";
}

}  // namespace coffer::server
