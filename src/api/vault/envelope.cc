#include "api/vault/envelope.h"

#include "api/json_writer.h"

namespace coffer::api {

void AppendEnvelopeHead(std::string_view request_id, std::string& out) {
  out += R"({"request_id":")";
  out += request_id;
  out += R"(","lease_id":"","renewable":false,"lease_duration":0,"data":)";
}

void AppendEnvelopeTail(std::size_t data_at, bool data_at_top,
                        const std::vector<std::string>& warnings, std::string_view mount_type,
                        std::string& out) {
  if (out.size() == data_at) {
    out += "null";
  } else if (data_at_top) {
    const std::string members = out.substr(data_at + 1, out.size() - data_at - 2);
    if (!members.empty()) out += "," + members;
  }
  out += R"(,"wrap_info":null,"warnings":)";
  if (warnings.empty()) {
    out += "null";
  } else {
    JsonWriter json(out);
    json.BeginArray();
    for (const std::string& warning : warnings) json.Text(warning);
    json.EndArray();
  }
  out += R"(,"auth":null,"mount_type":")";
  out += mount_type;
  out += "\"}\n";
}

std::string ErrorList(std::string_view text) {
  std::string body;
  JsonWriter(body).BeginObject().Key("errors").BeginArray().Text(text).EndArray().EndObject();
  body += '\n';
  return body;
}

}  // namespace coffer::api
