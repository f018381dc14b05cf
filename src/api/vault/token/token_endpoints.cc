#include "api/engine_type.h"
#include "coffer/api/token_engine.h"

namespace coffer::api {
namespace {

// `text`: the token itself, or empty.
Status Describe(const auth::TokenEntry& token, std::string_view text, Reply& reply) {
  reply.secret = true;  // it repeats the token
  std::size_t policies_size = 0;
  for (const std::string& policy : token.policies) policies_size += 6 * policy.size() + 3;
  reply.json.Reserve(1024 + 6 * text.size() + 6 * token.display_name.size() + policies_size);
  JsonWriter& json = reply.json.BeginObject();
  json.Key("id").Text(text);
  json.Key("accessor").Text(token.accessor);
  json.Key("policies").BeginArray();
  for (const std::string& policy : token.policies) json.Text(policy);
  json.EndArray();
  json.Key("path").Text("auth/token/root");
  json.Key("meta").Null();
  json.Key("display_name").Text(token.display_name);
  json.Key("num_uses").Int(0);
  json.Key("orphan").Bool(true);
  json.Key("creation_time").Int(UnixSeconds(token.created));
  json.Key("creation_ttl").Int(0);
  json.Key("expire_time").Null();
  json.Key("ttl").Int(0);
  json.Key("explicit_max_ttl").Int(0);
  json.Key("entity_id").Text("");
  json.Key("type").Text("service");
  json.Key("renewable").Bool(false);
  json.EndObject();
  return {};
}

Status LookupSelf(const Call& call, Reply& reply) {
  return Describe(*call.token, call.token_text, reply);
}

Status Lookup(const Call& call, Reply& reply) {
  const std::string_view text = call.fields.Text("token");
  if (text.empty()) return LookupSelf(call, reply);
  const auto token = call.engine.As<TokenParts>().tokens.Lookup(text);
  if (!token) return Fail(Code::kPermissionDenied, "bad token");
  return Describe(**token, text, reply);
}

Status LookupAccessor(const Call& call, Reply& reply) {
  const auto token = call.engine.As<TokenParts>().tokens.FindAccessor(call.fields.Text("accessor"));
  if (token == nullptr) return Fail(Code::kInvalid, "invalid accessor");
  return Describe(*token, "", reply);
}

std::vector<Endpoint> TokenEndpoints() {
  std::vector<Endpoint> endpoints;
  Endpoint other{"lookup", "What a token is.", {}, {}};
  other.fields = {{"token", FieldType::kText, "", "The token; absent: the calling one.", true}};
  other.operations = {{Verb::kRead, Capability::kRead, Lookup},
                      {Verb::kWrite, Capability::kUpdate, Lookup}};
  other.keeps_state = true;
  endpoints.push_back(std::move(other));
  Endpoint accessor{"lookup-accessor", "What the token of an accessor is.", {}, {}};
  accessor.fields = {{"accessor", FieldType::kText, "", "The accessor."}};
  accessor.operations = {{Verb::kWrite, Capability::kUpdate, LookupAccessor}};
  accessor.keeps_state = true;
  endpoints.push_back(std::move(accessor));
  Endpoint self{"lookup-self", "What the calling token is.", {}, {}};
  self.fields = {{"token", FieldType::kText, "", "Ignored: the calling token is meant.", true}};
  self.operations = {{Verb::kRead, Capability::kRead, LookupSelf},
                     {Verb::kWrite, Capability::kUpdate, LookupSelf}};
  self.keeps_state = true;
  endpoints.push_back(std::move(self));
  return endpoints;
}

}  // namespace

const EngineType& TokenEngineType() {
  static constexpr EngineType kType{.name = "token",
                                    .title = "Tokens",
                                    .description = "token based credentials",
                                    .place = MountPlace::kBuiltIn,
                                    .path = "auth/token/",
                                    .endpoints = TokenEndpoints,
                                    .schema = auth::TokenStore::Schema};
  return kType;
}

Registration TokenEngine(TokenParts& parts) { return {&TokenEngineType(), EngineState::Of(parts)}; }

}  // namespace coffer::api
