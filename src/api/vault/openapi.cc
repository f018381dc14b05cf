#include "api/vault/openapi.h"

#include <algorithm>
#include <array>

#include "coffer/api/reference.h"
#include "coffer/api/system_engine.h"

namespace coffer::api {
namespace {

// The parameter that stands for the path of an engine's mount: "transit_mount_path".
std::string MountParameter(const EngineType& type) {
  return std::string(type.name) + "_mount_path";
}

std::string PrefixOf(const EngineType& type) {
  if (type.place == MountPlace::kBuiltIn) return "/" + std::string(type.path);
  return (type.place == MountPlace::kAuth ? "/auth/{" : "/{") + MountParameter(type) + "}/";
}

// Calls `visit` with each segment of the pattern; a capture comes without its first character.
template <typename Visit>
void ForEachSegment(std::string_view pattern, const Visit& visit) {
  while (true) {
    const std::size_t slash = pattern.find('/');
    const std::string_view segment = pattern.substr(0, slash);
    const bool capture =
        !segment.empty() && std::string_view(":=*").find(segment.front()) != std::string_view::npos;
    visit(capture ? segment.substr(1) : segment, capture);
    if (slash == std::string_view::npos) return;
    pattern.remove_prefix(slash + 1);
  }
}

const FieldSpec* FieldNamed(const Endpoint& endpoint, std::string_view name) {
  const auto found = std::ranges::find(endpoint.fields, name, &FieldSpec::name);
  return found == endpoint.fields.end() ? nullptr : &*found;
}

void WriteDefault(const FieldSpec& field, JsonWriter& json) {
  if (field.default_text.empty()) return;
  json.Key("default");
  const bool text = field.type == FieldType::kText || field.type == FieldType::kKeyValues;
  if (text) {
    json.Text(field.default_text);
  } else {
    json.Literal(field.default_text);
  }
}

void WriteSchema(const FieldSpec& field, JsonWriter& json) {
  json.BeginObject();
  switch (field.type) {
    case FieldType::kText:
      json.Key("type").Text("string");
      break;
    case FieldType::kInt:
      json.Key("type").Text("integer");
      break;
    case FieldType::kBool:
      json.Key("type").Text("boolean");
      break;
    case FieldType::kSeconds:
      json.Key("type").Text("integer").Key("format").Text("seconds");
      break;
    case FieldType::kList:
      json.Key("type").Text("array").Key("items").BeginObject().Key("type").Text("object");
      json.EndObject();
      break;
    case FieldType::kTexts:
      json.Key("type").Text("array").Key("items").BeginObject().Key("type").Text("string");
      json.EndObject();
      break;
    case FieldType::kMap:
      json.Key("type").Text("object").Key("format").Text("map");
      break;
    case FieldType::kKeyValues:
      json.Key("type").Text("object").Key("format").Text("kvpairs");
      break;
  }
  WriteDefault(field, json);
  if (field.secret) {
    json.Key("x-vault-displayAttrs").BeginObject().Key("sensitive").Bool(true).EndObject();
  }
  json.EndObject();
}

void WriteParameter(const FieldSpec& field, std::string_view where, JsonWriter& json) {
  json.BeginObject();
  json.Key("name").Text(field.name).Key("in").Text(where);
  json.Key("description").Text(field.help);
  if (where == "path") json.Key("required").Bool(true);
  json.Key("schema");
  WriteSchema(field, json);
  json.EndObject();
}

// Writes the query parameter `list=true`, by which a client that cannot send the method LIST asks
// for a list. `required`: the path has no read, so GET is always a list.
void WriteListParameter(bool required, JsonWriter& json) {
  json.BeginObject().Key("name").Text("list").Key("in").Text("query");
  json.Key("description").Text("Must be set to `true` for a list.");
  if (required) json.Key("required").Bool(true);
  json.Key("schema").BeginObject().Key("type").Text("string");
  json.Key("enum").BeginArray().Text("true").EndArray().EndObject();
  json.EndObject();
}

bool IsCapture(const Endpoint& endpoint, std::string_view name) {
  const auto captures = CapturesOf(endpoint);
  return std::ranges::find(captures, name) != captures.end();
}

void WriteResponses(JsonWriter& json) {
  json.Key("responses").BeginObject();
  json.Key("200").BeginObject().Key("description").Text("OK").EndObject();
  json.Key("204").BeginObject().Key("description").Text("Done; there is no body.").EndObject();
  json.Key("default").BeginObject().Key("description").Text("An error.");
  json.Key("content").BeginObject().Key("application/json").BeginObject();
  json.Key("schema").BeginObject().Key("$ref").Text("#/components/schemas/Error").EndObject();
  json.EndObject().EndObject().EndObject();
  json.EndObject();
}

void WriteBody(const Endpoint& endpoint, std::string_view content_type, JsonWriter& json) {
  json.Key("requestBody").BeginObject().Key("content").BeginObject();
  json.Key(content_type).BeginObject().Key("schema").BeginObject();
  json.Key("type").Text("object").Key("properties").BeginObject();
  for (const FieldSpec& field : endpoint.fields) {
    if (IsCapture(endpoint, field.name)) continue;
    json.Key(field.name).BeginObject();
    json.Key("description").Text(field.help).Key("allOf").BeginArray();
    WriteSchema(field, json);
    json.EndArray().EndObject();
  }
  json.EndObject().EndObject().EndObject().EndObject().EndObject();
}

// One HTTP method of a path, and its meaning here. A read and a list share GET.
struct Method {
  std::string_view name;
  bool reads = false;
  bool lists = false;
  bool body = false;
  std::string_view verb;
};

std::vector<Method> MethodsOf(const Endpoint& endpoint) {
  const auto has = [&](Verb verb) {
    return std::ranges::find(endpoint.operations, verb, &Operation::verb) !=
           endpoint.operations.end();
  };
  std::vector<Method> methods;
  if (has(Verb::kRead) || has(Verb::kList)) {
    methods.push_back(
        {"get", has(Verb::kRead), has(Verb::kList), false, has(Verb::kRead) ? "read" : "list"});
  }
  if (has(Verb::kWrite)) methods.push_back({"post", false, false, true, "write"});
  if (has(Verb::kPatch)) methods.push_back({"patch", false, false, true, "patch"});
  if (has(Verb::kDelete)) methods.push_back({"delete", false, false, false, "delete"});
  return methods;
}

void WriteOperation(const Endpoint& endpoint, const RegisteredEngine& engine, const Method& method,
                    JsonWriter& json) {
  json.Key(method.name).BeginObject();
  json.Key("summary").Text(endpoint.help);
  std::string id = std::string(engine.Name()) + "-" + std::string(method.verb);
  ForEachSegment(endpoint.pattern,
                 [&](std::string_view segment, bool) { id.append("-").append(segment); });
  json.Key("operationId").Text(id);
  json.Key("tags").BeginArray().Text(engine.Name()).EndArray();
  if (endpoint.unauthenticated) json.Key("security").BeginArray().EndArray();
  if (!method.body) {
    json.Key("parameters").BeginArray();
    if (method.lists) WriteListParameter(!method.reads, json);
    for (const FieldSpec& field : endpoint.fields) {
      const bool query = !IsCapture(endpoint, field.name) && field.type != FieldType::kList &&
                         field.type != FieldType::kMap && !field.secret;
      if (query && method.name == "get") WriteParameter(field, "query", json);
    }
    json.EndArray();
  } else if (endpoint.fields.size() > CapturesOf(endpoint).size()) {
    WriteBody(endpoint,
              method.name == "patch" ? "application/merge-patch+json" : "application/json", json);
  }
  WriteResponses(json);
  json.EndObject();
}

void WriteComponents(JsonWriter& json) {
  json.Key("components").BeginObject();
  json.Key("securitySchemes").BeginObject().Key("token").BeginObject();
  json.Key("type").Text("apiKey").Key("in").Text("header").Key("name").Text("X-Vault-Token");
  json.EndObject().EndObject();
  json.Key("schemas").BeginObject().Key("Error").BeginObject();
  json.Key("type").Text("object").Key("required").BeginArray().Text("errors").EndArray();
  json.Key("properties").BeginObject().Key("errors").BeginObject().Key("type").Text("array");
  json.Key("items").BeginObject().Key("type").Text("string").EndObject();
  json.EndObject().EndObject().EndObject().EndObject();
  json.EndObject();
}

}  // namespace

std::vector<std::string_view> CapturesOf(const Endpoint& endpoint) {
  std::vector<std::string_view> captures;
  ForEachSegment(endpoint.pattern, [&](std::string_view segment, bool capture) {
    if (capture) captures.push_back(segment);
  });
  return captures;
}

std::string OpenApiPath(const Endpoint& endpoint, const RegisteredEngine& engine) {
  std::string path = PrefixOf(engine.Type());
  path.pop_back();
  ForEachSegment(endpoint.pattern, [&](std::string_view segment, bool capture) {
    path += '/';
    path += capture ? "{" + std::string(segment) + "}" : std::string(segment);
  });
  return path;
}

void WritePathItem(const Endpoint& endpoint, const RegisteredEngine& engine, JsonWriter& json) {
  json.BeginObject().Key("parameters").BeginArray();
  if (const EngineType& type = engine.Type(); type.place != MountPlace::kBuiltIn) {
    const std::string name = MountParameter(type);
    WriteParameter({name, FieldType::kText, type.name, "Where the engine is mounted."}, "path",
                   json);
  }
  for (const std::string_view capture : CapturesOf(endpoint)) {
    const FieldSpec* const field = FieldNamed(endpoint, capture);
    WriteParameter({capture, FieldType::kText, "", field == nullptr ? "" : field->help}, "path",
                   json);
  }
  json.EndArray();
  for (const Method& method : MethodsOf(endpoint)) WriteOperation(endpoint, engine, method, json);
  json.EndObject();
}

std::string OpenApiDocument(const Registry& engines) {
  std::string document;
  JsonWriter json(document);
  json.BeginObject().Key("openapi").Text("3.0.3");
  json.Key("info").BeginObject();
  json.Key("title").Text("Coffer");
  json.Key("description")
      .Text(
          "Keys in a PKCS#11 token behind the HTTP API of HashiCorp Vault. PUT does what POST "
          "does, and the method LIST what GET does with list=true.");
  json.Key("version").Text(ServerInfo{}.version);
  json.Key("license").BeginObject().Key("name").Text("Apache-2.0").EndObject();
  json.EndObject();
  json.Key("servers").BeginArray().BeginObject().Key("url").Text("/v1").EndObject().EndArray();
  json.Key("security").BeginArray().BeginObject().Key("token").BeginArray().EndArray();
  json.EndObject().EndArray();
  json.Key("paths").BeginObject();
  for (const auto& engine : engines.Engines()) {
    for (const Endpoint& endpoint : engine->Endpoints()) {
      json.Key(OpenApiPath(endpoint, *engine));
      WritePathItem(endpoint, *engine, json);
    }
  }
  json.EndObject();
  WriteComponents(json);
  json.EndObject();
  return document;
}

}  // namespace coffer::api
