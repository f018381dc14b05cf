#include "api/engine_type.h"
#include "coffer/api/token_engine.h"

namespace coffer::api {
namespace {

Status LookupSelf(const Call& call, Reply& reply) {
  const auth::TokenEntry& token = *call.token;
  reply.secret = true;  // it repeats the token
  std::size_t policies_size = 0;
  for (const std::string& policy : token.policies) policies_size += 6 * policy.size() + 3;
  reply.json.Reserve(1024 + 6 * call.token_text.size() + 6 * token.display_name.size() +
                     policies_size);
  JsonWriter& json = reply.json.BeginObject();
  json.Key("id").Text(call.token_text);
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

std::vector<Endpoint> Endpoints() {
  Endpoint self{"lookup-self", "What the calling token is.", {}, {}};
  self.fields = {{"token", FieldType::kText, "", "Ignored: the calling token is meant.", true}};
  self.operations = {{Verb::kRead, Capability::kRead, LookupSelf},
                     {Verb::kWrite, Capability::kUpdate, LookupSelf}};
  self.keeps_state = true;
  std::vector<Endpoint> endpoints;
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
                                    .endpoints = Endpoints,
                                    .schema = auth::TokenStore::Schema};
  return kType;
}

}  // namespace coffer::api
