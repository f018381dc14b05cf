#include "help.h"

#include <map>
#include <string>
#include <utility>

#include "openapi.h"

namespace coffer::api {
namespace {

ConstantDocument HelpFor(const Endpoint& endpoint, EngineKind engine) {
  std::string document;
  JsonWriter json(document);
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
  json.BeginObject().Key("help").Text(text).Key("see_also").Null();
  json.Key("openapi").BeginObject().Key("openapi").Text("3.0.3");
  json.Key("paths").BeginObject().Key(OpenApiPath(endpoint, engine));
  WritePathItem(endpoint, engine, json);
  json.EndObject().EndObject().EndObject();
  return ConstantDocument(std::move(document));
}

ConstantDocument EngineHelpFor(EngineKind engine) {
  std::string text = "PATHS\n";
  for (const Endpoint& endpoint : TableOf(engine).Endpoints()) {
    text +=
        "\n    " + std::string(endpoint.pattern) + "\n        " + std::string(endpoint.help) + "\n";
  }
  std::string document;
  JsonWriter json(document);
  json.BeginObject().Key("help").Text(text).Key("see_also").Null().Key("openapi").Null();
  json.EndObject();
  return ConstantDocument(std::move(document));
}

std::map<const Endpoint*, ConstantDocument> AllHelp() {
  std::map<const Endpoint*, ConstantDocument> all;
  for (const EngineKind engine : kEngines) {
    for (const Endpoint& endpoint : TableOf(engine).Endpoints()) {
      all.emplace(&endpoint, HelpFor(endpoint, engine));
    }
  }
  return all;
}

std::map<EngineKind, ConstantDocument> AllEngineHelp() {
  std::map<EngineKind, ConstantDocument> all;
  for (const EngineKind engine : kEngines) all.emplace(engine, EngineHelpFor(engine));
  return all;
}

}  // namespace

const ConstantDocument& HelpOf(const Endpoint& endpoint) {
  static const std::map<const Endpoint*, ConstantDocument> all = AllHelp();
  return all.at(&endpoint);
}

const ConstantDocument& EngineHelpOf(EngineKind engine) {
  static const std::map<EngineKind, ConstantDocument> all = AllEngineHelp();
  return all.at(engine);
}

}  // namespace coffer::api
