// The roles that tokens are made with.

#include <optional>
#include <utility>

#include "api/vault/token/token_call.h"
#include "coffer/auth/token_plan.h"

namespace coffer::api {
namespace {

std::string RoleName(const Call& call) { return std::string(call.fields.Text("role_name")); }

void WriteNames(std::string_view name, const std::vector<std::string>& texts, JsonWriter& json) {
  json.Key(name).BeginArray();
  for (const std::string& text : texts) json.Text(text);
  json.EndArray();
}

Status ListRoles(const Call& call, Reply& reply) {
  COFFER_ASSIGN(const auto names, TokenPartsOf(call).roles.Names());
  if (names.empty()) return Fail(Code::kNotFound, "");
  reply.json.BeginObject();
  WriteNames("keys", names, reply.json);
  reply.json.EndObject();
  return {};
}

Status ReadRole(const Call& call, Reply& reply) {
  COFFER_ASSIGN(const auto role, TokenPartsOf(call).roles.Read(RoleName(call)));
  if (!role) return Fail(Code::kNotFound, "");
  JsonWriter& json = reply.json.BeginObject();
  json.Key("name").Text(role->name);
  WriteNames("allowed_policies", role->allowed_policies, json);
  WriteNames("allowed_policies_glob", role->allowed_policies_glob, json);
  WriteNames("disallowed_policies", role->disallowed_policies, json);
  WriteNames("disallowed_policies_glob", role->disallowed_policies_glob, json);
  WriteNames("allowed_entity_aliases", {}, json);
  WriteNames("token_bound_cidrs", role->bound_cidrs, json);
  json.Key("orphan").Bool(role->orphan).Key("renewable").Bool(role->renewable);
  json.Key("path_suffix").Text(role->path_suffix);
  json.Key("token_period").Int(role->period);
  json.Key("token_explicit_max_ttl").Int(role->explicit_max_ttl);
  json.Key("explicit_max_ttl").Int(0).Key("period").Int(0);
  json.Key("token_num_uses").Int(role->uses);
  json.Key("token_no_default_policy").Bool(role->no_default_policy);
  json.Key("token_type").Text("default-service");
  json.EndObject();
  return {};
}

// A setting under its name, or its older one, if it was given.
template <typename Value, typename Read>
void TakeSetting(const Fields& fields, std::string_view name, std::string_view older, Value& value,
                 const Read& read) {
  if (fields.Given(name)) {
    value = read(name);
  } else if (!older.empty() && fields.Given(older)) {
    value = read(older);
  }
}

Status CheckRoleFields(const Fields& fields) {
  if (fields.Has("allowed_entity_aliases") && !TextsOf(fields, "allowed_entity_aliases").empty()) {
    return Fail(Code::kInvalid, "'allowed_entity_aliases' is not supported on this server");
  }
  const std::string_view type = fields.Text("token_type");
  if (!type.empty() && type != "service" && type != "default-service") {
    return Fail(Code::kInvalid, "invalid 'token_type' value: this server makes service tokens");
  }
  if (fields.Text("path_suffix").find_first_of("*+{}\n\r") != std::string_view::npos) {
    return Fail(Code::kInvalid, "given role path suffix contains invalid characters");
  }
  return {};
}

Status WriteRole(const Call& call, Reply& reply) {
  const Fields& fields = call.fields;
  COFFER_TRY(CheckRoleFields(fields));
  COFFER_ASSIGN(auto former, TokenPartsOf(call).roles.Read(RoleName(call)));
  auth::TokenRole role = former ? std::move(*former) : auth::TokenRole();
  role.name = RoleName(call);
  const auto policies = [&](std::string_view name) {
    return auth::SanitizedPolicies(TextsOf(fields, name), false);
  };
  // "root" beside other names hides none of them: each of a list of refusals counts.
  const auto names = [&](std::string_view name) {
    return auth::NormalizedNames(TextsOf(fields, name));
  };
  const auto texts = [&](std::string_view name) { return TextsOf(fields, name); };
  const auto number = [&](std::string_view name) { return fields.Int(name); };
  const auto flag = [&](std::string_view name) { return fields.Bool(name); };
  const auto text = [&](std::string_view name) { return std::string(fields.Text(name)); };
  TakeSetting(fields, "allowed_policies", "", role.allowed_policies, policies);
  TakeSetting(fields, "disallowed_policies", "", role.disallowed_policies, names);
  TakeSetting(fields, "allowed_policies_glob", "", role.allowed_policies_glob, names);
  TakeSetting(fields, "disallowed_policies_glob", "", role.disallowed_policies_glob, names);
  TakeSetting(fields, "token_bound_cidrs", "bound_cidrs", role.bound_cidrs, texts);
  TakeSetting(fields, "path_suffix", "", role.path_suffix, text);
  TakeSetting(fields, "token_period", "period", role.period, number);
  TakeSetting(fields, "token_explicit_max_ttl", "explicit_max_ttl", role.explicit_max_ttl, number);
  TakeSetting(fields, "token_num_uses", "", role.uses, number);
  TakeSetting(fields, "orphan", "", role.orphan, flag);
  TakeSetting(fields, "renewable", "", role.renewable, flag);
  TakeSetting(fields, "token_no_default_policy", "", role.no_default_policy, flag);
  COFFER_TRY(TokenPartsOf(call).roles.Write(role));
  return reply.NoContent();
}

Status DeleteRole(const Call& call, Reply& reply) {
  COFFER_TRY(TokenPartsOf(call).roles.Delete(RoleName(call)));
  return reply.NoContent();
}

bool RoleExists(const Call& call) {
  const auto role = TokenPartsOf(call).roles.Read(RoleName(call));
  return role && role->has_value();
}

std::vector<FieldSpec> RoleFields() {
  return {{"role_name", FieldType::kText, "", "The role."},
          {"allowed_policies", FieldType::kTexts, "", "Policies that its tokens may have."},
          {"allowed_policies_glob", FieldType::kTexts, "", "The same, with * at an end."},
          {"disallowed_policies", FieldType::kTexts, "", "Policies that they may not have."},
          {"disallowed_policies_glob", FieldType::kTexts, "", "The same, with * at an end."},
          {"orphan", FieldType::kBool, "false", "Its tokens outlive their makers."},
          {"renewable", FieldType::kBool, "true", "Whether its tokens can be renewed."},
          {"path_suffix", FieldType::kText, "", "Added to the path that its tokens show."},
          {"allowed_entity_aliases", FieldType::kTexts, "", "Refused: there are no identities."},
          {"token_period", FieldType::kSeconds, "0", "The period of its tokens."},
          {"period", FieldType::kSeconds, "0", "Old name of token_period."},
          {"token_explicit_max_ttl", FieldType::kSeconds, "0", "How long they live at most."},
          {"explicit_max_ttl", FieldType::kSeconds, "0", "Old name of token_explicit_max_ttl."},
          {"token_bound_cidrs", FieldType::kTexts, "", "Where its tokens may be used from."},
          {"bound_cidrs", FieldType::kTexts, "", "Old name of token_bound_cidrs."},
          {"token_num_uses", FieldType::kInt, "0", "How often they can be used; 0: any number."},
          {"token_type", FieldType::kText, "", "service or default-service.", false, true},
          {"token_no_default_policy", FieldType::kBool, "false", "Without the policy default."}};
}

}  // namespace

void AddTokenRoleEndpoints(std::vector<Endpoint>& table) {
  Endpoint list{"roles", "The roles.", {}, {}};
  list.operations = {{Verb::kList, Capability::kList, ListRoles}};
  table.push_back(std::move(list));
  Endpoint role{"roles/:role_name", "A role.", RoleFields(), {}};
  role.operations = {{Verb::kRead, Capability::kRead, ReadRole},
                     {Verb::kWrite, Capability::kUpdate, WriteRole, true},
                     {Verb::kDelete, Capability::kDelete, DeleteRole, true}};
  role.exists = RoleExists;
  table.push_back(std::move(role));
}

}  // namespace coffer::api
