#include "server/log/log_line.h"

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "coffer/base/bytes.h"

namespace coffer::server {
namespace {

struct Word {
  std::string_view text;
  LogLevel level;
};
// The first of each level is its name.
constexpr std::array kWords{Word{"debug", LogLevel::kDebug},  Word{"info", LogLevel::kInfo},
                            Word{"warn", LogLevel::kWarn},    Word{"error", LogLevel::kError},
                            Word{"trace", LogLevel::kDebug},  Word{"notice", LogLevel::kInfo},
                            Word{"warning", LogLevel::kWarn}, Word{"err", LogLevel::kError}};

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// A value from outside must neither begin a line of its own nor end its quotes.
void AppendQuoted(std::string_view value, std::string& line) {
  line += '"';
  for (const char c : value) {
    if (IsControl(c)) {
      line += "\\x";
      AppendHex(std::array{static_cast<std::uint8_t>(c)}, line);
      continue;
    }
    if (c == '"' || c == '\\') line += '\\';
    line += c;
  }
  line += '"';
}

void AppendField(std::string_view name, std::string_view value, std::string& line) {
  line.append(" ").append(name).append("=");
  AppendQuoted(value, line);
}

std::string StandardLine(const LogLine& line) {
  std::string text = Rfc3339(line.time);
  text.append(" ").append(LevelName(line.level)).append(" ").append(line.room).append(": ");
  for (const char c : line.message) text += IsControl(c) ? '?' : c;
  if (!line.request_id.empty()) AppendField("request_id", line.request_id, text);
  for (const LogField& field : line.fields) AppendField(field.name, field.value, text);
  text += '\n';
  return text;
}

std::string JsonLine(const LogLine& line) {
  nlohmann::ordered_json object;
  object["time"] = Rfc3339(line.time);
  object["level"] = std::string(LevelName(line.level));
  object["room"] = std::string(line.room);
  object["message"] = std::string(line.message);
  if (!line.request_id.empty()) object["request_id"] = std::string(line.request_id);
  for (const LogField& field : line.fields) object[std::string(field.name)] = field.value;
  // Text that is not UTF-8, such as an operating system's, is replaced, so that the line is not
  // lost.
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string_view LevelName(LogLevel level) { return kWords[static_cast<std::size_t>(level)].text; }

std::optional<LogLevel> ParseLevel(std::string_view text) {
  for (const Word& word : kWords) {
    if (word.text == text) return word.level;
  }
  return std::nullopt;
}

std::string FormatLine(LogFormat format, const LogLine& line) {
  return format == LogFormat::kJson ? JsonLine(line) : StandardLine(line);
}

}  // namespace coffer::server
