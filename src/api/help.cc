#include "help.h"

#include <string>

#include "openapi.h"

namespace coffer::api {

void WriteHelp(const Endpoint& endpoint, EngineKind engine, JsonWriter& json) {
  std::string text = "Path:        " + std::string(endpoint.pattern) + "\nOperations: ";
  for (const Operation& operation : endpoint.operations) {
    text += " " + std::string(VerbName(operation.verb));
  }
  text += "\n\n" + std::string(endpoint.help) + "\n";
  if (!endpoint.fields.empty()) text += "\nPARAMETERS\n";
  for (const FieldSpec& field : endpoint.fields) {
    text += "\n    " + std::string(field.name) + " (" + std::string(FieldTypeName(field.type));
    if (!field.default_text.empty()) text += ", default " + std::string(field.default_text);
    text += ")\n        " + std::string(field.help) + "\n";
  }
  json.BeginObject().Key("help").Text(text).Key("see_also").Text("");
  json.Key("openapi").BeginObject().Key("openapi").Text("3.0.3");
  json.Key("paths").BeginObject().Key(OpenApiPath(endpoint, engine));
  WritePathItem(endpoint, engine, json);
  json.EndObject().EndObject().EndObject();
}

void WriteEngineHelp(EngineKind engine, JsonWriter& json) {
  std::string text = "PATHS\n";
  for (const Endpoint& endpoint : TableOf(engine).Endpoints()) {
    text +=
        "\n    " + std::string(endpoint.pattern) + "\n        " + std::string(endpoint.help) + "\n";
  }
  json.BeginObject().Key("help").Text(text).Key("see_also").Text("").Key("openapi").Null();
  json.EndObject();
}

}  // namespace coffer::api
