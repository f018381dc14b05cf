// Requests that wait for their turn: with the custodian, or behind their worker's other
// connections.

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "coffer/base/logger.h"
#include "request_reader.h"
#include "service_impl.h"

namespace coffer::api {
namespace {

// How long a batch works before the worker's other connections have their turn.
constexpr std::chrono::milliseconds kSlice{5};

const Error kNobodyWaits{Code::kUnavailable, "the client did not wait for its turn", ""};

}  // namespace

struct Service::Impl::SlicedBatch {
  SlicedBatch(Impl& its_service, std::shared_ptr<http::Parked> given, std::string id)
      : service(its_service), parked(std::move(given)), request_id(std::move(id)) {}
  // One that is dropped on its way, since its worker ends, is recorded like any other.
  ~SlicedBatch() {
    if (ended) return;
    try {
      const LoggedRequest logged(request_id);
      service.End(*this, Fail(Code::kUnavailable, "request was given up before its end: try again"),
                  true);
    } catch (const std::exception&) {  // out of memory: what is parked answers 500
    }
  }
  SlicedBatch(const SlicedBatch&) = delete;
  SlicedBatch& operator=(const SlicedBatch&) = delete;

  Impl& service;
  const std::shared_ptr<http::Parked> parked;  // the buffers are its own
  const std::string request_id;
  http::Response response;
  std::optional<Exchange> exchange;  // once its turn came
  bool ended = false;
};

void Service::Impl::FindOperationOf(Exchange& exchange) const {
  const auto verb = VerbOf(exchange.request);
  const auto target = Route(services.mounts, exchange.path);
  if (!verb || !target || target->match.endpoint == nullptr) return;
  const Operation* const operation = FindOperation(*target->match.endpoint, *verb);
  if (operation == nullptr) return;
  meter.NoteOperation(target->engine, target->match, target->mount, *operation, exchange.metered);
}

void Service::Impl::TurnAway(const http::Request& request, const std::string& request_id,
                             const Error& error, http::Response& response, bool heard) {
  const LoggedRequest logged(request_id);
  Exchange exchange(services.audit, request, request_id, response);
  exchange.heard = heard;
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
    const Status ran = services.custodian.Run([&](keyring::Token&) -> Status {
      Serve(moved, request_id, response);
      return {};
    });
    if (!ran) TurnAway(request, request_id, ran.error(), response);
    return;
  }
  auto place = request.parking->Park();
  if (!place) return TurnAway(request, request_id, place.error(), response);
  const std::shared_ptr<http::Parked> parked = std::move(*place);
  const Status queued =
      services.custodian.Submit([this, parked, request_id](keyring::Token&) -> Status {
        http::Request& asked = parked->Asked();
        asked.worker = keyring::KeyRing::kCustodianWorker;
        http::Response answer;
        if (parked->Begin()) {
          Serve(asked, request_id, answer);
        } else {  // nobody waits for it: the token's time is for those who do
          TurnAway(asked, request_id, kNobodyWaits, answer, false);
        }
        parked->Answer(std::move(answer));
        return {};
      });
  if (queued) return;
  http::Response refused;
  TurnAway(parked->Asked(), request_id, queued.error(), refused);
  parked->Answer(std::move(refused));
}

void Service::Impl::ServeInSlices(const http::Request& request, const std::string& request_id,
                                  http::Response& response) {
  auto place = request.parking->Park();
  if (!place) return TurnAway(request, request_id, place.error(), response);
  auto batch = std::make_shared<SlicedBatch>(*this, std::move(*place), request_id);
  batch->parked->Later([this, batch] { Slice(batch); });
}

Result<bool> Service::Impl::GoOn(SlicedBatch& batch) {
  try {
    if (!batch.exchange) {
      Exchange& exchange = batch.exchange.emplace(services.audit, batch.parked->Asked(),
                                                  batch.request_id, batch.response);
      exchange.in_slices = true;
      COFFER_TRY(Answer(exchange));
    }
    std::optional<Reply>& reply = batch.exchange->reply;
    if (!reply || reply->rest == nullptr) return true;
    COFFER_ASSIGN(const bool done,
                  reply->rest->Continue(std::chrono::steady_clock::now() + kSlice));
    if (done) Complete(*batch.exchange);
    return done;
  } catch (const std::exception& error) {
    return Fail(Code::kInternal, "", error.what());  // out of memory
  }
}

void Service::Impl::Slice(const std::shared_ptr<SlicedBatch>& batch) {
  const LoggedRequest logged(batch->request_id);
  if (!batch->parked->Begin()) return End(*batch, Fail(kNobodyWaits), false);
  Result<bool> done = GoOn(*batch);
  if (done && !*done) return batch->parked->Later([this, batch] { Slice(batch); });
  End(*batch, done ? Status() : Status(Fail(std::move(done).error())), true);
}

void Service::Impl::End(SlicedBatch& batch, Status done, bool heard) {
  batch.ended = true;
  if (batch.exchange) {
    batch.exchange->heard = heard;
    Conclude(*batch.exchange, std::move(done));
  } else {
    TurnAway(batch.parked->Asked(), batch.request_id, done.error(), batch.response, heard);
  }
  batch.parked->Answer(std::move(batch.response));
}

}  // namespace coffer::api
