#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "api/endpoint.h"
#include "api/json_value.h"
#include "coffer/base/result.h"
#include "coffer/http/server.h"

namespace coffer::api {

inline constexpr std::string_view kApiPrefix = "/v1/";

// The path behind "/v1/"; empty where it is not below that. A part of `request`.
std::string_view PathOf(const http::Request& request);

// X-Vault-Token, else Authorization: Bearer; empty where there is neither.
std::string_view TokenOf(const http::Request& request);

// Refuses fields that stand twice, and what this server does not do: response wrapping, namespaces,
// PATCH of another media type.
Status CheckHeaders(const http::Request& request);

// LIST is a method or GET with list=true. kUnsupportedVerb for a method without a meaning here.
Result<Verb> VerbOf(const http::Request& request);

bool WantsHelp(const http::Request& request);

// Whether a write's parameters come as JSON, not as a form. False for anything but a write.
bool BodyIsJson(const http::Request& request, Verb verb);

// How much memory the parameters of such a body may take at most, about.
std::size_t ParametersSize(std::string_view body);

// The parameters: the body of a write (JSON, or a form), else the query.
Result<JsonValue> ReadParameters(const http::Request& request, Verb verb);

}  // namespace coffer::api
