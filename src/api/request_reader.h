#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "coffer/base/result.h"
#include "coffer/http/server.h"
#include "endpoint_table.h"
#include "json_value.h"

namespace coffer::api {

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
