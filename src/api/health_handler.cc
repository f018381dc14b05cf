#include "coffer/api/health_handler.h"

#include <algorithm>
#include <array>
#include <exception>
#include <string_view>
#include <utility>

#include "endpoint_table.h"
#include "errors.h"
#include "remount_log.h"
#include "request_reader.h"

namespace coffer::api {
namespace {

constexpr std::array<std::string_view, 4> kPaths{"health", "seal-status", "leader", "metrics"};

Status Answer(const Services& services, const http::Request& request, http::Response& response) {
  constexpr std::string_view kPrefix = "/v1/sys/";
  std::string_view path = request.path;
  if (!path.starts_with(kPrefix)) return Fail(Refusal::kUnsupportedPath);
  path.remove_prefix(kPrefix.size());
  const EndpointTable::Match match = TableOf(EngineKind::kSystem).Find(path);
  if (match.endpoint == nullptr || !IsOpen(*match.endpoint, services, request) ||
      std::find(kPaths.begin(), kPaths.end(), match.endpoint->pattern) == kPaths.end()) {
    return Fail(Refusal::kUnsupportedPath);
  }
  COFFER_ASSIGN(const Verb verb, VerbOf(request));
  if (verb != Verb::kRead) return Fail(Refusal::kUnsupportedVerb);
  Fields fields(match.endpoint->fields);
  COFFER_ASSIGN(JsonValue parameters, ReadParameters(request, verb));
  COFFER_TRY(fields.Decode(std::move(parameters)));
  RemountLog none;
  Reply reply{JsonWriter(response.body), 200, false, {}};
  const Call call{services, none, request, fields, nullptr, nullptr, {}, verb, Capability::kRead};
  COFFER_TRY(match.endpoint->operations.front().handler(call, reply));
  response.status = reply.status;
  response.content_type = match.endpoint->content_type;
  if (reply.status != 204 && response.content_type == kJson) response.body += '\n';
  return {};
}

}  // namespace

void HealthHandler::Handle(const http::Request& request, http::Response& response) {
  Status done;
  try {
    done = Answer(services_, request, response);
  } catch (const std::exception& error) {
    done = Fail(Code::kInternal, "", error.what());  // out of memory
  }
  if (!done) {
    response.status = HttpStatus(done.error());
    response.body = ErrorBody(done.error());
  }
}

}  // namespace coffer::api
