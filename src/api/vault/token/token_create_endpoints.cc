// Making tokens.

#include <optional>
#include <utility>

#include "api/vault/token/token_call.h"
#include "coffer/auth/token_plan.h"

namespace coffer::api {
namespace {

// True if the caller's policies grant sudo on this path.
bool HasSudo(const Call& call, std::string_view path) {
  if (call.rules->Root()) return true;
  const auth::Permission* const rule = call.rules->Find(path, false);
  return rule != nullptr && rule->capabilities.Has(Capability::kSudo);
}

auth::TokenRequest TokenRequestOf(const Fields& fields) {
  auth::TokenRequest request;
  request.id = fields.Text("id");
  request.policies = TextsOf(fields, "policies");
  request.metadata = PairsOf(fields, "meta");
  request.display_name = fields.Text("display_name");
  request.type = fields.Text("type");
  request.ttl = fields.Int(fields.Has("ttl") ? "ttl" : "lease");
  request.explicit_max_ttl = fields.Int("explicit_max_ttl");
  request.period = fields.Int("period");
  request.uses = fields.Int("num_uses");
  request.no_parent = fields.Bool("no_parent");
  request.no_default_policy = fields.Bool("no_default_policy");
  request.renewable = fields.Bool("renewable");
  return request;
}

Status IssueToken(const Call& call, const auth::TokenCreation& maker, Reply& reply) {
  const TokenParts& parts = TokenPartsOf(call);
  if (!call.fields.Text("entity_alias").empty()) {
    return Fail(Code::kInvalid, "'entity_alias' is not supported on this server");
  }
  const auth::TokenRequest request = TokenRequestOf(call.fields);
  COFFER_ASSIGN(auth::TokenPlan plan, auth::PlanToken(maker, request, parts.clock.Now()));
  COFFER_ASSIGN(const SecretBytes token, parts.tokens.Create(plan.entry, request.id));
  for (const std::string& policy : plan.entry.policies) {
    if (parts.policies.Exists(policy)) continue;
    reply.warnings.push_back("Policy \"" + policy + "\" does not exist");
  }
  reply.warnings.insert(reply.warnings.end(), plan.warnings.begin(), plan.warnings.end());
  reply.secret = true;
  reply.auth = AuthPartOf(plan.entry, AsText(token.Reveal()), parts.clock.Now());
  return {};
}

Status CreateToken(const Call& call, Reply& reply) {
  return IssueToken(call, {*call.token, HasSudo(call, "auth/token/create"), nullptr, false}, reply);
}

Status CreateOrphanToken(const Call& call, Reply& reply) {
  return IssueToken(call, {*call.token, HasSudo(call, "auth/token/create-orphan"), nullptr, true},
                    reply);
}

Status CreateTokenOfRole(const Call& call, Reply& reply) {
  const std::string name(call.fields.Text("role_name"));
  COFFER_ASSIGN(const auto role, TokenPartsOf(call).roles.Read(name));
  if (!role) return Fail(Code::kInvalid, "unknown role " + name);
  return IssueToken(call, {*call.token, HasSudo(call, "auth/token/create/" + name), &*role, false},
                    reply);
}

std::vector<FieldSpec> CreationFields() {
  return {{"id", FieldType::kText, "", "The token itself; only with sudo.", true},
          {"policies", FieldType::kTexts, "", "Its policies; absent: the maker's.", false, true},
          {"meta", FieldType::kKeyValues, "", "Names and values for the audit trail."},
          {"no_parent", FieldType::kBool, "false", "It outlives its maker; only with sudo."},
          {"no_default_policy", FieldType::kBool, "false", "Without the policy default."},
          {"renewable", FieldType::kBool, "true", "Whether it can be renewed."},
          {"ttl", FieldType::kSeconds, "0", "How long it lives."},
          {"lease", FieldType::kSeconds, "0", "Old name of ttl."},
          {"type", FieldType::kText, "", "service.", false, true},
          {"explicit_max_ttl", FieldType::kSeconds, "0", "How long it lives at most."},
          {"display_name", FieldType::kText, "", "A name for the audit trail."},
          {"num_uses", FieldType::kInt, "0", "How often it can be used; 0: any number."},
          {"period", FieldType::kSeconds, "0",
           "A renewal always lasts so long, without an end; only with sudo."},
          {"entity_alias", FieldType::kText, "", "Refused: there are no identities."}};
}

}  // namespace

void AddTokenCreateEndpoints(std::vector<Endpoint>& table) {
  Endpoint create{"create", "Makes a token, a child of the calling one.", CreationFields(), {}};
  create.operations = {{Verb::kWrite, Capability::kUpdate, CreateToken, true}};
  table.push_back(std::move(create));
  Endpoint orphan{"create-orphan", "Makes a token that outlives its maker.", CreationFields(), {}};
  orphan.operations = {{Verb::kWrite, Capability::kUpdate, CreateOrphanToken, true}};
  orphan.operations.front().sudo = true;
  table.push_back(std::move(orphan));
  Endpoint of_role{"create/:role_name", "Makes a token of a role.", CreationFields(), {}};
  of_role.fields.push_back({"role_name", FieldType::kText, "", "The role."});
  of_role.operations = {{Verb::kWrite, Capability::kUpdate, CreateTokenOfRole, true}};
  table.push_back(std::move(of_role));
}

}  // namespace coffer::api
