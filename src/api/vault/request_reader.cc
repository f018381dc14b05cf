#include "api/vault/request_reader.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "coffer/base/ascii.h"
#include "coffer/base/parse.h"
#include "coffer/base/secret_bytes.h"
#include "coffer/base/utf8.h"

namespace coffer::api {
namespace {

// The blanks that clients put around a media type or a token.
constexpr std::string_view kBlanks = " \t\r\n";

// The media type without its parameters.
std::string_view MediaType(const http::Request& request) {
  const std::string_view type = request.Header("content-type");
  return Trim(type.substr(0, type.find(';')), kBlanks);
}

std::ptrdiff_t CountOf(const http::Request& request, std::string_view name) {
  return std::count_if(request.headers.begin(), request.headers.end(),
                       [&](const auto& header) { return header.first == name; });
}

const std::string* QueryValue(const http::Request& request, std::string_view name) {
  for (const auto& [key, value] : request.query) {
    if (key == name) return &value;
  }
  return nullptr;
}

Result<bool> QueryFlag(const http::Request& request, std::string_view name) {
  const std::string* const value = QueryValue(request, name);
  if (value == nullptr || value->empty()) return false;
  const auto flag = ParseBool(*value);
  if (!flag) {
    return Fail(Code::kInvalid,
                "failed to parse query parameter \"" + std::string(name) + "\": not a boolean");
  }
  return *flag;
}

JsonValue TextValue(std::string text) { return JsonValue(JsonValue::Data(std::move(text))); }

// Adds a parameter; a name that occurs more than once becomes a list.
void AddParameter(JsonValue::Object& object, std::string name, std::string text) {
  for (JsonValue::Member& member : object) {
    if (member.name != name) continue;
    if (member.value.As<JsonValue::Array>() == nullptr) {
      JsonValue::Array list;
      list.push_back(std::move(member.value));
      member.value = JsonValue(JsonValue::Data(std::move(list)));
    }
    member.value.As<JsonValue::Array>()->push_back(TextValue(std::move(text)));
    return;
  }
  object.push_back({std::move(name), TextValue(std::move(text))});
}

Result<JsonValue> ReadForm(std::string_view body) {
  // No endpoint has more than a dozen parameters; AddParameter compares the names of all of them.
  constexpr std::size_t kMaxPairs = 256;
  constexpr std::size_t kMaxName = 1024;
  JsonValue parameters{JsonValue::Data(JsonValue::Object())};
  auto& object = *parameters.As<JsonValue::Object>();
  // A vector that grows would leave short texts in freed memory, so it gets all its room now.
  const auto separators = static_cast<std::size_t>(std::count(body.begin(), body.end(), '&'));
  object.reserve(std::min(kMaxPairs, separators + 1));
  std::size_t pairs = 0;
  while (!body.empty()) {
    const std::string_view pair = body.substr(0, body.find('&'));
    body.remove_prefix(std::min(body.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    std::string name;
    std::string value;
    const bool decoded =
        PercentDecode(pair.substr(0, equals), true, name) &&
        (equals == std::string_view::npos || PercentDecode(pair.substr(equals + 1), true, value));
    if (!decoded || !IsUtf8(name) || !IsUtf8(value) || name.size() > kMaxName ||
        ++pairs > kMaxPairs) {
      SecureWipe(value.data(), value.size());
      parameters.Wipe();
      return Fail(Code::kInvalid, "failed to parse form data");
    }
    AddParameter(object, std::move(name), std::move(value));
  }
  return parameters;
}

// Reads the query. The http room has already checked its texts and their number.
JsonValue ReadQuery(const http::Request& request) {
  JsonValue::Object object;
  for (const auto& [name, value] : request.query) {
    if (name == "list" || name == "scan" || name == "help") continue;
    AddParameter(object, name, value);
  }
  return JsonValue(JsonValue::Data(std::move(object)));
}

}  // namespace

std::string_view PathOf(const http::Request& request) {
  std::string_view path = request.path;
  if (!path.starts_with(kApiPrefix)) return {};
  path.remove_prefix(kApiPrefix.size());
  return path;
}

std::string_view TokenOf(const http::Request& request) {
  const std::string_view token = request.Header("x-vault-token");
  if (!token.empty()) return token;
  constexpr std::string_view kBearer = "bearer ";
  const std::string_view authorization = request.Header("authorization");
  if (authorization.size() > kBearer.size() &&
      EqualsIgnoringCase(authorization.substr(0, kBearer.size()), kBearer)) {
    return Trim(authorization.substr(kBearer.size()), kBlanks);
  }
  return {};
}

Status CheckHeaders(const http::Request& request) {
  // A header that stands twice is refused: a proxy may believe the one and this server the other.
  if (CountOf(request, "x-vault-token") > 1) {
    return Fail(Code::kInvalid, "more than one X-Vault-Token header");
  }
  if (CountOf(request, "authorization") > 1) {
    return Fail(Code::kInvalid, "more than one Authorization header");
  }
  if (CountOf(request, "x-vault-namespace") > 1) {
    return Fail(Code::kInvalid, "more than one X-Vault-Namespace header");
  }
  const std::string_view space = request.Header("x-vault-namespace");
  if (!space.empty() && space != "root" && space != "root/" && space != "/") {
    return Fail(Code::kNotFound, "namespace not found");
  }
  const std::string_view wrap = request.Header("x-vault-wrap-ttl");
  if (!wrap.empty() && ParseDurationSeconds(wrap).value_or(-1) != 0) {
    return Fail(Code::kInvalid, "response wrapping is not enabled on this server");
  }
  if (request.method == http::Method::kPatch &&
      !EqualsIgnoringCase(MediaType(request), "application/merge-patch+json")) {
    return Fail(Refusal::kUnsupportedMedia,
                {.name = std::string(IsUtf8(MediaType(request)) ? MediaType(request) : "binary")});
  }
  return {};
}

Result<Verb> VerbOf(const http::Request& request) {
  switch (request.method) {
    case http::Method::kGet: {
      COFFER_ASSIGN(const bool list, QueryFlag(request, "list"));
      COFFER_ASSIGN(const bool scan, QueryFlag(request, "scan"));
      if (list && scan) return Fail(Code::kInvalid, "cannot request both list and scan");
      if (list) return Verb::kList;
      return scan ? Verb::kScan : Verb::kRead;
    }
    case http::Method::kHead:
      return Verb::kRead;
    case http::Method::kPost:
    case http::Method::kPut:
      return Verb::kWrite;
    case http::Method::kPatch:
      return Verb::kPatch;
    case http::Method::kDelete:
      return Verb::kDelete;
    case http::Method::kList:
      return Verb::kList;
    case http::Method::kScan:
      return Verb::kScan;
    case http::Method::kOptions:
      break;
  }
  return Fail(Refusal::kUnsupportedVerb);
}

bool WantsHelp(const http::Request& request) {
  if (request.method != http::Method::kGet) return false;
  const std::string* const help = QueryValue(request, "help");
  return help != nullptr && ParseBool(*help).value_or(false);
}

bool BodyIsJson(const http::Request& request, Verb verb) {
  if (verb != Verb::kWrite && verb != Verb::kPatch) return false;
  const std::size_t first = request.body.find_first_not_of(" \t\r\n");
  const bool json_anyway =
      first != std::string_view::npos && (request.body[first] == '{' || request.body[first] == '[');
  return json_anyway ||
         !EqualsIgnoringCase(MediaType(request), "application/x-www-form-urlencoded");
}

std::size_t ParametersSize(std::string_view body) {
  std::size_t values = 1;
  for (const char c : body) {
    const bool begins_one = c == ',' || c == '[' || c == '{' || c == '&';
    values += begins_one ? 1 : 0;
  }
  // While a list grows, it is in memory twice.
  return body.size() + values * 2 * sizeof(JsonValue::Member);
}

Result<JsonValue> ReadParameters(const http::Request& request, Verb verb) {
  if (verb != Verb::kWrite && verb != Verb::kPatch) return ReadQuery(request);
  return BodyIsJson(request, verb) ? ParseJson(request.body) : ReadForm(request.body);
}

}  // namespace coffer::api
