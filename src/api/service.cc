#include "coffer/api/service.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "audit_trail.h"
#include "coffer/base/ids.h"
#include "coffer/base/secret_bytes.h"
#include "coffer/base/wiping_reserve.h"
#include "endpoint_table.h"
#include "envelope.h"
#include "errors.h"
#include "help.h"
#include "remount_log.h"
#include "request_meter.h"
#include "request_reader.h"
#include "route.h"

namespace coffer::api {
namespace {

bool OnCustodian(const http::Request& request) {
  return request.worker == keyring::KeyRing::kCustodianWorker;
}

// An upper bound of what the envelope's tail takes: an escaped octet is at most six.
std::size_t TailSize(const std::vector<std::string>& warnings) {
  std::size_t size = kEnvelopeSize;
  for (const std::string& warning : warnings) size += 6 * warning.size() + 3;
  return size;
}

// One request on its way, and what is known of it so far.
struct Exchange {
  Exchange(audit::Sink& sink, const http::Request& asked, const std::string& id,
           http::Response& answer)
      : request(asked),
        response(answer),
        path(PathOf(asked)),
        request_id(id),
        trail(sink, asked, id, path.empty() ? asked.path : path) {}

  const http::Request& request;
  http::Response& response;
  const std::string_view path;
  const std::string& request_id;
  const LoggedRequest logged{request_id};
  std::shared_ptr<const mounts::Mount> mount;  // the trail's second entry names it, too
  AuditTrail trail;
  std::shared_ptr<const auth::TokenEntry> token;
  std::vector<std::string> warnings;
  // Where in the answer's body its data stands.
  std::size_t data_at = 0;
  std::size_t data_end = 0;
  bool for_custodian = false;
  Metered metered;
};

}  // namespace

bool RootPolicy::Allows(const auth::TokenEntry& token, Capability, std::string_view) const {
  return std::find(token.policies.begin(), token.policies.end(), "root") != token.policies.end();
}

struct Service::Impl {
  explicit Impl(Services given)
      : services(std::move(given)), meter(services.metrics, services.key_series, services.logger) {}

  // False where the request changes keys and this is not the custodian's thread: nothing was done.
  bool Serve(const http::Request& request, const std::string& request_id, http::Response& response);
  // Has the custodian serve it.
  void ServeOnCustodian(const http::Request& request, const std::string& request_id,
                        http::Response& response);
  // Answers and records that it will not be served.
  void TurnAway(const http::Request& request, const std::string& request_id, const Error& error,
                http::Response& response);
  void NoteToken(Exchange& exchange);
  Status Help(const Target& target, Exchange& exchange);
  Status Answer(Exchange& exchange);
  Status Perform(const Target& target, const Operation& operation, Verb verb, Exchange& exchange);
  Status Run(const Target& target, const Operation& operation, const Call& call,
             Exchange& exchange);
  Status Authorize(const Endpoint& endpoint, Call& call, std::string_view path);
  // Records what becomes of the request; then its answer may leave.
  void Conclude(Exchange& exchange, Status done);
  Status RecordOutcome(Exchange& exchange, const Status& done);
  void Refuse(const Error& error, Exchange& exchange);
  // Of a request that will not be served.
  void FindOperationOf(Exchange& exchange) const;

  Services services;
  RemountLog remounts;
  RequestMeter meter;
};

Service::Service(Services services) : impl_(std::make_unique<Impl>(std::move(services))) {}
Service::~Service() = default;

// Which capability a write needs depends on whether its object is there.
Status Service::Impl::Authorize(const Endpoint& endpoint, Call& call, std::string_view path) {
  if (IsOpen(endpoint, services, call.request)) return {};
  if (call.capability == Capability::kUpdate && endpoint.exists != nullptr &&
      !endpoint.exists(call)) {
    call.capability = Capability::kCreate;
  }
  if (!services.policy.Allows(*call.token, call.capability, path)) {
    return Fail(Code::kPermissionDenied, "");
  }
  return {};
}

Status Service::Impl::Run(const Target& target, const Operation& operation, const Call& call,
                          Exchange& exchange) {
  const Endpoint& endpoint = *target.match.endpoint;
  exchange.trail.NoteCapability(call.verb, call.capability, OnCustodian(exchange.request));
  COFFER_TRY(exchange.trail.RecordRequest());
  http::Response& response = exchange.response;
  std::string& body = response.body;
  body.reserve(kEnvelopeSize);
  if (!endpoint.raw) AppendEnvelopeHead(exchange.request_id, body);
  exchange.data_at = body.size();
  Reply reply{JsonWriter(body), 200, false, call.fields.Warnings()};
  const Status done = operation.handler(call, reply);
  response.wipe = reply.secret;
  COFFER_TRY(done);
  response.content_type = endpoint.content_type;
  const bool json = endpoint.content_type == kJson;
  exchange.data_end = json ? body.size() : exchange.data_at;
  exchange.warnings = std::move(reply.warnings);
  response.status = reply.status;
  if (reply.status == 204) {
    body.clear();
    exchange.data_at = exchange.data_end = 0;
  } else if (!endpoint.raw) {
    if (reply.secret) ReserveWiping(body, body.size() + TailSize(exchange.warnings));
    AppendEnvelopeTail(exchange.data_at, endpoint.data_at_top, exchange.warnings,
                       EngineName(target.engine), body);
  } else if (json) {
    body += '\n';
  }
  return {};
}

void Service::Impl::NoteToken(Exchange& exchange) {
  const std::string_view text = TokenOf(exchange.request);
  if (!text.empty()) {
    if (auto entry = services.tokens.Lookup(text)) exchange.token = std::move(*entry);
  }
  exchange.trail.NoteToken(text, exchange.token.get());
}

Status Service::Impl::Help(const Target& target, Exchange& exchange) {
  exchange.trail.NoteHelp();
  COFFER_TRY(exchange.trail.RecordRequest());
  JsonWriter json(exchange.response.body);
  if (target.match.endpoint != nullptr) {
    WriteHelp(*target.match.endpoint, target.engine, json);
  } else {
    WriteEngineHelp(target.engine, json);
  }
  exchange.data_end = exchange.response.body.size();
  return {};
}

Status Service::Impl::Answer(Exchange& exchange) {
  const http::Request& request = exchange.request;
  NoteToken(exchange);
  const auto verb = VerbOf(request);
  if (verb) exchange.trail.NoteVerb(*verb);
  if (exchange.path.empty()) return Fail(Code::kNotFound, "");
  auto target = Route(services.mounts, exchange.path);
  // Help is asked of a mount by its bare path too.
  if (!target && WantsHelp(request)) {
    auto mount = Route(services.mounts, std::string(exchange.path) + "/");
    if (mount) target = std::move(mount);
  }
  const bool found = target && target->match.endpoint != nullptr;
  if (target) {
    exchange.mount = target->mount;
    exchange.trail.NoteTarget(target->match.endpoint, EngineName(target->engine),
                              target->mount.get());
  }
  COFFER_TRY(CheckHeaders(request));
  COFFER_TRY(verb);
  const bool open = found && IsOpen(*target->match.endpoint, services, request);
  // Before anything about paths is said: who may not ask learns nothing from the answer.
  if (!open && exchange.token == nullptr) return Fail(Code::kPermissionDenied, "");
  // Help is for every token, whatever its policies.
  if (target && WantsHelp(request) && (found || target->at_root)) return Help(*target, exchange);
  const Operation* const operation =
      found ? FindOperation(*target->match.endpoint, *verb) : nullptr;
  const bool head_elsewhere = request.method == http::Method::kHead && !open;
  if (operation != nullptr && !head_elsewhere) return Perform(*target, *operation, *verb, exchange);
  if (!open && !services.policy.Allows(*exchange.token, UsualCapability(*verb), exchange.path)) {
    return Fail(Code::kPermissionDenied, "");
  }
  if (!target) return Fail(target.error());
  return Fail(found ? Code::kUnsupportedVerb : Code::kUnsupportedPath, "");
}

// Whether it may be done is decided where the request came in, before it may wait for the
// custodian, and once more at its turn.
Status Service::Impl::Perform(const Target& target, const Operation& operation, Verb verb,
                              Exchange& exchange) {
  meter.NoteOperation(target.engine, target.match, target.mount, operation, exchange.metered);
  const http::Request& request = exchange.request;
  Fields fields(target.match.endpoint->fields);
  for (const auto& [name, text] : target.match.captures) fields.Capture(name, text);
  COFFER_ASSIGN(JsonValue parameters, ReadParameters(request, verb));
  if (BodyIsJson(request, verb)) {
    exchange.trail.NoteBody(request.body);
  } else {
    exchange.trail.NoteParameters(parameters);
  }
  COFFER_TRY(fields.Decode(std::move(parameters)));
  Call call{services,
            remounts,
            request,
            fields,
            target.mount.get(),
            exchange.token.get(),
            TokenOf(request),
            verb,
            operation.capability};
  COFFER_TRY(Authorize(*target.match.endpoint, call, exchange.path));
  const bool changes_keys =
      operation.on_custodian || (operation.changes_keys != nullptr && operation.changes_keys(call));
  exchange.for_custodian = changes_keys && !OnCustodian(request);
  if (exchange.for_custodian) return {};
  return Run(target, operation, call, exchange);
}

void Service::Impl::Refuse(const Error& error, Exchange& exchange) {
  http::Response& response = exchange.response;
  SecureWipe(response.body.data(), response.body.size());
  response.status = HttpStatus(error.code);
  response.body = ErrorBody(error);
  response.content_type = kJson;
  response.wipe = false;
  if (response.status == 503) response.headers.emplace_back("Retry-After", "1");
  if (response.status < 500) return;
  services.logger.Log(LogLevel::kError, "api", "request failed",
                      {{"path", exchange.path}, {"error", error.message}, {"cause", error.cause}});
}

Status Service::Impl::RecordOutcome(Exchange& exchange, const Status& done) {
  if (done) {
    const std::string_view body = exchange.response.body;
    return exchange.trail.RecordResponse(
        exchange.response.status,
        body.substr(exchange.data_at, exchange.data_end - exchange.data_at), exchange.warnings,
        nullptr);
  }
  COFFER_TRY(exchange.trail.RecordRequest(&done.error()));
  return exchange.trail.RecordResponse(HttpStatus(done.error().code), {}, exchange.warnings,
                                       &done.error());
}

void Service::Impl::Conclude(Exchange& exchange, Status done) {
  // What cannot be recorded is not answered: an outage of the trail is the only thing said.
  if (Status recorded = RecordOutcome(exchange, done); !recorded) done = std::move(recorded);
  if (!done) Refuse(done.error(), exchange);
  meter.Count(exchange.request, exchange.response.status, exchange.metered);
}

void Service::Impl::FindOperationOf(Exchange& exchange) const {
  const auto verb = VerbOf(exchange.request);
  const auto target = Route(services.mounts, exchange.path);
  if (!verb || !target || target->match.endpoint == nullptr) return;
  const Operation* const operation = FindOperation(*target->match.endpoint, *verb);
  if (operation == nullptr) return;
  meter.NoteOperation(target->engine, target->match, target->mount, *operation, exchange.metered);
}

bool Service::Impl::Serve(const http::Request& request, const std::string& request_id,
                          http::Response& response) {
  Exchange exchange(services.audit, request, request_id, response);
  Status done;
  try {
    done = Answer(exchange);
  } catch (const std::exception& error) {
    done = Fail(Code::kInternal, "", error.what());  // out of memory
  }
  if (done && exchange.for_custodian) return false;
  Conclude(exchange, std::move(done));
  return true;
}

void Service::Impl::TurnAway(const http::Request& request, const std::string& request_id,
                             const Error& error, http::Response& response) {
  Exchange exchange(services.audit, request, request_id, response);
  NoteToken(exchange);
  if (const auto verb = VerbOf(request)) exchange.trail.NoteVerb(*verb);
  FindOperationOf(exchange);
  Conclude(exchange, Fail(error));
}

void Service::Impl::ServeOnCustodian(const http::Request& request, const std::string& request_id,
                                     http::Response& response) {
  if (request.parking == nullptr) {  // its caller waits
    http::Request moved = request;
    moved.worker = keyring::KeyRing::kCustodianWorker;
    moved.more_at_hand = false;
    const Status ran = services.custodian.Run([&](keyring::Token&) -> Status {
      Serve(moved, request_id, response);
      return {};
    });
    if (!ran) TurnAway(request, request_id, ran.error(), response);
    return;
  }
  const std::shared_ptr<http::Parked> parked = request.parking->Park();
  if (parked == nullptr) {
    TurnAway(request, request_id,
             {Code::kUnavailable, "too many key changes are waiting: try again", ""}, response);
    return;
  }
  const Status queued =
      services.custodian.Submit([this, parked, request_id](keyring::Token&) -> Status {
        http::Request& asked = parked->Asked();
        asked.worker = keyring::KeyRing::kCustodianWorker;
        asked.more_at_hand = false;
        http::Response answer;
        if (parked->Begin()) {
          Serve(asked, request_id, answer);
        } else {  // nobody waits for it: the token's time is for those who do
          TurnAway(asked, request_id,
                   {Code::kUnavailable, "the client did not wait for its turn", ""}, answer);
        }
        parked->Answer(std::move(answer));
        return {};
      });
  if (queued) return;
  http::Response refused;
  TurnAway(parked->Asked(), request_id, queued.error(), refused);
  parked->Answer(std::move(refused));
}

void Service::Handle(const http::Request& request, http::Response& response) {
  const std::string request_id = Id::Generate(impl_->services.random).ToUuid();
  if (!impl_->Serve(request, request_id, response)) {
    impl_->ServeOnCustodian(request, request_id, response);
  }
}

void Service::EndTurn() { impl_->services.audit.Flush(); }

void Service::OnRefused(const http::Refusal& refusal) {
  impl_->meter.CountRefused(refusal.status);
  const std::string request_id = Id::Generate(impl_->services.random).ToUuid();
  const LoggedRequest logged(request_id);
  audit::Entry entry;
  entry.request_id = request_id;
  // Nothing behind the path: a query was not read, and may hold anything.
  entry.path = refusal.target.substr(0, refusal.target.find('?'));
  if (entry.path.starts_with(kApiPrefix)) entry.path.remove_prefix(kApiPrefix.size());
  entry.remote_address = refusal.remote_address;
  entry.remote_port = refusal.remote_port;
  entry.error = refusal.reason;
  Status recorded = impl_->services.audit.Record(entry);
  if (recorded) {
    entry.type = audit::Entry::Type::kResponse;
    entry.status = refusal.status;
    recorded = impl_->services.audit.Record(entry);
  }
  // The client learns its fault all the same: nothing was done and nothing is given away.
  if (!recorded) {
    impl_->services.logger.Log(LogLevel::kError, "api", "a refused request was not recorded",
                               {{"why", recorded.error().message}});
  }
}

}  // namespace coffer::api
