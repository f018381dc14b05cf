#include "cli/output.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace coffer::cli {
namespace {

using nlohmann::json;

std::string TextOf(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string Table(const json& data) {
  if (!data.is_object()) return TextOf(data) + "\n";
  if (data.size() == 1 && data.contains("keys") && data["keys"].is_array()) {
    std::string lines = "Keys\n----\n";
    for (const json& key : data["keys"]) lines += TextOf(key) + "\n";
    return lines;
  }
  std::size_t width = 3;
  for (const auto& [name, value] : data.items()) width = std::max(width, name.size());
  const auto row = [&](const std::string& name, const std::string& value) {
    return name + std::string(width + 4 - name.size(), ' ') + value + "\n";
  };
  std::string lines = row("Key", "Value") + row("---", "-----");
  for (const auto& [name, value] : data.items()) lines += row(name, TextOf(value));
  return lines;
}

// Block style; a JSON string is a YAML string in double quotes.
void AppendYaml(const json& value, std::size_t depth, std::string& out) {
  const std::string indent(2 * depth, ' ');
  if (value.is_object() && !value.empty()) {
    for (const auto& [name, member] : value.items()) {
      out += indent + json(name).dump() + ":";
      const bool nested = (member.is_object() || member.is_array()) && !member.empty();
      out += nested ? "\n" : " ";
      AppendYaml(member, nested ? depth + 1 : 0, out);
    }
  } else if (value.is_array() && !value.empty()) {
    for (const json& item : value) {
      const bool nested = (item.is_object() || item.is_array()) && !item.empty();
      out += indent + (nested ? "-\n" : "- ");
      AppendYaml(item, nested ? depth + 1 : 0, out);
    }
  } else {
    out += value.dump() + "\n";
  }
}

std::string Yaml(const json& value) {
  std::string out;
  AppendYaml(value, 0, out);
  return out;
}

Result<json> Parse(std::string_view text) {
  json answer = json::parse(text, nullptr, false);
  if (answer.is_discarded()) return Fail(Code::kInvalid, "the server's answer is not JSON");
  return answer;
}

const json& DataOf(const json& answer) {
  const bool enveloped = answer.is_object() && answer.contains("data") && !answer["data"].is_null();
  return enveloped ? answer["data"] : answer;
}

// The object in which `field` is looked for.
const json& HolderOf(const json& answer, std::string_view field) {
  constexpr std::array<std::string_view, 4> kEnvelope{"lease_duration", "lease_id", "renewable",
                                                      "request_id"};
  const json& data = DataOf(answer);
  if (std::ranges::count(kEnvelope, field) > 0) return answer;
  return field == "data" && data.is_object() && !data.contains("data") ? answer : data;
}

}  // namespace

Result<std::string> Render(std::string_view text, Format format) {
  COFFER_ASSIGN(const json answer, Parse(text));
  switch (format) {
    case Format::kJson:
      return answer.dump(2) + "\n";
    case Format::kYaml:
      return Yaml(answer);
    case Format::kTable:
      break;
  }
  return Table(DataOf(answer));
}

Result<std::string> RenderField(std::string_view text, Format format, const std::string& field) {
  COFFER_ASSIGN(const json answer, Parse(text));
  const json& holder = HolderOf(answer, field);
  if (!holder.is_object() || !holder.contains(field) || holder[field].is_null()) {
    return Fail(Code::kInvalid, "the answer has no field " + field);
  }
  const json& value = holder[field];
  switch (format) {
    case Format::kJson:
      return value.dump(2);
    case Format::kYaml:
      return Yaml(value);
    case Format::kTable:
      break;
  }
  return TextOf(value);
}

std::string Columns(const std::vector<std::string>& heads,
                    const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::string> rules;
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < heads.size(); ++i) {
    rules.emplace_back(heads[i].size(), '-');
    widths.push_back(heads[i].size());
    for (const auto& row : rows) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  const auto add = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] + 4 - row[i].size(), ' ');
    }
    text += '\n';
  };
  add(heads);
  add(rules);
  for (const auto& row : rows) add(row);
  return text;
}

std::string ErrorText(long status, std::string_view text) {
  const auto plain = [](std::string sentence) {
    // As the API frames a single one.
    constexpr std::string_view kFrame = "1 error occurred:\n\t* ";
    if (sentence.starts_with(kFrame)) sentence.erase(0, kFrame.size());
    while (sentence.ends_with('\n')) sentence.pop_back();
    return sentence;
  };
  const json answer = json::parse(text, nullptr, false);
  std::string sentences;
  if (answer.is_object() && answer.contains("errors") && answer["errors"].is_array()) {
    for (const json& error : answer["errors"]) {
      sentences += (sentences.empty() ? "" : "; ") + plain(TextOf(error));
    }
  }
  if (sentences.empty()) {
    sentences = status == 404 ? "nothing is there" : "the server gave no reason";
  }
  return sentences + " (status " + std::to_string(status) + ")";
}

}  // namespace coffer::cli
