// The policies, under their path and under their former one.

#include <algorithm>
#include <string>
#include <utility>

#include "api/vault/request_reader.h"
#include "api/vault/system/system_call.h"
#include "coffer/base/base64.h"
#include "coffer/base/utf8.h"

namespace coffer::api {
namespace {

// The policy that a request names. "Admin" is "admin": a rule of the caller for the path with the
// stored name decides, too, so that no other spelling gets past it.
Result<std::string> NameOfPolicy(const Call& call) {
  const std::string_view given = call.fields.Text("name");
  COFFER_ASSIGN(std::string name, auth::PolicyName(given));
  if (name == given) return name;
  std::string_view place = PathOf(call.request);
  if (place.ends_with('/')) place.remove_suffix(1);
  const std::string path = std::string(place.substr(0, place.size() - given.size())) + name;
  if (call.rules->Find(path, false) != nullptr &&
      !call.rules->Decide({.path = path, .capability = call.capability}).allowed) {
    return Fail(Refusal::kPermissionDenied);
  }
  return name;
}

void WritePolicyNames(const std::vector<std::string>& names, JsonWriter& json) {
  json.BeginArray();
  bool root_is_written = false;
  for (const std::string& name : names) {
    if (!root_is_written && name > auth::kRootPolicy) {
      json.Text(auth::kRootPolicy);
      root_is_written = true;
    }
    json.Text(name);
  }
  if (!root_is_written) json.Text(auth::kRootPolicy);
  json.EndArray();
}

Status ListPolicies(const Call& call, Reply& reply) {
  JsonWriter& json = reply.json.BeginObject();
  WritePolicyNames(PartsOf(call).policies.Names(), json.Key("keys"));
  json.EndObject();
  return {};
}

Status ListPoliciesFormerly(const Call& call, Reply& reply) {
  const auto names = PartsOf(call).policies.Names();
  JsonWriter& json = reply.json.BeginObject();
  WritePolicyNames(names, json.Key("keys"));
  WritePolicyNames(names, json.Key("policies"));
  json.EndObject();
  return {};
}

Status ReadPolicyAs(const Call& call, std::string_view text_member, Reply& reply) {
  COFFER_ASSIGN(const std::string name, NameOfPolicy(call));
  COFFER_ASSIGN(const auth::StoredPolicy policy, PartsOf(call).policies.Read(name));
  JsonWriter& json = reply.json.BeginObject();
  json.Key("name").Text(name);
  json.Key(text_member).Text(policy.text);
  json.EndObject();
  return {};
}

Status ReadPolicy(const Call& call, Reply& reply) { return ReadPolicyAs(call, "policy", reply); }

Status ReadPolicyFormerly(const Call& call, Reply& reply) {
  return ReadPolicyAs(call, "rules", reply);
}

Status WritePolicy(const Call& call, Reply& reply) {
  COFFER_ASSIGN(const std::string name, NameOfPolicy(call));
  std::string text(call.fields.Text("policy"));
  if (text.empty()) text = call.fields.Text("rules");
  if (text.empty()) return Fail(Code::kInvalid, "'policy' parameter not supplied or empty");
  // Some clients send it in Base64.
  if (const auto decoded = Base64Decode(text); decoded && IsUtf8(AsText(*decoded))) {
    text = AsText(*decoded);
  }
  Status written = PartsOf(call).policies.Write(name, text);
  if (!written && written.error().code == Code::kInvalid && name != auth::kRootPolicy) {
    return Fail(Code::kInvalid, "failed to parse policy: " + written.error().message);
  }
  COFFER_TRY(written);
  if (name == call.fields.Text("name")) return reply.NoContent();
  reply.warnings.push_back("policy name was converted to " + name);
  return {};
}

Status DeletePolicy(const Call& call, Reply& reply) {
  COFFER_ASSIGN(const std::string name, NameOfPolicy(call));
  COFFER_TRY(PartsOf(call).policies.Delete(name));
  return reply.NoContent();
}

bool PolicyExists(const Call& call) {
  const auto name = auth::PolicyName(call.fields.Text("name"));
  return name && PartsOf(call).policies.Exists(*name);
}

Endpoint PolicyEndpoint(std::string_view pattern, Handler read) {
  Endpoint policy{pattern, "A policy.", {}, {}};
  policy.fields = {{"name", FieldType::kText, "", "The policy's name."},
                   {"policy", FieldType::kText, "", "Its text: HCL or JSON, or that in Base64."},
                   {"rules", FieldType::kText, "", "Former name of policy."}};
  policy.operations = {{Verb::kRead, Capability::kRead, read},
                       {Verb::kWrite, Capability::kUpdate, WritePolicy, true},
                       {Verb::kDelete, Capability::kDelete, DeletePolicy, true}};
  policy.exists = PolicyExists;
  return policy;
}

}  // namespace

void AddPolicyEndpoints(std::vector<Endpoint>& table) {
  Endpoint list{"policies/acl", "The names of the policies.", {}, {}};
  list.operations = {{Verb::kList, Capability::kList, ListPolicies}};
  table.push_back(std::move(list));
  table.push_back(PolicyEndpoint("policies/acl/*name", ReadPolicy));
  Endpoint former{"policy", "The names of the policies, at their former path.", {}, {}};
  former.operations = {{Verb::kRead, Capability::kRead, ListPoliciesFormerly},
                       {Verb::kList, Capability::kList, ListPoliciesFormerly}};
  former.data_at_top = true;
  table.push_back(std::move(former));
  Endpoint one = PolicyEndpoint("policy/*name", ReadPolicyFormerly);
  one.data_at_top = true;
  table.push_back(std::move(one));
}

}  // namespace coffer::api
