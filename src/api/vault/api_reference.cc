#include <string>

#include "api/engine_type.h"
#include "coffer/api/reference.h"

namespace coffer::api {
namespace {

constexpr std::string_view kPreface =
    R"(# API reference

Made by `coffer api-docs` from the endpoint table, which also routes, decodes and answers `?help=1`; do not edit it. The same as
OpenAPI: `coffer api-docs -format=openapi`, or `GET /v1/sys/internal/specs/openapi` of a running server.

Paths stand behind `/v1/`. POST and PUT are one; LIST is a method, or GET with `?list=true`. `:x` is a name, `=x` one segment, `*x` one or more.
The transit engine is shown where it is usually mounted; `sys/mounts` puts it at any path. A field's type is what it becomes:
numbers, booleans and durations (`90s`, `1h30m`, or seconds) may be sent as strings. [../compat.md](../compat.md) says what of Vault's API is here.
)";

std::string_view HttpMethod(Verb verb) {
  switch (verb) {
    case Verb::kRead:
      return "GET";
    case Verb::kWrite:
      return "POST";
    case Verb::kPatch:
      return "PATCH";
    case Verb::kDelete:
      return "DELETE";
    case Verb::kList:
      return "LIST";
    case Verb::kScan:
      return "SCAN";
  }
  return "";
}

// Escapes bars, which would end a cell of the table.
std::string Cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

void AppendEndpoint(const EngineType& type, const Endpoint& endpoint, std::string& out) {
  out.append("\n### `").append(type.path).append(endpoint.pattern).append("`\n\n");
  out.append(endpoint.help).append("\n\n");
  for (const Operation& operation : endpoint.operations) {
    out.append(&operation == &endpoint.operations.front() ? "" : ", ");
    out.append("`").append(HttpMethod(operation.verb)).append("`");
  }
  out += endpoint.unauthenticated ? "; no token needed" : "";
  if (endpoint.content_type != kJson) {
    out.append("; ").append(endpoint.content_type);
  } else if (endpoint.raw) {
    out += "; plain JSON without the envelope";
  }
  out += "\n";
  if (endpoint.fields.empty()) return;
  out += "\n| field | type | default | what |\n|---|---|---|---|\n";
  for (const FieldSpec& field : endpoint.fields) {
    out.append("| `").append(field.name).append("` | ").append(FieldTypeName(field.type));
    out.append(field.default_text.empty() ? " | " : " | `").append(field.default_text);
    out.append(field.default_text.empty() ? " | " : "` | ").append(Cell(field.help)).append(" |\n");
  }
}

}  // namespace

std::string ApiReference(const Registry& engines) {
  std::string out(kPreface);
  // Engines that can be mounted come first.
  for (const bool built_in : {false, true}) {
    for (const auto& engine : engines.Engines()) {
      const EngineType& type = engine->Type();
      if ((type.place == MountPlace::kBuiltIn) != built_in) continue;
      out.append("\n## ").append(type.title).append("\n");
      for (const Endpoint& endpoint : engine->Endpoints()) AppendEndpoint(type, endpoint, out);
    }
  }
  return out;
}

}  // namespace coffer::api
