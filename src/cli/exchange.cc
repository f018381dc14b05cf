#include "cli/exchange.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "coffer/base/standard_output.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

std::string PolicyText(const Request& request) {
  std::string capability = request.method == "GET"      ? "\"read\""
                           : request.method == "DELETE" ? "\"delete\""
                           : request.method == "PATCH"  ? "\"patch\""
                                                        : "\"create\", \"update\"";
  if (request.path.find("?list=true") != std::string::npos) capability = "\"list\"";
  if (request.path.find("?scan=true") != std::string::npos) capability = "\"scan\"";
  return "path \"" + request.path.substr(0, request.path.find('?')) + "\" {\n  capabilities = [" +
         capability + "]\n}\n";
}

// Names a request as Go does in its errors: Get "URL".
std::string Named(std::string_view method, const std::string& url) {
  std::string name(method);
  for (std::size_t i = 1; i < name.size(); ++i) {
    name[i] = static_cast<char>(std::tolower(static_cast<unsigned char>(name[i])));
  }
  return name + " \"" + url + "\"";
}

// A 404. Where a namespace was asked for, it may be what is absent.
int SayAbsent(const Invocation& call, const std::string& path, std::string_view answer) {
  std::string text = "No value found at " + path;
  if (!call.target.name_space.empty()) {
    for (const std::string& sentence : ErrorsOf(answer)) text += ": " + sentence;
  }
  return Complain(text, kRemoteFailure);
}

int ShowText(const Result<std::string>& text) {
  if (!text) return Complain(text.error().message, kLocalFailure);
  PrintOutput(*text);
  return kDone;
}

// A list with what the engine says of each key, a column for each of its facts; for programs the
// whole answer.
int ShowDetailed(const Invocation& call, const std::string& answer, const json& parsed) {
  const json info = parsed.value("/data/key_info"_json_pointer, json::object());
  if (call.format != Format::kTable || !info.is_object()) return Show(call, answer);
  std::vector<std::string> heads{"Keys"};
  for (const auto& [key, facts] : info.items()) {
    if (!facts.is_object()) continue;
    for (const auto& [name, value] : facts.items()) {
      if (std::ranges::find(heads, name) == heads.end()) heads.push_back(name);
    }
  }
  std::vector<std::vector<std::string>> rows;
  for (const json& key : parsed.at("data").at("keys")) {
    std::vector<std::string>& row = rows.emplace_back();
    row.push_back(CellOf(key));
    const json facts = MemberOf(info, row.front().c_str(), json::object());
    for (std::size_t i = 1; i < heads.size(); ++i) {
      row.push_back(CellOf(MemberOf(facts, heads[i].c_str(), "")));
    }
  }
  std::fputs(WarningsText(answer).c_str(), stderr);
  PrintOutput(Columns(heads, rows));
  return kDone;
}

}  // namespace

int Complain(std::string_view sentence, int code) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(sentence.size()), sentence.data());
  return code;
}

std::optional<Answer> Ask(const Invocation& call, const Request& request, int& code) {
  VaultClient client(call.target);
  code = kDone;
  if (call.target.print_curl) {
    PrintOutput(client.CurlCommand(request.method, request.path, request.body) + "\n");
    return std::nullopt;
  }
  if (call.print_policy) {
    PrintOutput(PolicyText(request));
    return std::nullopt;
  }
  auto answer = client.Call(request.method, request.path, request.body);
  if (!answer) {
    code = Complain(request.failure + ": " + Named(request.method, client.UrlOf(request.path)) +
                        ": " + answer.error().message,
                    kRemoteFailure);
    return std::nullopt;
  }
  if (answer->status >= 400 && !(answer->status == 404 && request.may_be_absent)) {
    std::fputs(WarningsText(answer->body).c_str(), stderr);
    code = Complain(
        request.failure + ": " +
            RefusalText(request.method, client.UrlOf(request.path), answer->status, answer->body),
        kRemoteFailure);
    if (answer->status == 403 && call.target.token.empty() && ::isatty(STDERR_FILENO) == 1) {
      Complain("\nNo token was sent: give one with coffer login, or in VAULT_TOKEN.", code);
    }
    return std::nullopt;
  }
  return *std::move(answer);
}

int Show(const Invocation& call, std::string_view answer) {
  if (call.format == Format::kTable || !call.field.empty()) {
    std::fputs(WarningsText(answer).c_str(), stderr);
  }
  if (call.field.empty()) return ShowText(Render(answer, call.format));
  const int shown = ShowText(RenderField(answer, call.format, call.field));
  // A program gets the value alone. On a terminal a newline follows, so that the prompt does not
  // stand on the same line.
  if (shown == kDone && ::isatty(STDOUT_FILENO) == 1) std::fputc('\n', stdout);
  return shown;
}

int ShowDocument(const Invocation& call, const json& document) {
  return ShowText(RenderDocument(document, call.format));
}

void Say(const Invocation& call, std::string_view sentence) {
  if (call.format == Format::kTable) PrintOutput(std::string(sentence) + "\n");
}

int Exchange(const Invocation& call, const Request& request, std::string_view success) {
  int code = kDone;
  const auto answer = Ask(call, request, code);
  if (!answer) return code;
  if (!answer->body.empty()) return Show(call, answer->body);
  Say(call, success);
  return kDone;
}

int ExchangeRead(const Invocation& call, const std::string& path, const std::string& query) {
  int code = kDone;
  const auto answer = Ask(call, {"GET", path + query, "", "Error reading " + path, true}, code);
  if (!answer) return code;
  if (answer->status == 404 || answer->body.empty()) {
    std::fputs(WarningsText(answer->body).c_str(), stderr);
    return SayAbsent(call, path, answer->body);
  }
  return Show(call, answer->body);
}

int ExchangeList(const Invocation& call, const std::string& path, const std::string& query,
                 std::string_view verb) {
  std::string asked = path + "?" + std::string(verb) + "=true";
  if (!query.empty()) asked += "&" + query.substr(1);
  int code = kDone;
  const auto answer = Ask(call, {"GET", asked, "", "Error listing " + path, true}, code);
  if (!answer) return code;
  const json parsed = json::parse(answer->body, nullptr, false);
  const json keys = parsed.is_object() ? parsed.value("/data/keys"_json_pointer, json()) : json();
  if (answer->status == 404 || !keys.is_array() || keys.empty()) {
    std::fputs(WarningsText(answer->body).c_str(), stderr);
    if (call.format == Format::kTable) return SayAbsent(call, path, answer->body);
    PrintOutput("{}\n");
    return kRemoteFailure;
  }
  if (call.format == Format::kRaw) return Show(call, answer->body);
  if (call.Has("detailed")) return ShowDetailed(call, answer->body, parsed);
  return call.format == Format::kTable ? Show(call, answer->body) : ShowDocument(call, keys);
}

}  // namespace coffer::cli
