#include "api/vault/help.h"

#include <string>
#include <utility>

#include "api/vault/openapi.h"

namespace coffer::api {
namespace {

ConstantDocument HelpFor(const Endpoint& endpoint, const RegisteredEngine& engine) {
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

ConstantDocument EngineHelpFor(const RegisteredEngine& engine) {
  std::string text = "PATHS\n";
  for (const Endpoint& endpoint : engine.Endpoints()) {
    text +=
        "\n    " + std::string(endpoint.pattern) + "\n        " + std::string(endpoint.help) + "\n";
  }
  std::string document;
  JsonWriter json(document);
  json.BeginObject().Key("help").Text(text).Key("see_also").Null().Key("openapi").Null();
  json.EndObject();
  return ConstantDocument(std::move(document));
}

}  // namespace

void HelpPages::WriteAll() const {
  for (const auto& engine : engines_.Engines()) {
    all_.emplace(engine.get(), EngineHelpFor(*engine));
    for (const Endpoint& endpoint : engine->Endpoints()) {
      endpoints_.emplace(&endpoint, HelpFor(endpoint, *engine));
    }
  }
}

const ConstantDocument& HelpPages::Of(const Endpoint& endpoint) const {
  std::call_once(written_, [this] { WriteAll(); });
  return endpoints_.at(&endpoint);
}

const ConstantDocument& HelpPages::Of(const RegisteredEngine& engine) const {
  std::call_once(written_, [this] { WriteAll(); });
  return all_.at(&engine);
}

}  // namespace coffer::api
