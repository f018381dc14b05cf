#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/audit_trail.h"
#include "api/constant_document.h"
#include "api/face.h"
#include "api/request_meter.h"
#include "api/route.h"
#include "api/turns.h"
#include "coffer/api/service.h"
#include "coffer/keyring/key_ring.h"

namespace coffer::api {

// One request on its way, and all that is known of it: nothing is found out twice, however often it
// waits. It stays in one place from its beginning to its end.
class Exchange final : public Steps {
 public:
  Exchange(Service::Impl& its_service, const http::Request& asked, std::string id);

  Next Step() override;
  Status MoveTo(const http::Request& asked) override;
  void GiveUp(const Error& why, bool heard) override;
  http::Response TakeAnswer() override { return std::move(response); }

  void AnswerWith(const ConstantDocument& document) {
    response.body += document.Body();
    trail.NoteDocument(document.Facts());
  }

  void MovePath(std::string_view copy);

  // What it does when it goes on.
  enum class Stage {
    kRead,   // its head and body are there, nothing else is known
    kBegin,  // it was read and may be done: its work begins
    kGoOn,   // its handler left work to be done
  };

  Service::Impl& service;
  const http::Request* request;  // in its connection's buffers, or in those of the parked request
  const bool can_wait;           // away from its connection
  std::string_view path;  // for policies and the trail; a part of the request's, or of `made_path`
  std::shared_ptr<const std::string> made_path;
  std::string_view credential;
  const std::string request_id;
  std::shared_ptr<const mounts::Mount> mount;  // the trail's second entry names it, too
  AuditTrail trail;
  http::Response response;
  std::shared_ptr<const auth::TokenEntry> token;
  std::vector<std::string> warnings;
  // The answer's data stands between these two places of its body.
  std::size_t data_at = 0;
  std::size_t data_end = 0;
  Stage stage = Stage::kRead;
  Next next = Next::kAnswer;
  std::size_t worker;  // the thread that has it: a worker's number, or the custodian's
  // The request's handler works with these.
  const Operation* operation = nullptr;
  std::optional<Target> target;
  std::optional<Fields> fields;
  std::optional<Call> call;
  std::optional<Reply> reply;
  Metered metered;
};

struct Service::Impl {
  Impl(const Services& given, std::shared_ptr<const Face> its_face);

  // A step, up to where the request must wait or is over.
  Status Advance(Exchange& exchange);
  void Identify(Exchange& exchange);
  Status Help(const ConstantDocument& document, Exchange& exchange);
  Status Read(Exchange& exchange);
  Status Perform(Verb verb, Exchange& exchange);
  Status Decode(Verb verb, Exchange& exchange);
  // Decides which thread does the work. Asked again at the request's turn there.
  Status PlaceWork(Exchange& exchange);
  Status Begin(Exchange& exchange);
  Status GoOn(Exchange& exchange);
  // Behind the handler's work.
  void Complete(Exchange& exchange);
  Status Authorize(const Endpoint& endpoint, Exchange& exchange);
  // Has the policies decide on the exchange's path, and notes what they say.
  Status Permit(Exchange& exchange, Capability capability) const;
  // Records what becomes of the request; then its answer may leave.
  void Conclude(Exchange& exchange, Status done, bool heard);
  Status RecordOutcome(Exchange& exchange, const Status& done);
  void Refuse(const Error& error, Exchange& exchange);
  void LogFailure(const Error& error, const Exchange& exchange) const;

  const Services services;
  const std::shared_ptr<const Face> face;
  RequestMeter meter;
  const Turns turns;
};

}  // namespace coffer::api
