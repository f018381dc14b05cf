#include "coffer/api/service.h"

#include <algorithm>
#include <exception>
#include <functional>
#include <optional>
#include <utility>

#include "batch_cost.h"
#include "coffer/base/ids.h"
#include "coffer/base/secret_bytes.h"
#include "coffer/base/wiping_reserve.h"
#include "constant_document.h"
#include "endpoint_table.h"
#include "envelope.h"
#include "errors.h"
#include "help.h"
#include "request_reader.h"
#include "service_impl.h"

namespace coffer::api {
namespace {

// Items of a batch that are carried out between two looks at the clock, where none of them is dear.
constexpr std::size_t kItemsAtOnce = 16;

// No endpoint that needs no token has use for more.
constexpr std::size_t kOpenBodyBytes = 4096;

http::Owner OwnerOf(const auth::TokenEntry& token) {
  const std::uint64_t hash = std::hash<std::string>()(token.accessor);
  return hash == http::kUnknownOwner ? 1 : hash;
}

// An upper bound of what the envelope's tail takes: an escaped octet is at most six.
std::size_t TailSize(const std::vector<std::string>& warnings) {
  std::size_t size = kEnvelopeSize;
  for (const std::string& warning : warnings) size += 6 * warning.size() + 3;
  return size;
}

}  // namespace

bool RootPolicy::Allows(const auth::TokenEntry& token, Capability, std::string_view) const {
  return std::find(token.policies.begin(), token.policies.end(), "root") != token.policies.end();
}

Service::Service(Services services) : impl_(std::make_unique<Impl>(std::move(services))) {}
Service::~Service() = default;

// Which capability a write needs depends on whether its object is there.
Status Service::Impl::Authorize(const Endpoint& endpoint, Call& call, std::string_view path) {
  if (IsOpen(endpoint, services, call.request)) return {};
  if (call.capability == Capability::kUpdate && endpoint.exists != nullptr &&
      !endpoint.exists(call)) {
    call.capability = Capability::kCreate;
  }
  if (!Allowed(*call.token, call.capability, path)) return Fail(Code::kPermissionDenied, "");
  return {};
}

// An endpoint has one path for policies, however the request ends: a list's has a slash there, any
// other's has none.
bool Service::Impl::Allowed(const auth::TokenEntry& token, Capability capability,
                            std::string_view path) const {
  const bool lists = capability == Capability::kList || capability == Capability::kScan;
  if (lists && !path.ends_with('/')) {
    return services.policy.Allows(token, capability, std::string(path) + "/");
  }
  if (!lists && path.ends_with('/')) path.remove_suffix(1);
  return services.policy.Allows(token, capability, path);
}

Status Service::Impl::Run(const Operation& operation, Exchange& exchange) {
  const Endpoint& endpoint = *exchange.target->match.endpoint;
  const Call& call = *exchange.call;
  exchange.trail.NoteCapability(call.verb, call.capability, OnCustodian(exchange.request));
  COFFER_TRY(exchange.trail.RecordRequest());
  std::string& body = exchange.response.body;
  body.reserve(kEnvelopeSize);
  if (!endpoint.raw) AppendEnvelopeHead(exchange.request_id, body);
  exchange.data_at = body.size();
  Reply& reply =
      exchange.reply.emplace(Reply{JsonWriter(body), 200, false, call.fields.Warnings()});
  const Status done = operation.handler(call, reply);
  exchange.response.wipe = reply.secret;
  COFFER_TRY(done);
  if (reply.rest == nullptr) Complete(exchange);
  return {};
}

void Service::Impl::Complete(Exchange& exchange) {
  const Endpoint& endpoint = *exchange.target->match.endpoint;
  Reply& reply = *exchange.reply;
  http::Response& response = exchange.response;
  std::string& body = response.body;
  response.wipe = reply.secret;
  if (reply.document != nullptr) exchange.AnswerWith(*reply.document);
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
                       EngineName(exchange.target->engine), body);
  } else if (json && reply.document == nullptr) {
    body += '\n';
  }
}

void Service::Impl::NoteToken(Exchange& exchange) {
  const std::string_view text = TokenOf(exchange.request);
  if (!text.empty()) {
    if (auto entry = services.tokens.Lookup(text)) exchange.token = std::move(*entry);
  }
  if (exchange.token != nullptr) exchange.response.owner = OwnerOf(*exchange.token);
  exchange.trail.NoteToken(text, exchange.token.get());
}

Status Service::Impl::Help(Exchange& exchange) {
  const Target& target = *exchange.target;
  exchange.trail.NoteHelp();
  COFFER_TRY(exchange.trail.RecordRequest());
  exchange.AnswerWith(target.match.endpoint != nullptr ? HelpOf(*target.match.endpoint)
                                                       : EngineHelpOf(target.engine));
  return {};
}

Status Service::Impl::Answer(Exchange& exchange) {
  const http::Request& request = exchange.request;
  NoteToken(exchange);
  const auto verb = VerbOf(request);
  if (verb) exchange.trail.NoteVerb(*verb);
  if (exchange.path.empty()) return Fail(Code::kNotFound, "");
  auto routed = Route(services.mounts, exchange.path);
  // Help is asked of a mount by its bare path too.
  if (!routed && WantsHelp(request)) {
    auto mount = Route(services.mounts, std::string(exchange.path) + "/");
    if (mount) routed = std::move(mount);
  }
  std::optional<Target>& target = exchange.target;
  if (routed) target = std::move(*routed);
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
  if (target && WantsHelp(request) && (found || target->at_root)) return Help(exchange);
  const Operation* const operation =
      found ? FindOperation(*target->match.endpoint, *verb) : nullptr;
  const bool head_elsewhere = request.method == http::Method::kHead && !open;
  if (operation != nullptr && !head_elsewhere) return Perform(*operation, *verb, exchange);
  if (!open && !Allowed(*exchange.token, UsualCapability(*verb), exchange.path)) {
    return Fail(Code::kPermissionDenied, "");
  }
  if (!target) return Fail(routed.error());
  return Fail(found ? Code::kUnsupportedVerb : Code::kUnsupportedPath, "");
}

// Whether it may be done is decided where the request came in, before it may wait for the
// custodian, and once more at its turn.
Status Service::Impl::Perform(const Operation& operation, Verb verb, Exchange& exchange) {
  const Target& target = *exchange.target;
  meter.NoteOperation(target.engine, target.match, target.mount, operation, exchange.metered);
  const http::Request& request = exchange.request;
  Fields& fields = exchange.fields.emplace(target.match.endpoint->fields);
  for (const auto& [name, text] : target.match.captures) {
    if (name == "name" && text.size() > keyring::KeyName::kMaxBytes) {
      COFFER_TRY(keyring::KeyName::Parse(text));  // says so
    }
    fields.Capture(name, text);
  }
  if (const std::size_t size = ParametersSize(request.body);
      size > 0 && request.memory != nullptr && !request.memory->Take(size)) {
    return Fail(Code::kUnavailable, "too many large requests at once: try again");
  }
  COFFER_ASSIGN(JsonValue parameters, ReadParameters(request, verb));
  if (BodyIsJson(request, verb)) {
    exchange.trail.NoteBody(request.body);
  } else {
    exchange.trail.NoteParameters(parameters);
  }
  COFFER_TRY(fields.Decode(std::move(parameters)));
  Call& call = exchange.call.emplace(Call{services, remounts, request, fields, target.mount.get(),
                                          exchange.token.get(), TokenOf(request), verb,
                                          operation.capability});
  COFFER_TRY(Authorize(*target.match.endpoint, call, exchange.path));
  const bool changes_keys =
      operation.on_custodian || (operation.changes_keys != nullptr && operation.changes_keys(call));
  COFFER_TRY(PlaceBatch(operation, exchange));
  if (changes_keys && !OnCustodian(request)) {
    // It was parked for its batch; a key that went away since is rare enough to be asked for again.
    if (exchange.in_slices) return Fail(Code::kUnavailable, "the key has changed: try again");
    exchange.place = Place::kCustodian;
  }
  if (exchange.place != Place::kHere) return {};
  return Run(operation, exchange);
}

// A batch that costs much is parked, and carried out in slices once it is.
Status Service::Impl::PlaceBatch(const Operation& operation, Exchange& exchange) {
  if (operation.batch == BatchKind::kNone) return {};
  COFFER_ASSIGN(const BatchCost cost, CostOfBatch(*exchange.call, operation.batch));
  if (cost.total <= kBatchCostAtOnce) return {};
  if (exchange.in_slices) {
    exchange.call->items_at_once = cost.each > 1 ? 1 : kItemsAtOnce;
  } else if (exchange.request.parking != nullptr) {
    exchange.place = Place::kSlices;
  }
  return {};
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

Place Service::Impl::Serve(const http::Request& request, const std::string& request_id,
                           http::Response& response) {
  const LoggedRequest logged(request_id);
  Exchange exchange(services.audit, request, request_id, response);
  Status done;
  try {
    done = Answer(exchange);
  } catch (const std::exception& error) {
    done = Fail(Code::kInternal, "", error.what());  // out of memory
  }
  if (done && exchange.place != Place::kHere) return exchange.place;
  Conclude(exchange, std::move(done));
  return Place::kHere;
}

void Service::Handle(const http::Request& request, http::Response& response) {
  const std::string request_id = Id::Generate(impl_->services.random).ToUuid();
  switch (impl_->Serve(request, request_id, response)) {
    case Place::kHere:
      break;
    case Place::kCustodian:
      impl_->ServeOnCustodian(request, request_id, response);
      break;
    case Place::kSlices:
      impl_->ServeInSlices(request, request_id, response);
      break;
  }
}

// The token store and the tables are in memory: nothing is waited for.
http::Admission Service::Admit(const http::Request& head) {
  http::Admission admission;
  const Services& services = impl_->services;
  if (const std::string_view text = TokenOf(head); !text.empty()) {
    if (const auto entry = services.tokens.Lookup(text)) admission.owner = OwnerOf(**entry);
  }
  const auto target = Route(services.mounts, PathOf(head));
  if (target && target->match.endpoint != nullptr &&
      IsOpen(*target->match.endpoint, services, head)) {
    admission.max_body_bytes = kOpenBodyBytes;
  } else if (admission.owner == http::kUnknownOwner) {
    admission.too_large_status = 403;
    admission.too_large = "permission denied";
  }
  return admission;
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
