// Looking at tokens, renewing and ending them.

#include <memory>
#include <optional>

#include "api/vault/token/token_call.h"
#include "coffer/auth/token_plan.h"

namespace coffer::api {
namespace {

using TokenPointer = std::shared_ptr<const auth::TokenEntry>;

std::size_t SizeInJson(const std::vector<std::string>& texts) {
  std::size_t size = 0;
  for (const std::string& text : texts) size += 6 * text.size() + 3;
  return size;
}

void WriteTokenTimes(const auth::TokenEntry& token, SystemTime now, JsonWriter& json) {
  json.Key("creation_time").Int(UnixSeconds(token.created));
  json.Key("creation_ttl").Int(token.creation_ttl);
  json.Key("expire_time");
  token.expires ? json.Text(Rfc3339(*token.expires)) : json.Null();
  json.Key("issue_time").Text(Rfc3339(token.created));
  json.Key("ttl").Int(token.SecondsLeft(now));
  json.Key("explicit_max_ttl").Int(token.explicit_max_ttl);
  if (token.period > 0) json.Key("period").Int(token.period);
  if (!token.last_renewal) return;
  json.Key("last_renewal").Text(Rfc3339(*token.last_renewal));
  json.Key("last_renewal_time").Int(UnixSeconds(*token.last_renewal));
}

void WriteMetadata(const auth::TokenEntry& token, JsonWriter& json) {
  json.Key("meta");
  if (token.metadata.empty()) {
    json.Null();
    return;
  }
  json.BeginObject();
  for (const auto& [name, value] : token.metadata) json.Key(name).Text(value);
  json.EndObject();
}

// `text`: the token itself, or empty.
Status Describe(const Call& call, const auth::TokenEntry& token, std::string_view text,
                Reply& reply) {
  reply.secret = true;  // it repeats the token
  std::size_t size = 2048 + 6 * (text.size() + token.display_name.size() + token.path.size());
  size += SizeInJson(token.policies) + SizeInJson(token.bound_cidrs);
  for (const auto& [name, value] : token.metadata) size += 6 * (name.size() + value.size()) + 8;
  reply.json.Reserve(size);
  JsonWriter& json = reply.json.BeginObject();
  json.Key("id").Text(text);
  json.Key("accessor").Text(token.accessor);
  json.Key("policies").BeginArray();
  for (const std::string& policy : token.policies) json.Text(policy);
  json.EndArray();
  json.Key("path").Text(token.path);
  WriteMetadata(token, json);
  json.Key("display_name").Text(token.display_name);
  json.Key("num_uses").Int(token.uses);
  json.Key("orphan").Bool(token.orphan);
  WriteTokenTimes(token, TokenPartsOf(call).clock.Now(), json);
  json.Key("entity_id").Text("");
  json.Key("type").Text("service");
  json.Key("renewable").Bool(token.renewable);
  if (!token.role.empty()) json.Key("role").Text(token.role);
  if (!token.bound_cidrs.empty()) {
    json.Key("bound_cidrs").BeginArray();
    for (const std::string& cidr : token.bound_cidrs) json.Text(cidr);
    json.EndArray();
  }
  json.EndObject();
  return {};
}

Status LookupSelf(const Call& call, Reply& reply) {
  return Describe(call, *call.token, call.token_text, reply);
}

Status Lookup(const Call& call, Reply& reply) {
  const std::string_view text = call.fields.Text("token");
  if (text.empty()) return LookupSelf(call, reply);
  const auto found = TokenPartsOf(call).tokens.Lookup(text);
  if (!found && found.error().code == Code::kPermissionDenied) {
    return Fail(Code::kPermissionDenied, "bad token");
  }
  COFFER_TRY(found);
  return Describe(call, *found->token, text, reply);
}

Result<TokenPointer> ByAccessor(const Call& call) {
  const std::string_view accessor = call.fields.Text("accessor");
  if (accessor.empty()) return Fail(Code::kInvalid, "missing accessor");
  COFFER_ASSIGN(auto token, TokenPartsOf(call).tokens.FindAccessor(accessor));
  if (token == nullptr) return Fail(Code::kInvalid, "invalid accessor");
  return token;
}

// The token that the request names, which must be valid.
Result<TokenPointer> ByText(const Call& call, LiteralText unknown) {
  const std::string_view text = call.fields.Text("token");
  if (text.empty()) return Fail(Code::kInvalid, "missing token ID");
  auto found = TokenPartsOf(call).tokens.Lookup(text);
  if (!found && found.error().code == Code::kPermissionDenied) {
    return Fail(Code::kInvalid, unknown);
  }
  COFFER_TRY(found);
  return found->token;
}

Status LookupAccessor(const Call& call, Reply& reply) {
  COFFER_ASSIGN(const TokenPointer token, ByAccessor(call));
  return Describe(call, *token, "", reply);
}

Status ListAccessors(const Call& call, Reply& reply) {
  COFFER_ASSIGN(const auto accessors, TokenPartsOf(call).tokens.Accessors());
  JsonWriter& json = reply.json.BeginObject();
  json.Key("keys").BeginArray();
  for (const std::string& accessor : accessors) json.Text(accessor);
  json.EndArray().EndObject();
  return {};
}

// `text`: the token itself, or empty.
Status RenewToken(const Call& call, const auth::TokenEntry& token, std::string_view text,
                  Reply& reply) {
  const TokenParts& parts = TokenPartsOf(call);
  COFFER_ASSIGN(auth::RenewalPlan plan,
                auth::PlanRenewal(token, call.fields.Int("increment"), parts.clock.Now()));
  COFFER_ASSIGN(const TokenPointer renewed, parts.tokens.Renew(token, plan.expires));
  reply.secret = true;
  reply.warnings.insert(reply.warnings.end(), plan.warnings.begin(), plan.warnings.end());
  reply.auth = AuthPartOf(*renewed, text, parts.clock.Now());
  return {};
}

Status RenewSelf(const Call& call, Reply& reply) {
  return RenewToken(call, *call.token, call.token_text, reply);
}

Status Renew(const Call& call, Reply& reply) {
  const std::string_view text = call.fields.Text("token");
  if (text.empty()) return Fail(Code::kInvalid, "missing token ID");
  COFFER_ASSIGN(const TokenPointer token, ByText(call, "token not found"));
  return RenewToken(call, *token, text, reply);
}

Status RenewAccessor(const Call& call, Reply& reply) {
  COFFER_ASSIGN(const TokenPointer token, ByAccessor(call));
  return RenewToken(call, *token, "", reply);
}

Status RevokeSelf(const Call& call, Reply& reply) {
  COFFER_TRY(TokenPartsOf(call).tokens.Revoke(*call.token));
  return reply.NoContent();
}

// A token that is not there is as good as revoked: a client may repeat its request.
Status Revoke(const Call& call, Reply& reply) {
  const std::string_view text = call.fields.Text("token");
  if (text.empty()) return Fail(Code::kInvalid, "missing token ID");
  const auto found = TokenPartsOf(call).tokens.Lookup(text);
  if (!found && found.error().code == Code::kPermissionDenied) return reply.NoContent();
  COFFER_TRY(found);
  COFFER_TRY(TokenPartsOf(call).tokens.Revoke(*found->token));
  return reply.NoContent();
}

Status RevokeAccessor(const Call& call, Reply& reply) {
  COFFER_ASSIGN(const TokenPointer token, ByAccessor(call));
  COFFER_TRY(TokenPartsOf(call).tokens.Revoke(*token));
  return reply.NoContent();
}

Status RevokeOrphan(const Call& call, Reply& reply) {
  COFFER_ASSIGN(const TokenPointer token, ByText(call, "token to revoke not found"));
  COFFER_TRY(TokenPartsOf(call).tokens.RevokeOrphaning(*token));
  return reply.NoContent();
}

Status TidyTokens(const Call& call, Reply& reply) {
  COFFER_TRY(TokenPartsOf(call).tokens.Tidy(TokenPartsOf(call).clock.Now()));
  reply.status = 202;
  reply.warnings.emplace_back("Tokens that have ended were removed.");
  reply.json.BeginObject().EndObject();
  return {};
}

FieldSpec TokenField(std::string_view help) { return {"token", FieldType::kText, "", help, true}; }

FieldSpec AccessorField() { return {"accessor", FieldType::kText, "", "The accessor."}; }

FieldSpec IncrementField() {
  return {"increment", FieldType::kSeconds, "0", "How long it should live from now on."};
}

void AddLookups(std::vector<Endpoint>& table) {
  Endpoint other{"lookup", "What a token is.", {}, {}};
  other.fields = {TokenField("The token; absent: the calling one.")};
  other.operations = {{Verb::kRead, Capability::kRead, Lookup},
                      {Verb::kWrite, Capability::kUpdate, Lookup}};
  other.keeps_state = true;
  table.push_back(std::move(other));
  Endpoint accessor{"lookup-accessor", "What the token of an accessor is.", {}, {}};
  accessor.fields = {AccessorField()};
  accessor.operations = {{Verb::kWrite, Capability::kUpdate, LookupAccessor}};
  accessor.keeps_state = true;
  table.push_back(std::move(accessor));
  Endpoint self{"lookup-self", "What the calling token is.", {}, {}};
  self.fields = {TokenField("Ignored: the calling token is meant.")};
  self.operations = {{Verb::kRead, Capability::kRead, LookupSelf},
                     {Verb::kWrite, Capability::kUpdate, LookupSelf}};
  self.keeps_state = true;
  table.push_back(std::move(self));
  Endpoint accessors{"accessors", "The accessors of all tokens.", {}, {}};
  accessors.operations = {{Verb::kList, Capability::kList, ListAccessors}};
  accessors.operations.front().sudo = true;
  table.push_back(std::move(accessors));
}

void AddRenewals(std::vector<Endpoint>& table) {
  Endpoint self{"renew-self", "Renews the calling token.", {}, {}};
  self.fields = {IncrementField(), TokenField("Ignored: the calling token is meant.")};
  self.operations = {{Verb::kWrite, Capability::kUpdate, RenewSelf, true}};
  table.push_back(std::move(self));
  Endpoint other{"renew", "Renews a token.", {}, {}};
  other.fields = {IncrementField(), TokenField("The token.")};
  other.operations = {{Verb::kWrite, Capability::kUpdate, Renew, true}};
  table.push_back(std::move(other));
  Endpoint accessor{"renew-accessor", "Renews the token of an accessor.", {}, {}};
  accessor.fields = {IncrementField(), AccessorField()};
  accessor.operations = {{Verb::kWrite, Capability::kUpdate, RenewAccessor, true}};
  table.push_back(std::move(accessor));
}

void AddRevocations(std::vector<Endpoint>& table) {
  Endpoint self{"revoke-self", "Ends the calling token and its descendants.", {}, {}};
  self.fields = {TokenField("Ignored: the calling token is meant.")};
  self.operations = {{Verb::kWrite, Capability::kUpdate, RevokeSelf, true}};
  table.push_back(std::move(self));
  Endpoint other{"revoke", "Ends a token and its descendants.", {}, {}};
  other.fields = {TokenField("The token.")};
  other.operations = {{Verb::kWrite, Capability::kUpdate, Revoke, true}};
  table.push_back(std::move(other));
  Endpoint accessor{"revoke-accessor", "Ends the token of an accessor.", {}, {}};
  accessor.fields = {AccessorField()};
  accessor.operations = {{Verb::kWrite, Capability::kUpdate, RevokeAccessor, true}};
  table.push_back(std::move(accessor));
  Endpoint orphan{"revoke-orphan", "Ends a token; its children stay, as orphans.", {}, {}};
  orphan.fields = {TokenField("The token.")};
  orphan.operations = {{Verb::kWrite, Capability::kUpdate, RevokeOrphan, true}};
  orphan.operations.front().sudo = true;
  table.push_back(std::move(orphan));
  Endpoint tidy{"tidy", "Removes the tokens that have ended.", {}, {}};
  tidy.operations = {{Verb::kWrite, Capability::kUpdate, TidyTokens, true}};
  table.push_back(std::move(tidy));
}

}  // namespace

void AddTokenEndpoints(std::vector<Endpoint>& table) {
  AddLookups(table);
  AddRenewals(table);
  AddRevocations(table);
}

}  // namespace coffer::api
