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

// The record of one request: what was asked and what is answered, exactly one entry each, whatever
// becomes of the request. One thread; what is noted must outlive it.
class AuditTrail {
 public:
  AuditTrail(audit::Sink& sink, const http::Request& request, std::string_view request_id,
             std::string_view path);
  ~AuditTrail();  // wipes the parameters and the tokens
  AuditTrail(const AuditTrail&) = delete;
  AuditTrail& operator=(const AuditTrail&) = delete;

  // What becomes known of the request on its way, in this order; all of it before RecordRequest().
  void NoteToken(std::string_view token, const auth::TokenEntry* entry);
  void NoteTarget(const Endpoint* endpoint, const EngineType& engine, const mounts::Mount* mount);
  void NotePath(std::string_view path) { entry_.path = path; }
  void NoteVerb(Verb verb) { entry_.operation = VerbName(verb); }
  void NoteHelp() { entry_.operation = "help"; }
  // kUnavailable where there is no room for them as JSON.
  Status NoteParameters(const JsonValue& parameters);
  // Where the body is the parameters, as JSON: its own text is recorded.
  void NoteBody(std::string_view json) {
    entry_.request_data = json;
    has_body_ = true;
  }
  // What the policies said, where they were asked.
  void NoteDecision(Decision decision);
  void NoteCapability(Verb verb, Capability capability, bool on_custodian);

  // The answer is this document; it must outlive the trail.
  void NoteDocument(const audit::Document& document) { entry_.response_document = &document; }

  // The memory that it keeps for the parameters.
  std::size_t Kept() const { return parameters_.capacity(); }

  // The work takes long: what was asked is written before it begins. Before RecordRequest().
  void NoteLongWork() { entry_.may_wait = false; }
  // The request is in other buffers now: what was noted of it is there. Before RecordRequest().
  void MoveTo(const http::Request& request, std::string_view path, std::string_view token);

  // What the answer gives beside its data; outlives the trail.
  void NoteParts(const Reply& reply);

  // Before the work; `refused`: why there will be none. What was asked is then in the trail, or, of
  // a use, will be before RecordResponse() returns. Later calls repeat the first one's outcome.
  Status RecordRequest(const Error* refused = nullptr);
  // Before the answer, after RecordRequest() went well: `data` is the JSON that the client gets to
  // see (of a document: anything), `error` why it gets none.
  Status RecordResponse(int status, std::string_view data, const std::vector<std::string>& warnings,
                        const Error* error);

 private:
  void NoteError(const Error* error);

  audit::Sink& sink_;
  http::Memory* memory_;
  audit::Entry entry_;
  std::optional<audit::Caller> caller_;
  Decision decision_;
  const Endpoint* endpoint_ = nullptr;
  std::string parameters_;
  // JSON of what the answer gives beside its data.
  std::string lease_;
  std::string auth_;
  std::string wrapping_;
  bool has_body_ = false;  // the request's data is its body
  audit::RequestMemo memo_;
  std::optional<Status> requested_;
};

}  // namespace coffer::api
