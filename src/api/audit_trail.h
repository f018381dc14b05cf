#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/engine_type.h"
#include "api/json_value.h"
#include "coffer/api/service.h"
#include "coffer/audit/entry.h"
#include "coffer/base/result.h"

namespace coffer::api {

// Records one request: exactly one entry for the request and one for the response, whatever its
// outcome. One thread at a time; everything that is noted must outlive it.
class AuditTrail {
 public:
  AuditTrail(audit::Sink& sink, const http::Request& request, std::string_view request_id,
             std::string_view path);
  ~AuditTrail();  // wipes the parameters and the tokens
  AuditTrail(const AuditTrail&) = delete;
  AuditTrail& operator=(const AuditTrail&) = delete;

  // The facts that become known of the request on its way, noted in this order and all before
  // RecordRequest().
  void NoteToken(std::string_view token, const auth::TokenEntry* entry);
  void NoteTarget(const Endpoint* endpoint, const EngineType& engine, const mounts::Mount* mount);
  void NotePath(std::string_view path) { entry_.path = path; }
  void NoteVerb(Verb verb) { entry_.operation = VerbName(verb); }
  void NoteHelp() { entry_.operation = "help"; }
  // kUnavailable if there is no room for them as JSON.
  Status NoteParameters(const JsonValue& parameters);
  // Notes that this body is the parameters as JSON: its own text is then recorded.
  void NoteBody(std::string_view body) {
    entry_.request_data = body;
    has_body_ = true;
  }
  // Notes the decision of the policies, if one was made.
  void NoteDecision(const auth::Decision& decision);
  void NoteCapability(Verb verb, Capability capability, bool on_custodian);

  // Notes that the answer is this document, which must outlive the trail.
  void NoteDocument(const audit::Document& document) { entry_.response_document = &document; }

  // The memory that it keeps for the parameters.
  std::size_t Kept() const { return parameters_.capacity(); }

  // Notes that the work takes long, so that the entry of the request is written before the work
  // begins. To be called before RecordRequest().
  void NoteLongWork() { entry_.may_wait = false; }
  // Tells that the request was moved to other buffers, where everything that was noted of it is
  // now. To be called before RecordRequest().
  void MoveTo(const http::Request& request, std::string_view path, std::string_view token);

  // Notes the parts of the answer beside its data; the reply must outlive the trail.
  void NoteParts(const Reply& reply);

  // Records the request, before the work; `refused` is the reason if there will be no work. The
  // entry is then in the trail, or, if the request only uses keys, will be before RecordResponse()
  // returns. Later calls repeat the result of the first one.
  Status RecordRequest(const Error* refused = nullptr);
  // Records the response, before it is sent and after RecordRequest() succeeded. `data` is the JSON
  // that the client gets (for a document it is not used), `error` the reason why the client gets
  // none.
  Status RecordResponse(int status, std::string_view data, const std::vector<std::string>& warnings,
                        const Error* error);

 private:
  void NoteError(const Error* error);

  audit::Sink& sink_;
  http::Memory* memory_;
  audit::Entry entry_;
  std::optional<audit::Caller> caller_;
  const Endpoint* endpoint_ = nullptr;
  std::string parameters_;
  // The parts of the answer beside its data, as JSON.
  std::string lease_;
  std::string auth_;
  std::string wrapping_;
  bool has_body_ = false;  // the request's data is its body
  audit::RequestMemo memo_;
  std::optional<Status> requested_;
};

}  // namespace coffer::api
