#include <string>

#include "api/vault/system/system_call.h"
#include "coffer/metrics/registry.h"

namespace coffer::api {
namespace {

// True if the client accepts the text format, as Prometheus does:
// "application/openmetrics-text;version=1.0.0,...,text/plain;version=0.0.4;..."
bool AcceptsText(const http::Request& request) {
  const std::string_view accepted = request.Header("accept");
  return accepted.starts_with("application/openmetrics-text") || accepted.starts_with("text/plain");
}

Status ReadMetrics(const Call& call, Reply& reply) {
  if (PartsOf(call).metrics == nullptr) return Fail(Refusal::kUnsupportedPath);
  const std::string_view format = call.fields.Text("format");
  if (format != "prometheus" && !(format.empty() && AcceptsText(call.request))) {
    return Fail(Code::kInvalid, "metrics are told in one format: ask with format=prometheus");
  }
  reply.json.Literal(PartsOf(call).metrics->PrometheusText());
  return {};
}

bool OpenHere(EngineState engine, const http::Request& request) {
  const std::vector<bool>& open = engine.As<SystemEngine::State>().parts.open_metrics;
  return request.listener < open.size() && open[request.listener];
}

}  // namespace

void AddMetricsEndpoints(std::vector<Endpoint>& table) {
  Endpoint endpoint{"metrics", "What the server counts, for Prometheus.", {}, {}, true};
  endpoint.fields = {
      {"format", FieldType::kText, "", "prometheus; may be left out where Accept asks for text."}};
  endpoint.operations = {{Verb::kRead, Capability::kRead, ReadMetrics}};
  endpoint.open = OpenHere;
  endpoint.tells_health = true;
  endpoint.content_type = metrics::kPrometheusContentType;
  table.push_back(std::move(endpoint));
}

}  // namespace coffer::api
