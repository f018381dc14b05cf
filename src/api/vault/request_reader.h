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

// The part of the path after "/v1/", as a view into `request`; empty if the path does not begin so.
std::string_view PathOf(const http::Request& request);

// Returns X-Vault-Token, else the token of Authorization: Bearer; empty if there is neither.
std::string_view TokenOf(const http::Request& request);

// Refuses header fields that stand twice, and those that ask for something that this server does
// not do: response wrapping, namespaces, a PATCH of another media type.
Status CheckHeaders(const http::Request& request);

// The verb of a request; a list is asked for by the method LIST or by GET with list=true.
// kUnsupportedVerb for a method that has no meaning here.
Result<Verb> VerbOf(const http::Request& request);

bool WantsHelp(const http::Request& request);

// True if the parameters of a write are JSON and not a form. False if the verb is no write.
bool BodyIsJson(const http::Request& request, Verb verb);

// An upper bound, roughly, of the memory that the parameters of such a body take.
std::size_t ParametersSize(std::string_view body);

// Reads the parameters: from the body of a write (JSON or a form), else from the query.
Result<JsonValue> ReadParameters(const http::Request& request, Verb verb);

}  // namespace coffer::api
