#include "cli/output.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/yaml.h"
#include "coffer/base/ascii.h"

namespace coffer::cli {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

Result<json> Parse(std::string_view text) {
  json answer = json::parse(text, nullptr, false);
  if (answer.is_discarded()) return Fail(Code::kInvalid, "the server's answer is not JSON");
  return answer;
}

bool Has(const json& object, const char* member) {
  return object.is_object() && object.contains(member) && !object[member].is_null();
}

// Some answers of the system endpoints have no envelope; the whole answer is then taken for the
// data.
json Enveloped(json answer) {
  if (answer.is_object() && (answer.contains("data") || answer.contains("request_id"))) {
    return answer;
  }
  return json{{"data", std::move(answer)}};
}

ordered_json Ordered(const json& value) { return ordered_json::parse(value.dump()); }

// The envelope in the order in which Vault's client prints it.
ordered_json Envelope(const json& answer) {
  ordered_json shown;
  shown["request_id"] = MemberOf(answer, "request_id", "");
  shown["lease_id"] = MemberOf(answer, "lease_id", "");
  shown["lease_duration"] = MemberOf(answer, "lease_duration", 0);
  shown["renewable"] = MemberOf(answer, "renewable", false);
  shown["data"] = Ordered(MemberOf(answer, "data", nullptr));
  shown["warnings"] = Ordered(MemberOf(answer, "warnings", nullptr));
  for (const char* const name : {"auth", "wrap_info"}) {
    if (Has(answer, name)) shown[name] = Ordered(answer[name]);
  }
  return shown;
}

bool IsDuration(std::string_view name) {
  const auto is = [&](std::string_view word) {
    return name == word || name.ends_with("_" + std::string(word));
  };
  return is("period") || is("ttl") || is("duration") || name == "lease_max" || name == "ttl_max";
}

std::string NamedCell(std::string_view name, const json& value) {
  return value.is_number_integer() && IsDuration(name) ? DurationText(value.get<std::int64_t>())
                                                       : CellOf(value);
}

// A list in the rows about a token: ["a" "b"].
std::string QuotedList(const json& list) {
  std::string text = "[";
  for (const json& item : list.is_array() ? list : json::array()) {
    text += (text.size() == 1 ? "" : " ") + item.dump();
  }
  return text + "]";
}

// A login's values, as its rows and fields are called.
std::vector<std::pair<std::string, json>> AuthValues(const json& auth) {
  const std::int64_t seconds = MemberOf(auth, "lease_duration", 0).get<std::int64_t>();
  std::vector<std::pair<std::string, json>> values{
      {"token", MemberOf(auth, "client_token", "")},
      {"token_accessor", MemberOf(auth, "accessor", "")},
      {"token_duration", seconds == 0 ? "∞" : DurationText(seconds)},
      {"token_renewable", MemberOf(auth, "renewable", false)}};
  for (const char* const name : {"token_policies", "identity_policies", "policies"}) {
    values.emplace_back(name, MemberOf(auth, name, json::array()));
  }
  const json metadata = MemberOf(auth, "metadata", json::object());
  for (const auto& [name, value] : metadata.items()) {
    values.emplace_back("token_meta_" + name, value);
  }
  return values;
}

void AddLease(const json& answer, Rows& rows) {
  const std::int64_t seconds = MemberOf(answer, "lease_duration", 0).get<std::int64_t>();
  if (seconds == 0) return;
  if (const std::string id = MemberOf(answer, "lease_id", "").get<std::string>(); !id.empty()) {
    rows.push_back({"lease_id", id});
    rows.push_back({"lease_duration", DurationText(seconds)});
    rows.push_back({"lease_renewable", CellOf(MemberOf(answer, "renewable", false))});
  } else {
    rows.push_back({"refresh_interval", DurationText(seconds)});
  }
}

std::string Table(const json& answer) {
  const json data = MemberOf(answer, "data", nullptr);
  if (data.is_object() && data.size() == 1 && data.contains("keys") && data["keys"].is_array()) {
    std::string lines = "Keys\n----\n";
    for (const json& key : data["keys"]) lines += CellOf(key) + "\n";
    return lines;
  }
  Rows rows;
  AddLease(answer, rows);
  if (Has(answer, "auth")) {
    for (const auto& [name, value] : AuthValues(answer["auth"])) {
      rows.push_back({name, value.is_array() ? QuotedList(value) : CellOf(value)});
    }
  }
  if (data.is_object()) {
    for (const auto& [name, value] : data.items()) rows.push_back({name, NamedCell(name, value)});
  } else if (!data.is_null()) {
    return CellOf(data) + "\n";
  }
  return rows.empty() ? "" : Columns({"Key", "Value"}, rows);
}

const json* Named(const std::vector<std::pair<std::string, json>>& values, std::string_view name) {
  const auto found = std::ranges::find(values, name, &std::pair<std::string, json>::first);
  return found == values.end() ? nullptr : &found->second;
}

// Null where there is no such field.
json FieldOf(const json& answer, const std::string& field) {
  constexpr std::array<std::string_view, 4> kEnvelope{"lease_duration", "lease_id", "renewable",
                                                      "request_id"};
  if (Has(answer, "auth")) {
    const auto values = AuthValues(answer["auth"]);
    if (const json* const value = Named(values, field)) return *value;
  }
  if (std::ranges::count(kEnvelope, field) > 0) return MemberOf(answer, field.c_str(), nullptr);
  if (field == "refresh_interval") return MemberOf(answer, "lease_duration", nullptr);
  json data = MemberOf(answer, "data", nullptr);
  if (field == "data" && !Has(data, "data")) return data;
  return MemberOf(data, field.c_str(), nullptr);
}

// Breaks the sentence into lines of at most 78 columns, of which the first begins with "  * ".
std::string Wrapped(std::string_view sentence) {
  constexpr std::size_t kWidth = 78;
  std::string text = "  *";
  std::size_t column = text.size();
  while (!sentence.empty()) {
    const std::size_t end = sentence.find(' ');
    const std::string_view word = sentence.substr(0, end);
    sentence.remove_prefix(end == std::string_view::npos ? sentence.size() : end + 1);
    const bool fits = column + 1 + word.size() <= kWidth || column <= 3;
    text.append(fits ? " " : "\n  ").append(word);
    column = fits ? column + 1 + word.size() : 2 + word.size();
  }
  return text;
}

}  // namespace

json MemberOf(const json& object, const char* name, const json& otherwise) {
  return Has(object, name) ? object[name] : otherwise;
}

Result<Format> ParseFormat(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, Format>, 6> kFormats{
      {{"table", Format::kTable},
       {"json", Format::kJson},
       {"yaml", Format::kYaml},
       {"yml", Format::kYaml},
       {"raw", Format::kRaw},
       {"pretty", Format::kPretty}}};
  std::string word(text);
  std::ranges::transform(word, word.begin(), ToLower);
  for (const auto& [name, format] : kFormats) {
    if (name == word) return format;
  }
  return Fail(Code::kInvalid, "Invalid output format: " + std::string(text));
}

Result<std::string> Render(std::string_view text, Format format) {
  if (format == Format::kRaw) return std::string(text) + "\n";
  COFFER_ASSIGN(json parsed, Parse(text));
  const json answer = Enveloped(std::move(parsed));
  if (format == Format::kTable) return Table(answer);
  if (format == Format::kJson) return Envelope(answer).dump(2) + "\n";
  return RenderDocument(json::parse(Envelope(answer).dump()), format);
}

Result<std::string> RenderDocument(const json& document, Format format) {
  if (format == Format::kJson) return document.dump(2) + "\n";
  if (format == Format::kYaml) return ToYaml(document);
  if (format == Format::kRaw) return document.dump() + "\n";
  return Fail(Code::kInvalid,
              "Could not parse output: cannot use the pretty formatter for this type");
}

Result<std::string> RenderField(std::string_view text, Format format, const std::string& field) {
  COFFER_ASSIGN(json parsed, Parse(text));
  const json value = FieldOf(Enveloped(std::move(parsed)), field);
  if (value.is_null()) {
    return Fail(Code::kInvalid, "Field \"" + field + "\" not present in secret");
  }
  if (format == Format::kTable || format == Format::kRaw) return CellOf(value);
  if (format == Format::kJson) return value.dump(2);
  return RenderDocument(value, format);
}

std::string WarningsText(std::string_view text) {
  const json answer = json::parse(text, nullptr, false);
  const json warnings = MemberOf(answer, "warnings", json::array());
  if (!warnings.is_array() || warnings.empty()) return {};
  std::string lines = "WARNING! The following warnings were returned from Vault:\n";
  for (const json& warning : warnings) lines += "\n" + Wrapped(CellOf(warning)) + "\n";
  return lines + "\n";
}

std::string CellOf(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "<nil>";
  if (!value.is_structured()) return value.dump();
  std::string text;
  for (const auto& [name, member] : value.items()) {
    if (!text.empty()) text += ' ';
    if (value.is_object()) text += name + ":";
    text += CellOf(member);
  }
  return (value.is_object() ? "map[" : "[") + text + "]";
}

std::string DurationText(std::int64_t seconds) {
  if (seconds == 0) return "0s";
  std::string text = seconds < 0 ? "-" : "";
  const std::uint64_t all =
      seconds < 0 ? 0 - static_cast<std::uint64_t>(seconds) : static_cast<std::uint64_t>(seconds);
  for (const auto& [count, unit] :
       {std::pair{all / 3600, 'h'}, std::pair{all / 60 % 60, 'm'}, std::pair{all % 60, 's'}}) {
    if (count > 0) text += std::to_string(count) + unit;
  }
  return text;
}

std::string Columns(const std::vector<std::string>& heads,
                    const std::vector<std::vector<std::string>>& rows) {
  const auto cell = [](const std::string& text) { return text.empty() ? "n/a" : text; };
  std::vector<std::string> rules;
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < heads.size(); ++i) {
    rules.emplace_back(heads[i].size(), '-');
    widths.push_back(heads[i].size());
    for (const auto& row : rows) widths[i] = std::max(widths[i], cell(row[i]).size());
  }
  std::string text;
  const auto add = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string shown = cell(row[i]);
      text += shown;
      if (i + 1 < row.size()) text.append(widths[i] + 4 - shown.size(), ' ');
    }
    text += '\n';
  };
  add(heads);
  add(rules);
  for (const auto& row : rows) add(row);
  return text;
}

std::vector<std::string> ErrorsOf(std::string_view text) {
  std::vector<std::string> sentences;
  const json answer = json::parse(text, nullptr, false);
  for (const json& error : MemberOf(answer, "errors", json::array())) {
    sentences.push_back(CellOf(error));
  }
  // A batch of which an item failed is refused in its items.
  std::size_t number = 0;
  for (const json& item :
       MemberOf(MemberOf(answer, "data", nullptr), "batch_results", json::array())) {
    if (Has(item, "error")) {
      sentences.push_back("batch_input[" + std::to_string(number) + "]: " + CellOf(item["error"]));
    }
    ++number;
  }
  return sentences;
}

std::string RefusalText(std::string_view method, std::string_view url, long status,
                        std::string_view answer) {
  std::string text = "Error making API request.\n\nURL: ";
  text.append(method).append(" ").append(url).append("\nCode: ").append(std::to_string(status));
  if (!json::parse(answer, nullptr, false).is_object() && !answer.empty()) {
    return text.append(". Raw Message:\n\n").append(answer);
  }
  text += ". Errors:\n";
  for (const std::string& sentence : ErrorsOf(answer)) text.append("\n* ").append(sentence);
  return text;
}

}  // namespace coffer::cli
