#include "coffer/api/service.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "coffer/base/ids.h"
#include "coffer/base/secret_bytes.h"
#include "endpoint_table.h"
#include "envelope.h"
#include "errors.h"
#include "help.h"
#include "remount_log.h"
#include "request_reader.h"

namespace coffer::api {
namespace {

// Where a path leads.
struct Target {
  EngineKind engine = EngineKind::kSystem;
  std::shared_ptr<const mounts::Mount> mount;  // transit only
  EndpointTable::Match match;
};

std::string_view MountType(EngineKind engine) {
  switch (engine) {
    case EngineKind::kSystem:
      return "system";
    case EngineKind::kToken:
      return "token";
    case EngineKind::kTransit:
      break;
  }
  return "transit";
}

const Operation* FindOperation(const Endpoint& endpoint, Verb verb) {
  const auto found =
      std::find_if(endpoint.operations.begin(), endpoint.operations.end(),
                   [&](const Operation& operation) { return operation.verb == verb; });
  return found == endpoint.operations.end() ? nullptr : &*found;
}

std::string_view PathOf(const http::Request& request) {
  constexpr std::string_view kPrefix = "/v1/";
  std::string_view path = request.path;
  if (!path.starts_with(kPrefix)) return {};
  path.remove_prefix(kPrefix.size());
  return path;
}

Result<Target> Route(const mounts::MountTable& mounts, std::string_view path) {
  Target target;
  const auto rest_behind = [&](std::string_view prefix) -> std::optional<std::string_view> {
    if (!path.starts_with(prefix)) return std::nullopt;
    return path.substr(prefix.size());
  };
  std::string_view rest;
  if (const auto system = rest_behind("sys/")) {
    rest = *system;
  } else if (const auto token = rest_behind("auth/token/")) {
    target.engine = EngineKind::kToken;
    rest = *token;
  } else if (path.starts_with("identity/") || path.starts_with("cubbyhole/")) {
    return Fail(Code::kUnsupportedPath, "");
  } else if (auto route = mounts.Find(path)) {
    target.engine = EngineKind::kTransit;
    target.mount = std::move(route->mount);
    rest = route->rest;
  } else {
    return Fail(Code::kNoRoute,
                "no handler for route \"" + std::string(path) + "\". route entry not found.");
  }
  target.match = TableOf(target.engine).Find(rest);
  return target;
}

// An upper bound of what the envelope's tail takes: an escaped octet is at most six.
std::size_t TailSize(const std::vector<std::string>& warnings) {
  std::size_t size = kEnvelopeSize;
  for (const std::string& warning : warnings) size += 6 * warning.size() + 3;
  return size;
}

// Room for `more` octets; where the secret has to move for it, its old place is wiped.
void GrowWiping(std::string& body, std::size_t more) {
  if (body.capacity() - body.size() >= more) return;
  std::string larger;
  larger.reserve(body.size() + more);
  larger = body;
  SecureWipe(body.data(), body.size());
  body.swap(larger);
}

}  // namespace

bool RootPolicy::Allows(const auth::TokenEntry& token, Capability, std::string_view) const {
  return std::find(token.policies.begin(), token.policies.end(), "root") != token.policies.end();
}

struct Service::Impl {
  explicit Impl(Services given) : services(std::move(given)) {}

  // False where the request changes keys and this is not the custodian's thread: nothing was done.
  bool Serve(const http::Request& request, const std::string& request_id, http::Response& response);
  // Has the custodian serve it.
  void ServeOnCustodian(const http::Request& request, const std::string& request_id,
                        http::Response& response);
  Status Answer(const http::Request& request, std::string_view path, const std::string& request_id,
                bool& for_custodian, http::Response& response);
  Status Run(const Target& target, const Operation& operation, Call& call,
             const std::string& request_id, std::string_view path, http::Response& response);
  Status Authorize(const Endpoint& endpoint, Call& call, std::string_view path);
  AuditRecord Record(const Call& call, const std::string& request_id, std::string_view path) const;
  void Refuse(const Error& error, const std::string& request_id, std::string_view path,
              http::Response& response);

  Services services;
  RemountLog remounts;
};

Service::Service(Services services) : impl_(std::make_unique<Impl>(std::move(services))) {}
Service::~Service() = default;

AuditRecord Service::Impl::Record(const Call& call, const std::string& request_id,
                                  std::string_view path) const {
  AuditRecord record;
  record.request_id = request_id;
  record.method = http::MethodName(call.request.method);
  record.path = path;
  record.remote_address = call.request.remote_address;
  record.token = call.token;
  return record;
}

// Which capability a write needs depends on whether its object is there.
Status Service::Impl::Authorize(const Endpoint& endpoint, Call& call, std::string_view path) {
  if (endpoint.unauthenticated) return {};
  if (call.capability == Capability::kUpdate && endpoint.exists != nullptr &&
      !endpoint.exists(call)) {
    call.capability = Capability::kCreate;
  }
  if (!services.policy.Allows(*call.token, call.capability, path)) {
    return Fail(Code::kPermissionDenied, "");
  }
  return {};
}

Status Service::Impl::Run(const Target& target, const Operation& operation, Call& call,
                          const std::string& request_id, std::string_view path,
                          http::Response& response) {
  const Endpoint& endpoint = *target.match.endpoint;
  COFFER_TRY(Authorize(endpoint, call, path));
  AuditRecord record = Record(call, request_id, path);
  if (!services.audit.Record(record)) return Fail(Code::kInternal, "", "audit refused the request");
  std::string& body = response.body;
  body.reserve(kEnvelopeSize);
  if (!endpoint.raw) AppendEnvelopeHead(request_id, body);
  const std::size_t data_at = body.size();
  Reply reply{JsonWriter(body), 200, false, call.fields.Warnings()};
  auto done = operation.handler(call, reply);
  response.wipe = reply.secret;
  record.is_response = true;
  record.status = done ? reply.status : HttpStatus(done.error().code);
  if (!services.audit.Record(record)) return Fail(Code::kInternal, "", "audit refused the answer");
  COFFER_TRY(done);
  response.status = reply.status;
  if (reply.status == 204) {
    body.clear();
  } else if (!endpoint.raw) {
    if (reply.secret) GrowWiping(body, TailSize(reply.warnings));
    AppendEnvelopeTail(data_at, endpoint.data_at_top, reply.warnings, MountType(target.engine),
                       body);
  } else {
    body += '\n';
  }
  return {};
}

Status Service::Impl::Answer(const http::Request& request, std::string_view path,
                             const std::string& request_id, bool& for_custodian,
                             http::Response& response) {
  COFFER_TRY(CheckHeaders(request));
  COFFER_ASSIGN(const Verb verb, VerbOf(request));
  const auto target = Route(services.mounts, path);
  const bool found = target && target->match.endpoint != nullptr;
  const bool open = found && target->match.endpoint->unauthenticated;
  const std::string_view token_text = TokenOf(request);
  std::shared_ptr<const auth::TokenEntry> token;
  if (!token_text.empty()) {
    if (auto entry = services.tokens.Lookup(token_text)) token = std::move(*entry);
  }
  // Before anything about paths is said: who may not ask learns nothing from the answer.
  if (!open && token == nullptr) return Fail(Code::kPermissionDenied, "");
  if (!target) return Fail(target.error());
  if (!found) return Fail(Code::kUnsupportedPath, "");
  const Endpoint& endpoint = *target->match.endpoint;
  if (WantsHelp(request)) {
    JsonWriter json(response.body);
    WriteHelp(endpoint, json);
    return {};
  }
  const Operation* const operation = FindOperation(endpoint, verb);
  const bool head_elsewhere = request.method == http::Method::kHead && !open;
  if (operation == nullptr || head_elsewhere) return Fail(Code::kUnsupportedVerb, "");
  const bool here = request.worker == keyring::KeyRing::kCustodianWorker;
  for_custodian = operation->on_custodian && !here;
  if (for_custodian) return {};

  Fields fields(endpoint.fields);
  for (const auto& [name, text] : target->match.captures) fields.Capture(name, text);
  COFFER_ASSIGN(JsonValue parameters, ReadParameters(request, verb));
  COFFER_TRY(fields.Decode(std::move(parameters)));
  Call call{services,
            remounts,
            request,
            fields,
            target->mount.get(),
            token.get(),
            token_text,
            verb,
            operation->capability};
  for_custodian = !here && operation->changes_keys != nullptr && operation->changes_keys(call);
  if (for_custodian) return {};
  return Run(*target, *operation, call, request_id, path, response);
}

void Service::Impl::Refuse(const Error& error, const std::string& request_id, std::string_view path,
                           http::Response& response) {
  SecureWipe(response.body.data(), response.body.size());
  response.status = HttpStatus(error.code);
  response.body = ErrorBody(error);
  response.wipe = false;
  if (response.status == 503) response.headers.emplace_back("Retry-After", "1");
  if (response.status < 500) return;
  services.logger.Log(LogLevel::kError, "api", "request failed",
                      {{"request_id", request_id},
                       {"path", path},
                       {"error", error.message},
                       {"cause", error.cause}});
}

bool Service::Impl::Serve(const http::Request& request, const std::string& request_id,
                          http::Response& response) {
  const std::string_view path = PathOf(request);
  Status done;
  bool for_custodian = false;
  try {
    done = path.empty() ? Fail(Code::kNotFound, "")
                        : Answer(request, path, request_id, for_custodian, response);
  } catch (const std::exception& error) {
    done = Fail(Code::kInternal, "", error.what());  // out of memory
  }
  if (!done) Refuse(done.error(), request_id, path, response);
  if (request.method == http::Method::kHead) response.body.clear();
  return !done || !for_custodian;
}

void Service::Impl::ServeOnCustodian(const http::Request& request, const std::string& request_id,
                                     http::Response& response) {
  if (request.parking == nullptr) {  // its caller waits
    http::Request moved = request;
    moved.worker = keyring::KeyRing::kCustodianWorker;
    const Status ran = services.custodian.Run([&](keyring::Token&) -> Status {
      Serve(moved, request_id, response);
      return {};
    });
    if (!ran) Refuse(ran.error(), request_id, PathOf(request), response);
    return;
  }
  const std::shared_ptr<http::Parked> parked = request.parking->Park();
  if (parked == nullptr) {
    Refuse({Code::kUnavailable, "too many key changes are waiting: try again", ""}, request_id,
           PathOf(request), response);
    return;
  }
  const Status queued =
      services.custodian.Submit([this, parked, request_id](keyring::Token&) -> Status {
        http::Request& asked = parked->Asked();
        asked.worker = keyring::KeyRing::kCustodianWorker;
        http::Response answer;
        if (parked->Abandoned()) {  // nobody waits for it: the token's time is for those who do
          Refuse({Code::kUnavailable, "the client left before its turn", ""}, request_id,
                 PathOf(asked), answer);
        } else {
          Serve(asked, request_id, answer);
        }
        parked->Answer(std::move(answer));
        return {};
      });
  if (queued) return;
  http::Response refused;
  Refuse(queued.error(), request_id, PathOf(request), refused);
  parked->Answer(std::move(refused));
}

void Service::Handle(const http::Request& request, http::Response& response) {
  const std::string request_id = Id::Generate(impl_->services.random).ToUuid();
  if (!impl_->Serve(request, request_id, response)) {
    impl_->ServeOnCustodian(request, request_id, response);
  }
}

}  // namespace coffer::api
