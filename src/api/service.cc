#include "coffer/api/service.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <utility>

#include "api/bounded_text.h"
#include "api/constant_document.h"
#include "api/named_parameters.h"
#include "api/service_impl.h"
#include "coffer/base/ids.h"
#include "coffer/base/secret_bytes.h"

namespace coffer::api {
namespace {

// The time that a batch works before the other connections of its worker have their turn.
constexpr std::chrono::milliseconds kSlice{5};

// The number of items of a batch that are carried out between two looks at the clock, if each item
// costs little.
constexpr std::size_t kItemsAtOnce = 16;

// A batch that costs more than this gives way to its worker's other connections.
constexpr std::int64_t kBatchCostAtOnce = 128;

// The largest body for an endpoint that needs no token: none of them has use for more.
constexpr std::size_t kOpenBodyBytes = 4096;

// Up to this size of a body, the memory of its parameters is not counted.
constexpr std::size_t kLittleBody = 4096;

http::Owner OwnerOf(const auth::TokenEntry& token) {
  const std::uint64_t hash = std::hash<std::string>()(token.accessor);
  return hash == http::kUnknownOwner ? 1 : hash;
}

std::string_view WithoutSlash(std::string_view path) {
  if (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

bool OnCustodian(const Exchange& exchange) {
  return exchange.lane != nullptr && exchange.lane->IsCustodians();
}

}  // namespace

Service::Impl::Impl(const Services& given, std::shared_ptr<const Face> its_face)
    : services(given),
      face(std::move(its_face)),
      meter(given.registry, given.metrics, given.key_series, given.logger),
      turns({.submit = [this](Turns::Custodian::Work work) -> Status {
               return services.custodian.Submit(
                   [this, work = std::move(work)](keyring::CustodianTurn& turn) -> Status {
                     work(&services.lanes.OfCustodian(turn));
                     return {};
                   });
             },
             .run = [this](const Turns::Custodian::Work& work) -> Status {
               return services.custodian.Run([&](keyring::CustodianTurn& turn) -> Status {
                 work(&services.lanes.OfCustodian(turn));
                 return {};
               });
             }}) {}

Service::Service(const Services& services, std::shared_ptr<const Face> face)
    : impl_(std::make_unique<Impl>(services, std::move(face))) {}
Service::~Service() = default;

// Has the policies decide. A write of an object that does not exist needs `create` instead of
// `update`.
Status Service::Impl::Authorize(const Endpoint& endpoint, Exchange& exchange) {
  Call& call = *exchange.call;
  if (IsOpen(endpoint, call.engine, call.request)) return {};
  if (call.capability == Capability::kUpdate && endpoint.exists != nullptr &&
      !endpoint.exists(call)) {
    call.capability = Capability::kCreate;
  }
  return Permit(exchange, call.capability, exchange.operation->sudo);
}

// Policies see one path for each endpoint, however the client wrote it: the path of a list ends in
// a slash, any other does not.
Status Service::Impl::Permit(Exchange& exchange, Capability capability, bool sudo) const {
  const bool lists = capability == Capability::kList || capability == Capability::kScan;
  std::string_view path = exchange.path;
  std::string slashed;
  if (lists && !path.ends_with('/')) {
    slashed = std::string(path) + "/";
    path = slashed;
  }
  if (!lists) path = WithoutSlash(path);
  const auth::Decision decision =
      exchange.rules->Decide({.path = path,
                              .capability = capability,
                              .sudo = sudo,
                              .parameters_refused = exchange.parameters_refused});
  exchange.trail.NoteDecision(decision);
  if (!decision.allowed) return Fail(Refusal::kPermissionDenied);
  return {};
}

Status Service::Impl::Begin(Exchange& exchange) {
  COFFER_TRY(PlaceWork(exchange));
  if (exchange.next != Next::kAnswer) return {};
  const Call& call = *exchange.call;
  exchange.trail.NoteCapability(call.verb, call.capability, OnCustodian(exchange));
  if (call.items_at_once > 0) exchange.trail.NoteLongWork();
  COFFER_TRY(exchange.trail.RecordRequest());
  std::string& body = exchange.response.body;
  face->BeginAnswer(*exchange.target->match.endpoint, exchange.request_id, body);
  exchange.data_at = body.size();
  Reply& reply =
      exchange.reply.emplace(Reply{JsonWriter(body), 200, false, call.fields.Warnings()});
  const Status done = exchange.operation->handler(call, reply);
  exchange.response.wipe = reply.secret;
  COFFER_TRY(done);
  if (reply.rest == nullptr) {
    Complete(exchange);
    return {};
  }
  exchange.stage = Exchange::Stage::kGoOn;
  return GoOn(exchange);
}

Status Service::Impl::GoOn(Exchange& exchange) {
  COFFER_ASSIGN(const bool done,
                exchange.reply->rest->Continue(std::chrono::steady_clock::now() + kSlice));
  if (done) {
    Complete(exchange);
  } else {
    exchange.next = Next::kWorker;
  }
  return {};
}

void Service::Impl::Complete(Exchange& exchange) {
  const Endpoint& endpoint = *exchange.target->match.endpoint;
  Reply& reply = *exchange.reply;
  http::Response& response = exchange.response;
  std::string& body = response.body;
  response.wipe = reply.secret;
  if (reply.document != nullptr) exchange.AnswerWith(*reply.document);
  response.content_type = reply.content_type.empty() ? endpoint.content_type : reply.content_type;
  response.headers = std::move(reply.headers);
  const bool json = response.content_type == kJson;
  exchange.data_end = json ? body.size() : exchange.data_at;
  exchange.warnings = std::move(reply.warnings);
  exchange.trail.NoteParts(reply);
  response.status = reply.status;
  if (reply.status == 204) {
    body.clear();
    exchange.data_at = exchange.data_end = 0;
  } else {
    const Answer answer{
        exchange.request_id, exchange.target->engine->Name(), endpoint, reply, exchange.warnings,
        exchange.data_at};
    const std::size_t moved = face->EndAnswer(answer, body);
    exchange.data_at += moved;
    exchange.data_end += moved;
  }
}

void Service::Impl::Identify(Exchange& exchange) {
  Caller caller = face->Identify(*exchange.request);
  exchange.token = std::move(caller.token);
  exchange.rules = std::move(caller.rules);
  exchange.unidentified = std::move(caller.unavailable);
  exchange.credential = caller.credential;
  if (exchange.token != nullptr) exchange.response.owner = OwnerOf(*exchange.token);
  if (exchange.request->memory != nullptr) {
    exchange.request->memory->SetOwner(exchange.response.owner);
  }
  exchange.trail.NoteToken(exchange.credential, exchange.token.get());
}

Status Service::Impl::Help(const ConstantDocument& document, Exchange& exchange) {
  exchange.trail.NoteHelp();
  COFFER_TRY(exchange.trail.RecordRequest());
  exchange.AnswerWith(document);
  return {};
}

Status Service::Impl::Read(Exchange& exchange) {
  Identify(exchange);
  Finding finding = face->Find(*exchange.request);
  if (finding.verb) exchange.trail.NoteVerb(*finding.verb);
  if (finding.path.empty()) return Fail(Code::kNotFound, "");
  exchange.path = finding.path;
  exchange.made_path = std::move(finding.made_path);
  exchange.trail.NotePath(exchange.path);
  std::optional<Target>& target = exchange.target;
  target = std::move(finding.target);
  const bool found = target && target->match.endpoint != nullptr;
  if (target) {
    exchange.mount = target->mount;
    exchange.trail.NoteTarget(target->match.endpoint, target->engine->Type(), target->mount.get());
  }
  COFFER_TRY(finding.unacceptable);
  COFFER_TRY(finding.verb);
  const Verb verb = *finding.verb;
  const bool open =
      found && IsOpen(*target->match.endpoint, target->engine->State(), *exchange.request);
  // The token is checked before anything is said about paths: a caller without one learns nothing
  // from the answer.
  if (!open && exchange.token == nullptr) {
    COFFER_TRY(exchange.unidentified);
    return Fail(Refusal::kPermissionDenied);
  }
  // A request takes one of the token's uses whatever becomes of it, and before it does anything.
  if (!open) COFFER_TRY(services.tokens.Use(*exchange.token));
  // Every token may read help, whatever its policies.
  if (finding.help != nullptr) return Help(*finding.help, exchange);
  exchange.operation = found ? FindOperation(*target->match.endpoint, verb) : nullptr;
  const bool here = open || !finding.unauthenticated_only;
  if (exchange.operation != nullptr && here) return Perform(verb, exchange);
  if (!open) COFFER_TRY(Permit(exchange, UsualCapability(verb), false));
  if (!target) return finding.nowhere;
  return Fail(found ? Refusal::kUnsupportedVerb : Refusal::kUnsupportedPath);
}

// Prepares the operation and decides once whether it is allowed: on arrival, before the request may
// wait.
Status Service::Impl::Perform(Verb verb, Exchange& exchange) {
  const Target& target = *exchange.target;
  meter.NoteOperation(*target.engine, target.match, target.mount, *exchange.operation,
                      exchange.metered);
  COFFER_TRY(Decode(verb, exchange));
  exchange.call.emplace(Call{services.registry, target.engine->State(), exchange.lane,
                             *exchange.request, *exchange.fields, target.mount.get(),
                             exchange.token.get(), exchange.rules.get(), exchange.credential, verb,
                             exchange.operation->capability, 0, &exchange.found});
  COFFER_TRY(Authorize(*target.match.endpoint, exchange));
  exchange.stage = Exchange::Stage::kBegin;
  return Begin(exchange);
}

Status Service::Impl::Decode(Verb verb, Exchange& exchange) {
  const Target& target = *exchange.target;
  const http::Request& request = *exchange.request;
  Fields& fields = exchange.fields.emplace(target.match.endpoint->fields);
  if (const auto check = target.engine->Type().check_captures; check != nullptr) {
    COFFER_TRY(check(target.match.captures));
  }
  for (const auto& [name, text] : target.match.captures) fields.Capture(name, text);
  // A small request is not counted: unless it waits, its memory is free again before the next
  // request is read.
  if (request.memory != nullptr && request.body.size() > kLittleBody) {
    COFFER_TRY(request.memory->Take(face->MemoryOfParameters(request)));
  }
  COFFER_ASSIGN(JsonValue parameters, face->ReadParameters(request, verb));
  if (face->BodyIsParameters(request, verb)) {
    exchange.trail.NoteBody(request.body);
  } else {
    COFFER_TRY(exchange.trail.NoteParameters(parameters));
  }
  if (exchange.rules != nullptr) CheckParameters(parameters, verb, exchange);
  return fields.Decode(std::move(parameters));
}

void Service::Impl::CheckParameters(const JsonValue& parameters, Verb verb, Exchange& exchange) {
  // The parameters of a list are not a policy's matter.
  if (verb == Verb::kList || verb == Verb::kScan) return;
  const auth::Permission* const rule = exchange.rules->Find(WithoutSlash(exchange.path), false);
  if (rule == nullptr || !rule->NamesParameters()) return;
  const NamedParameters named(parameters, exchange.target->match.endpoint->fields);
  exchange.parameters_refused = auth::AccessRules::CheckParameters(*rule, named.All());
}

// A change of keys is done by the custodian. A batch that costs much is parked and carried out in
// slices.
Status Service::Impl::PlaceWork(Exchange& exchange) {
  const Operation& operation = *exchange.operation;
  Call& call = *exchange.call;
  if (OnCustodian(exchange)) return {};
  BatchCost cost;
  if (operation.batch_cost != nullptr) {
    COFFER_ASSIGN(cost, operation.batch_cost(call));
  }
  const bool in_slices = call.items_at_once > 0;
  if (operation.on_custodian ||
      (operation.changes_keys != nullptr && operation.changes_keys(call))) {
    // The request has waited for its slices, and the key went away meanwhile: that is so rare that
    // the client may ask again.
    if (in_slices) return Fail(Code::kUnavailable, "the key has changed: try again");
    exchange.next = Next::kCustodian;
  } else if (cost.total > kBatchCostAtOnce && exchange.can_wait && !in_slices) {
    call.items_at_once = cost.each > 1 ? 1 : kItemsAtOnce;
    exchange.next = Next::kWorker;
  }
  return {};
}

void Service::Impl::Refuse(const Error& error, Exchange& exchange) {
  http::Response& response = exchange.response;
  SecureWipe(response.body.data(), response.body.size());
  const http::Owner owner = response.owner;
  response = {};
  response.owner = owner;
  face->WriteError(error, response);
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
  return exchange.trail.RecordResponse(exchange.response.status, {}, exchange.warnings,
                                       &done.error());
}

void Service::Impl::LogFailure(const Error& error, const Exchange& exchange) const {
  // An outage for everybody (503) has its own line in the log; a caller without a token must not
  // fill the log with more.
  if (exchange.response.status == 503 && exchange.token == nullptr) return;
  constexpr std::size_t kMostPath = 256;
  services.logger.Log(LogLevel::kError, "api", "request failed",
                      {{"path", BoundedText(exchange.path, kMostPath)},
                       {"error", error.message},
                       {"cause", error.cause}});
}

void Service::Impl::Conclude(Exchange& exchange, Status done, bool heard) {
  if (!done) Refuse(done.error(), exchange);
  // An answer that cannot be recorded is withheld: the client is told only that the trail is out of
  // order.
  if (Status recorded = RecordOutcome(exchange, done); !recorded) {
    done = std::move(recorded);
    Refuse(done.error(), exchange);
  }
  const int status = exchange.response.status;
  if (!done && status >= 500 && heard) LogFailure(done.error(), exchange);
  meter.Count(*exchange.request, exchange.request->worker, status, exchange.metered);
}

Status Service::Impl::Advance(Exchange& exchange) {
  exchange.next = Next::kAnswer;
  try {
    switch (exchange.stage) {
      case Exchange::Stage::kRead:
        return Read(exchange);
      case Exchange::Stage::kBegin:
        return Begin(exchange);
      case Exchange::Stage::kGoOn:
        return GoOn(exchange);
    }
    return {};
  } catch (const std::exception& error) {
    return Fail(Code::kInternal, "", error.what());  // out of memory
  }
}

void Service::Handle(const http::Request& request, http::Response& response) {
  const auto exchange =
      std::make_shared<Exchange>(*impl_, request, Id::Generate(impl_->services.random).ToUuid());
  keyring::Lane& lane = impl_->services.lanes.OfWorker(request.worker);
  if (impl_->turns.Begin(exchange, &lane, request.parking)) response = exchange->TakeAnswer();
}

// Routes are in memory. A token that is not costs one read of the database, and waits for no lock
// of a writer.
http::Admission Service::Admit(const http::Request& head) {
  http::Admission admission;
  const Caller caller = impl_->face->Identify(head);
  if (caller.token != nullptr) admission.owner = OwnerOf(*caller.token);
  const Finding finding = impl_->face->Find(head);
  const std::optional<Target>& target = finding.target;
  if (target && target->match.endpoint != nullptr &&
      IsOpen(*target->match.endpoint, target->engine->State(), head)) {
    admission.max_body_bytes = kOpenBodyBytes;
  } else if (admission.owner == http::kUnknownOwner) {
    admission.too_large_status = 403;
    admission.too_large = "permission denied";
  }
  return admission;
}

void Service::WriteRefusal(std::string_view text, http::Response& response) const {
  impl_->face->WriteRefusal(text, response);
}

void Service::OnRefused(const http::Refusal& refusal) {
  impl_->meter.CountRefused(refusal.status);
  const std::string request_id = Id::Generate(impl_->services.random).ToUuid();
  const LoggedRequest logged(request_id);
  audit::RequestMemo memo;
  audit::Entry entry;
  entry.memo = &memo;
  entry.may_wait = true;
  entry.request_id = request_id;
  // The query is left out: it was not read, and may hold anything.
  entry.path = impl_->face->PathOfTarget(refusal.target.substr(0, refusal.target.find('?')));
  entry.remote_address = refusal.remote_address;
  entry.remote_port = refusal.remote_port;
  entry.error = refusal.reason;
  // If the entry cannot be recorded, the client is still told its fault: nothing was done and
  // nothing is given away, and the device has reported its own fault in the log.
  if (!impl_->services.audit.Record(entry)) return;
  entry.type = audit::Entry::Type::kResponse;
  entry.status = refusal.status;
  static_cast<void>(impl_->services.audit.Record(entry));
}

}  // namespace coffer::api
