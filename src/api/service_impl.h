#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audit_trail.h"
#include "coffer/api/service.h"
#include "constant_document.h"
#include "remount_log.h"
#include "request_meter.h"
#include "route.h"

namespace coffer::api {

// A request goes on here, on the custodian's thread, or in slices.
enum class Place { kHere, kCustodian, kSlices };

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
  std::shared_ptr<const mounts::Mount> mount;  // the trail's second entry names it, too
  AuditTrail trail;
  std::shared_ptr<const auth::TokenEntry> token;
  std::vector<std::string> warnings;
  // The answer's data stands between these two places of its body.
  std::size_t data_at = 0;
  std::size_t data_end = 0;
  bool in_slices = false;  // it is parked, and gives way
  bool heard = true;       // somebody waits for the answer
  Place place = Place::kHere;
  // The request's handler works with these.
  std::optional<Target> target;
  std::optional<Fields> fields;
  std::optional<Call> call;
  std::optional<Reply> reply;
  Metered metered;

  void AnswerWith(const ConstantDocument& document) {
    response.body += document.Body();
    trail.NoteDocument(document.Facts());
  }
};

// Tells whether the request is with the custodian.
inline bool OnCustodian(const http::Request& request) {
  return request.worker == keyring::KeyRing::kCustodianWorker;
}

struct Service::Impl {
  explicit Impl(Services given)
      : services(std::move(given)), meter(services.metrics, services.key_series, services.logger) {}

  // Other than kHere where the request must go on elsewhere: nothing was done.
  Place Serve(const http::Request& request, const std::string& request_id,
              http::Response& response);
  // A batch that gives way to others between its slices.
  struct SlicedBatch;
  // Has the worker carry it out piece by piece, between its other connections.
  void ServeInSlices(const http::Request& request, const std::string& request_id,
                     http::Response& response);
  void Slice(const std::shared_ptr<SlicedBatch>& batch);
  // One slice of it; whether it is done.
  Result<bool> GoOn(SlicedBatch& batch);
  // Records how it ended, and answers.
  void End(SlicedBatch& batch, Status done, bool heard);
  // Has the custodian serve it.
  void ServeOnCustodian(const http::Request& request, const std::string& request_id,
                        http::Response& response);
  // Answers and records that it will not be served.
  void TurnAway(const http::Request& request, const std::string& request_id, const Error& error,
                http::Response& response, bool heard = true);
  void NoteToken(Exchange& exchange);
  Status Help(Exchange& exchange);
  Status Answer(Exchange& exchange);
  Status Perform(const Operation& operation, Verb verb, Exchange& exchange);
  Status PlaceBatch(const Operation& operation, Exchange& exchange);
  Status Run(const Operation& operation, Exchange& exchange);
  // Behind the handler's work.
  void Complete(Exchange& exchange);
  Status Authorize(const Endpoint& endpoint, Call& call, std::string_view path);
  bool Allowed(const auth::TokenEntry& token, Capability capability, std::string_view path) const;
  // Records what becomes of the request; then its answer may leave.
  void Conclude(Exchange& exchange, Status done);
  Status RecordOutcome(Exchange& exchange, const Status& done);
  void Refuse(const Error& error, Exchange& exchange);
  // Finds the operation of a request that will not be served, for the metrics.
  void FindOperationOf(Exchange& exchange) const;

  Services services;
  RemountLog remounts;
  RequestMeter meter;
};

}  // namespace coffer::api
