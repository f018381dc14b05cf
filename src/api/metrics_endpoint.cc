#include <string>

#include "coffer/metrics/registry.h"
#include "endpoint_table.h"

namespace coffer::api {
namespace {

// As Prometheus asks: "application/openmetrics-text;version=1.0.0,...,text/plain;version=0.0.4;..."
bool AcceptsText(const http::Request& request) {
  const std::string_view accepted = request.Header("accept");
  return accepted.starts_with("application/openmetrics-text") || accepted.starts_with("text/plain");
}

Status ReadMetrics(const Call& call, Reply& reply) {
  if (call.services.metrics == nullptr) return Fail(Refusal::kUnsupportedPath);
  const std::string_view format = call.fields.Text("format");
  if (format != "prometheus" && !(format.empty() && AcceptsText(call.request))) {
    return Fail(Code::kInvalid, "metrics are told in one format: ask with format=prometheus");
  }
  reply.json.Literal(call.services.metrics->PrometheusText());
  return {};
}

bool OpenHere(const Services& services, const http::Request& request) {
  return request.listener < services.open_metrics.size() && services.open_metrics[request.listener];
}

}  // namespace

void AddMetricsEndpoints(std::vector<Endpoint>& table) {
  Endpoint endpoint{"metrics", "What the server counts, for Prometheus.", {}, {}, true};
  endpoint.fields = {
      {"format", FieldType::kText, "", "prometheus; may be left out where Accept asks for text."}};
  endpoint.operations = {{Verb::kRead, Capability::kRead, ReadMetrics}};
  endpoint.open = OpenHere;
  endpoint.content_type = metrics::kPrometheusContentType;
  table.push_back(std::move(endpoint));
}

}  // namespace coffer::api
