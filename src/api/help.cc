#include "help.h"

#include <string>

namespace coffer::api {

void WriteHelp(const Endpoint& endpoint, JsonWriter& json) {
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
  json.BeginObject().Key("help").Text(text).Key("see_also").Text("").Key("openapi").Null();
  json.EndObject();
}

}  // namespace coffer::api
