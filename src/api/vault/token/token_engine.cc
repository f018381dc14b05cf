#include <chrono>

#include "api/engine_type.h"
#include "api/vault/token/token_call.h"
#include "coffer/auth/schema.h"

namespace coffer::api {
namespace {

std::vector<Endpoint> AllTokenEndpoints() {
  std::vector<Endpoint> endpoints;
  AddTokenEndpoints(endpoints);
  AddTokenCreateEndpoints(endpoints);
  AddTokenRoleEndpoints(endpoints);
  return endpoints;
}

}  // namespace

std::vector<std::string> TextsOf(const Fields& fields, std::string_view name) {
  std::vector<std::string> texts;
  const JsonValue* const value = fields.Find(name);
  if (value == nullptr) return texts;
  const auto* const array = value->As<JsonValue::Array>();
  if (array == nullptr) return texts;
  for (const JsonValue& one : *array) texts.push_back(*one.As<std::string>());
  return texts;
}

std::vector<std::pair<std::string, std::string>> PairsOf(const Fields& fields,
                                                         std::string_view name) {
  std::vector<std::pair<std::string, std::string>> pairs;
  const JsonValue* const value = fields.Find(name);
  const auto* const object = value == nullptr ? nullptr : value->As<JsonValue::Object>();
  if (object == nullptr) return pairs;
  for (const JsonValue::Member& member : *object) {
    pairs.emplace_back(member.name, *member.value.As<std::string>());
  }
  return pairs;
}

NewToken AuthPartOf(const auth::TokenEntry& token, std::string_view text, SystemTime now) {
  NewToken part;
  part.token = text;
  part.accessor = token.accessor;
  part.policies = token.policies;
  part.metadata = token.metadata;
  part.type = "service";
  if (token.expires) {
    // Rounded up: the end was just set, and some milliseconds later the answer must still show the
    // whole lifetime.
    part.lease_seconds = std::chrono::ceil<std::chrono::seconds>(*token.expires - now).count();
  }
  part.uses = token.uses;
  part.renewable = token.renewable;
  part.orphan = token.orphan;
  return part;
}

const EngineType& TokenEngineType() {
  static constexpr EngineType kType{.name = "token",
                                    .title = "Tokens",
                                    .description = "token based credentials",
                                    .place = MountPlace::kBuiltIn,
                                    .path = "auth/token/",
                                    .endpoints = AllTokenEndpoints,
                                    .schema = auth::Schema};
  return kType;
}

Registration TokenEngine(TokenParts& parts) { return {&TokenEngineType(), EngineState::Of(parts)}; }

}  // namespace coffer::api
