#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/endpoint.h"
#include "coffer/api/token_engine.h"

namespace coffer::api {

inline const TokenParts& TokenPartsOf(const Call& call) { return call.engine.As<TokenParts>(); }

// The values of decoded kTexts and kKeyValues fields; empty if the field was not given.
std::vector<std::string> TextsOf(const Fields& fields, std::string_view name);
std::vector<std::pair<std::string, std::string>> PairsOf(const Fields& fields,
                                                         std::string_view name);

// A token as an answer's "auth" has it.
NewToken AuthPartOf(const auth::TokenEntry& token, std::string_view text, SystemTime now);

// The endpoints of auth/token/, each in the file of its name.
void AddTokenEndpoints(std::vector<Endpoint>& table);
void AddTokenCreateEndpoints(std::vector<Endpoint>& table);
void AddTokenRoleEndpoints(std::vector<Endpoint>& table);

}  // namespace coffer::api
