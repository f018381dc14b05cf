// Endpoints that show what a token may do, and why a request is refused.

#include <memory>
#include <string>
#include <utility>

#include "api/named_parameters.h"
#include "api/route.h"
#include "api/vault/system/system_call.h"

namespace coffer::api {
namespace {

std::string_view FrontSlashCut(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  return path;
}

// The bytes of all paths that a request asks about: each is compared with every rule that has "+".
constexpr std::size_t kMostPathBytes = std::size_t{256} * 1024;

std::vector<std::string> PathsAskedFor(const Fields& fields) {
  std::vector<std::string> paths;
  for (const std::string_view name : {"paths", "path"}) {
    const JsonValue* const value = fields.Find(name);
    const auto* const array = value == nullptr ? nullptr : value->As<JsonValue::Array>();
    if (array == nullptr || !paths.empty()) continue;
    for (const JsonValue& one : *array) paths.push_back(*one.As<std::string>());
  }
  return paths;
}

void WriteCapabilities(const auth::AccessRules& rules, std::string_view path, JsonWriter& json) {
  json.BeginArray();
  if (rules.Root()) {
    json.Text(auth::kRootPolicy);
  } else {
    const auth::Permission* const rule = rules.Find(FrontSlashCut(path), true);
    const auth::Capabilities capabilities =
        rule == nullptr ? auth::Capabilities() : rule->capabilities;
    for (const std::string_view name : capabilities.Names()) json.Text(name);
  }
  json.EndArray();
}

Status TellCapabilities(const Call& call, const auth::AccessRules& rules, Reply& reply) {
  constexpr std::size_t kMostPaths = 1000;
  const std::vector<std::string> paths = PathsAskedFor(call.fields);
  if (paths.empty()) return Fail(Code::kInvalid, "paths must be supplied");
  if (paths.size() > kMostPaths) return Fail(Code::kInvalid, "at most 1000 paths at once");
  std::size_t bytes = 0;
  for (const std::string& path : paths) bytes += path.size();
  if (bytes > kMostPathBytes) return Fail(Code::kInvalid, "at most 256 KiB of paths at once");
  JsonWriter& json = reply.json.BeginObject();
  if (paths.size() == 1) WriteCapabilities(rules, paths.front(), json.Key("capabilities"));
  for (const std::string& path : paths) WriteCapabilities(rules, path, json.Key(path));
  json.EndObject();
  return {};
}

// The token that a request is about, and its rules.
Result<auth::Access> AccessOfText(const Call& call, std::string_view text) {
  auto access = PartsOf(call).tokens.Lookup(text);
  if (!access && access.error().code == Code::kPermissionDenied) {
    return Fail(Code::kInvalid, "invalid token");
  }
  return access;
}

Result<auth::Access> AccessOfAccessor(const Call& call) {
  COFFER_ASSIGN(auto token, PartsOf(call).tokens.FindAccessor(call.fields.Text("accessor")));
  if (token == nullptr) return Fail(Code::kInvalid, "invalid accessor");
  auto rules = PartsOf(call).policies.RulesOf(token->policies).rules;
  return auth::Access{std::move(token), std::move(rules)};
}

Status CapabilitiesOfSelf(const Call& call, Reply& reply) {
  return TellCapabilities(call, *call.rules, reply);
}

Status CapabilitiesOfToken(const Call& call, Reply& reply) {
  const std::string_view text = call.fields.Text("token");
  if (text.empty()) return Fail(Code::kInvalid, "token must be supplied");
  COFFER_ASSIGN(const auth::Access access, AccessOfText(call, text));
  return TellCapabilities(call, *access.rules, reply);
}

Status CapabilitiesOfAccessor(const Call& call, Reply& reply) {
  if (call.fields.Text("accessor").empty()) {
    return Fail(Code::kInvalid, "accessor must be supplied");
  }
  COFFER_ASSIGN(const auth::Access access, AccessOfAccessor(call));
  return TellCapabilities(call, *access.rules, reply);
}

void WriteRulesOfKind(const auth::AccessRules& rules, bool exact, JsonWriter& json) {
  json.BeginObject();
  for (const auth::Permission& permission : rules.Permissions()) {
    const bool prefix = permission.path.ends_with('*');
    const bool is_exact = !prefix && permission.path.find('+') == std::string::npos;
    if (is_exact != exact) continue;
    std::string_view path = permission.path;
    if (prefix) path.remove_suffix(1);
    json.Key(path).BeginObject().Key("capabilities").BeginArray();
    for (const std::string_view name : permission.capabilities.Names()) json.Text(name);
    json.EndArray().EndObject();
  }
  json.EndObject();
}

Status ResultantRules(const Call& call, Reply& reply) {
  JsonWriter& json = reply.json.BeginObject();
  json.Key("root").Bool(call.rules->Root());
  WriteRulesOfKind(*call.rules, true, json.Key("exact_paths"));
  WriteRulesOfKind(*call.rules, false, json.Key("glob_paths"));
  json.EndObject();
  return {};
}

Result<Capability> AskedOperation(const Call& call) {
  const std::string_view name = call.fields.Text("operation");
  const auto capability = auth::ParseCapability(name);
  if (!capability || *capability == Capability::kSudo) {
    return Fail(Code::kInvalid,
                "\"operation\" must be create, read, update, patch, delete, list or scan");
  }
  return *capability;
}

// The endpoint that the path leads to, and whether the operation on it is protected.
struct AskedEndpoint {
  const Endpoint* endpoint = nullptr;
  bool sudo = false;
};

AskedEndpoint EndpointAskedFor(const Call& call, std::string_view path, Capability capability) {
  const auto target = Route(call.registry, PartsOf(call).mounts, path);
  if (!target || target->match.endpoint == nullptr) return {};
  const Capability usual = capability == Capability::kCreate ? Capability::kUpdate : capability;
  AskedEndpoint asked{target->match.endpoint, false};
  for (const Operation& operation : target->match.endpoint->operations) {
    if (operation.capability == usual) asked.sudo = operation.sudo;
  }
  return asked;
}

void WriteExplanation(const auth::AccessRules& rules, const auth::Question& question,
                      JsonWriter& json) {
  const auth::Decision decision = rules.Decide(question);
  json.BeginObject().Key("path").Text(question.path);
  json.Key("operation").Text(auth::CapabilityName(question.capability));
  json.Key("allowed").Bool(decision.allowed);
  json.Key("rule");
  decision.rule == nullptr ? json.Null() : json.Text(decision.rule->path);
  json.Key("policies").BeginArray();
  if (decision.rule != nullptr) {
    for (const std::string& policy : decision.rule->policies) json.Text(policy);
  } else if (rules.Root()) {
    json.Text(auth::kRootPolicy);
  }
  json.EndArray();
  json.Key("granted_by").Text(decision.policy);
  json.Key("reason").Text(decision.reason);
  json.Key("would_allow");
  if (decision.allowed) {
    json.Null().EndObject();
    return;
  }
  std::string rule = "path \"" + std::string(question.path) + "\" {\n  capabilities = [\"" +
                     std::string(auth::CapabilityName(question.capability)) + "\"";
  if (question.sudo) rule += ", \"sudo\"";
  json.Text(rule + "]\n}").EndObject();
}

Status Explain(const Call& call, Reply& reply) {
  const Fields& fields = call.fields;
  COFFER_ASSIGN(const Capability capability, AskedOperation(call));
  std::string path(FrontSlashCut(fields.Text("path")));
  if (path.empty()) return Fail(Code::kInvalid, "missing path");
  if (path.size() > kMostPathBytes) return Fail(Code::kInvalid, "a path has at most 256 KiB");
  const bool lists = capability == Capability::kList || capability == Capability::kScan;
  while (path.ends_with('/')) path.pop_back();
  if (lists) path += '/';
  std::shared_ptr<const auth::AccessRules> other;
  if (const std::string_view text = fields.Text("token"); !text.empty()) {
    COFFER_ASSIGN(auto access, AccessOfText(call, text));
    other = std::move(access.rules);
  } else if (!fields.Text("accessor").empty()) {
    COFFER_ASSIGN(auto access, AccessOfAccessor(call));
    other = std::move(access.rules);
  }
  const auth::AccessRules& rules = other == nullptr ? *call.rules : *other;
  const AskedEndpoint asked = EndpointAskedFor(call, path, capability);
  auth::Question question{.path = path, .capability = capability, .sudo = asked.sudo};
  if (const auth::Permission* const rule = rules.Find(path, lists); rule != nullptr && !lists) {
    const JsonValue* const parameters = fields.Find("parameters");
    const JsonValue none{JsonValue::Data(JsonValue::Object())};
    const NamedParameters named(
        parameters == nullptr ? none : *parameters,
        asked.endpoint == nullptr ? std::vector<FieldSpec>() : asked.endpoint->fields);
    question.parameters_refused = auth::AccessRules::CheckParameters(*rule, named.All());
  }
  WriteExplanation(rules, question, reply.json);
  return {};
}

FieldSpec PathsField() { return {"paths", FieldType::kTexts, "", "The paths, without \"/v1/\"."}; }
FieldSpec FormerPathField() { return {"path", FieldType::kTexts, "", "Former name of paths."}; }

void AddCapabilities(std::string_view pattern, std::string_view help, std::vector<FieldSpec> fields,
                     Handler handler, std::vector<Endpoint>& table) {
  Endpoint endpoint{pattern, help, std::move(fields), {}};
  endpoint.operations = {{Verb::kWrite, Capability::kUpdate, handler}};
  endpoint.data_at_top = true;
  endpoint.keeps_state = true;
  table.push_back(std::move(endpoint));
}

}  // namespace

void AddCapabilityEndpoints(std::vector<Endpoint>& table) {
  const FieldSpec token{"token", FieldType::kText, "", "The token.", true};
  const FieldSpec accessor{"accessor", FieldType::kText, "", "The token's accessor."};
  AddCapabilities("capabilities", "What a token may do on paths.",
                  {token, PathsField(), FormerPathField()}, CapabilitiesOfToken, table);
  AddCapabilities("capabilities-self", "What the calling token may do on paths.",
                  {token, PathsField(), FormerPathField()}, CapabilitiesOfSelf, table);
  AddCapabilities("capabilities-accessor", "What the token of an accessor may do on paths.",
                  {accessor, PathsField(), FormerPathField()}, CapabilitiesOfAccessor, table);
  Endpoint resultant{"internal/ui/resultant-acl", "All that the calling token may do.", {}, {}};
  resultant.operations = {{Verb::kRead, Capability::kRead, ResultantRules}};
  table.push_back(std::move(resultant));
  Endpoint explain{"explain", "Which rule decides about an operation, and why.", {}, {}};
  explain.fields = {token,
                    accessor,
                    {"path", FieldType::kText, "", "The path, without \"/v1/\"."},
                    {"operation", FieldType::kText, "read",
                     "create, read, update, patch, delete, list or scan.", false, true},
                    {"parameters", FieldType::kMap, "", "The parameters of the request.", true}};
  explain.operations = {{Verb::kWrite, Capability::kUpdate, Explain}};
  explain.keeps_state = true;
  table.push_back(std::move(explain));
}

}  // namespace coffer::api
