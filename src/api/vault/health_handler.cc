#include "coffer/api/health_handler.h"

#include <exception>
#include <string_view>
#include <utility>

#include "api/engine_type.h"
#include "api/route.h"
#include "api/vault/envelope.h"
#include "api/vault/errors.h"
#include "api/vault/request_reader.h"

namespace coffer::api {

struct HealthHandler::Impl {
  explicit Impl(SystemParts parts)
      : system(std::move(parts)), registry(Registry::Make({system.Registered()}).value()) {}

  Status Answer(const http::Request& request, http::Response& response) const;

  const SystemEngine system;
  const std::unique_ptr<const Registry> registry;
};

Status HealthHandler::Impl::Answer(const http::Request& request, http::Response& response) const {
  const std::string_view path = PathOf(request);
  const RegisteredEngine* const engine = registry->BuiltInAt(path);
  if (engine == nullptr) return Fail(Refusal::kUnsupportedPath);
  const EndpointTable::Match match = engine->Table().Find(path.substr(engine->Type().path.size()));
  if (match.endpoint == nullptr || !match.endpoint->tells_health ||
      !IsOpen(*match.endpoint, engine->State(), request)) {
    return Fail(Refusal::kUnsupportedPath);
  }
  COFFER_ASSIGN(const Verb verb, VerbOf(request));
  if (verb != Verb::kRead) return Fail(Refusal::kUnsupportedVerb);
  Fields fields(match.endpoint->fields);
  COFFER_ASSIGN(JsonValue parameters, ReadParameters(request, verb));
  COFFER_TRY(fields.Decode(std::move(parameters)));
  Reply reply{JsonWriter(response.body), 200, false, {}};
  const Call call{*registry, engine->State(), nullptr, request, fields,
                  nullptr,   nullptr,         {},      verb,    Capability::kRead};
  COFFER_TRY(FindOperation(*match.endpoint, verb)->handler(call, reply));
  response.status = reply.status;
  response.content_type = match.endpoint->content_type;
  if (reply.status != 204 && response.content_type == kJson) response.body += '\n';
  return {};
}

HealthHandler::HealthHandler(SystemParts parts) : impl_(std::make_unique<Impl>(std::move(parts))) {}
HealthHandler::~HealthHandler() = default;

void HealthHandler::WriteRefusal(std::string_view text, http::Response& response) const {
  response.body = ErrorList(text);
}

void HealthHandler::Handle(const http::Request& request, http::Response& response) {
  Status done;
  try {
    done = impl_->Answer(request, response);
  } catch (const std::exception& error) {
    done = Fail(Code::kInternal, "", error.what());  // out of memory
  }
  if (!done) {
    response.status = HttpStatus(done.error());
    response.body = ErrorBody(done.error());
  }
}

}  // namespace coffer::api
