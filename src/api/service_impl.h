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

// One request from its arrival to its answer, with all that was found for it, so that no step is
// repeated however often the request waits. The object is never moved.
class Exchange final : public Steps {
 public:
  Exchange(Service::Impl& its_service, const http::Request& asked, std::string id);

  Next Step(keyring::Lane* its_lane) override;
  Status MoveTo(const http::Request& asked) override;
  void GiveUp(const Error& why, bool heard) override;
  http::Response TakeAnswer() override { return std::move(response); }

  void AnswerWith(const ConstantDocument& document) {
    response.body += document.Body();
    trail.NoteDocument(document.Facts());
  }

  void MovePath(std::string_view copy);

  // The stage that the request is at when it goes on.
  enum class Stage {
    kRead,   // the request is there, and nothing else is known
    kBegin,  // it was read and may be done: its work begins
    kGoOn,   // its handler left work to be done
  };

  Service::Impl& service;
  const http::Request* request;  // in its connection's buffers, or in those of the parked request
  const bool can_wait;           // it can be parked
  std::string_view path;  // for policies and the trail; a part of the request's, or of `made_path`
  std::shared_ptr<const std::string> made_path;
  std::string_view credential;
  const std::string request_id;
  std::shared_ptr<const mounts::Mount> mount;  // the trail's second entry names it, too
  AuditTrail trail;
  http::Response response;
  std::shared_ptr<const auth::TokenEntry> token;
  std::shared_ptr<const auth::AccessRules> rules;
  Status unidentified;             // why the caller cannot be known now
  LiteralText parameters_refused;  // why the policies refuse the parameters
  std::vector<std::string> warnings;
  // The places in the body of the response where the data begins and ends.
  std::size_t data_at = 0;
  std::size_t data_end = 0;
  Stage stage = Stage::kRead;
  Next next = Next::kAnswer;
  keyring::Lane* lane = nullptr;      // of the thread that has it
  std::shared_ptr<const void> found;  // see Call::found
  // These are the arguments of the request's handler.
  const Operation* operation = nullptr;
  std::optional<Target> target;
  std::optional<Fields> fields;
  std::optional<Call> call;
  std::optional<Reply> reply;
  Metered metered;
};

struct Service::Impl {
  Impl(const Services& given, std::shared_ptr<const Face> its_face);

  // Goes on up to the point where the request must wait or is over.
  Status Advance(Exchange& exchange);
  void Identify(Exchange& exchange);
  Status Help(const ConstantDocument& document, Exchange& exchange);
  Status Read(Exchange& exchange);
  Status Perform(Verb verb, Exchange& exchange);
  Status Decode(Verb verb, Exchange& exchange);
  // Has the policies look at the parameters, before they are decoded.
  static void CheckParameters(const JsonValue& parameters, Verb verb, Exchange& exchange);
  // Decides which thread does the work. It is asked again when the request gets its turn on that
  // thread.
  Status PlaceWork(Exchange& exchange);
  Status Begin(Exchange& exchange);
  Status GoOn(Exchange& exchange);
  // Completes the answer after the handler's work.
  void Complete(Exchange& exchange);
  Status Authorize(const Endpoint& endpoint, Exchange& exchange);
  // Has the policies decide on the exchange's path, and notes what they say.
  Status Permit(Exchange& exchange, Capability capability, bool sudo) const;
  // Records how the request ended; its answer may leave only afterwards.
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
