#include "api/audit_trail.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "api/json_writer.h"
#include "coffer/base/secret_bytes.h"

namespace coffer::api {
namespace {

// An upper bound of the size of a text as JSON: an escape has at most six bytes.
std::size_t JsonSize(std::string_view text) {
  const auto escaped = std::count_if(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == '"' || c == '\\' || c == '\x7f';
  });
  return text.size() + 5 * static_cast<std::size_t>(escaped) + 2;
}

std::size_t JsonSize(const JsonValue& value) {
  constexpr std::size_t kNumber = 32;  // or a word, or brackets; with a comma
  if (const auto* text = value.As<std::string>()) return JsonSize(*text) + kNumber;
  if (const auto* fraction = value.As<JsonValue::Fraction>()) {
    return fraction->text.size() + kNumber;
  }
  std::size_t size = kNumber;
  if (const auto* array = value.As<JsonValue::Array>()) {
    for (const JsonValue& element : *array) size += JsonSize(element);
  } else if (const auto* object = value.As<JsonValue::Object>()) {
    for (const JsonValue::Member& member : *object) {
      size += JsonSize(member.name) + kNumber + JsonSize(member.value);
    }
  }
  return size;
}

void WriteJson(const JsonValue& value, JsonWriter& json) {
  if (const auto* text = value.As<std::string>()) {
    json.Text(*text);
  } else if (const auto* number = value.As<std::int64_t>()) {
    json.Int(*number);
  } else if (const auto* large = value.As<std::uint64_t>()) {
    json.Literal(std::to_string(*large));
  } else if (const auto* fraction = value.As<JsonValue::Fraction>()) {
    json.Literal(fraction->text);
  } else if (const auto* flag = value.As<bool>()) {
    json.Bool(*flag);
  } else if (const auto* array = value.As<JsonValue::Array>()) {
    json.BeginArray();
    for (const JsonValue& element : *array) WriteJson(element, json);
    json.EndArray();
  } else if (const auto* object = value.As<JsonValue::Object>()) {
    json.BeginObject();
    for (const JsonValue::Member& member : *object) WriteJson(member.value, json.Key(member.name));
    json.EndObject();
  } else {
    json.Null();
  }
}

}  // namespace

AuditTrail::AuditTrail(audit::Sink& sink, const http::Request& request, std::string_view request_id,
                       std::string_view path)
    : sink_(sink), memory_(request.memory) {
  entry_.request_id = request_id;
  entry_.path = path;
  entry_.remote_address = request.remote_address;
  entry_.remote_port = request.remote_port;
  entry_.may_wait = true;
  entry_.memo = &memo_;
}

void AuditTrail::NoteToken(std::string_view token, const auth::TokenEntry* entry) {
  entry_.token = token;
  if (entry == nullptr) return;
  caller_ = audit::Caller{entry->accessor, entry->display_name, entry->policies, entry->created};
  entry_.caller = &*caller_;
}

void AuditTrail::MoveTo(const http::Request& request, std::string_view path,
                        std::string_view token) {
  entry_.path = path;
  entry_.remote_address = request.remote_address;
  entry_.token = token;
  if (has_body_) entry_.request_data = request.body;
  memory_ = request.memory;
}

AuditTrail::~AuditTrail() {
  for (std::string* text : {&parameters_, &lease_, &auth_, &wrapping_}) {
    SecureWipe(text->data(), text->size());
  }
}

void AuditTrail::NoteParts(const Reply& reply) {
  constexpr std::size_t kMembers = 512;
  constexpr std::size_t kEscaped = 6;
  if (const auto& lease = reply.lease) {
    JsonWriter json(lease_);
    json.BeginObject().Key("lease_id").Text(lease->id).EndObject();
    entry_.response_lease = lease_;
  }
  if (const auto& auth = reply.auth) {
    auth_.reserve(kMembers + kEscaped * (auth->token.size() + auth->accessor.size() +
                                         auth->entity_id.size() + auth->type.size()));
    JsonWriter json(auth_);
    json.BeginObject().Key("client_token").Text(auth->token).Key("accessor").Text(auth->accessor);
    json.Key("entity_id").Text(auth->entity_id).Key("token_type").Text(auth->type);
    json.Key("token_ttl").Int(auth->lease_seconds).EndObject();
    entry_.response_auth = auth_;
  }
  if (const auto& wrapping = reply.wrapping) {
    wrapping_.reserve(kMembers +
                      kEscaped * (wrapping->token.size() + wrapping->accessor.size() +
                                  wrapping->creation_path.size() + wrapping->created.size()));
    JsonWriter json(wrapping_);
    json.BeginObject().Key("token").Text(wrapping->token);
    json.Key("accessor").Text(wrapping->accessor).Key("ttl").Int(wrapping->seconds);
    json.Key("creation_time").Text(wrapping->created);
    json.Key("creation_path").Text(wrapping->creation_path).EndObject();
    entry_.response_wrapping = wrapping_;
  }
}

void AuditTrail::NoteTarget(const Endpoint* endpoint, const EngineType& engine,
                            const mounts::Mount* mount) {
  endpoint_ = endpoint;
  entry_.mount.type = engine.name;
  entry_.mount.mount_class = ClassOf(engine);
  if (mount != nullptr) {
    entry_.mount.point = mount->path.Text();
    entry_.mount.accessor = mount->accessor;
  } else {
    entry_.mount.point = engine.path;
  }
}

Status AuditTrail::NoteParameters(const JsonValue& parameters) {
  const auto* object = parameters.As<JsonValue::Object>();
  if (object != nullptr && object->empty()) return {};
  const std::size_t size = JsonSize(parameters);
  if (memory_ != nullptr) COFFER_TRY(memory_->Take(size));
  parameters_.reserve(size);  // so that no copy is left where it grew
  JsonWriter json(parameters_);
  WriteJson(parameters, json);
  entry_.request_data = parameters_;
  return {};
}

void AuditTrail::NoteDecision(const auth::Decision& decision) {
  entry_.granted_by = decision.policy;
  if (decision.allowed && decision.rule != nullptr) entry_.granting_rule = decision.rule->path;
  entry_.denied_because = decision.reason;
}

void AuditTrail::NoteCapability(Verb verb, Capability capability, bool on_custodian) {
  const bool reads = verb == Verb::kRead || verb == Verb::kList || verb == Verb::kScan;
  const bool creates = capability == Capability::kCreate;
  entry_.durable = creates || on_custodian || (!reads && !endpoint_->keeps_state);
  if (creates) entry_.operation = "create";
}

// Notes an error without its cause, which is in the log under the id of the request.
void AuditTrail::NoteError(const Error* error) {
  entry_.error = {};
  entry_.error_text = {};
  entry_.error_code = {};
  entry_.error_arguments = nullptr;
  if (error == nullptr) return;
  if (error->refusal != Refusal::kNone) {
    const RefusalInfo info = InfoOf(error->refusal);
    entry_.error_code = info.name;
    entry_.error = info.text;
    entry_.error_arguments = &error->arguments;
    return;
  }
  entry_.error_code = CodeName(error->code);
  entry_.error = error->Literal();
  entry_.error_text = error->message;
  if (!entry_.error.Empty() || !entry_.error_text.empty()) return;
  const bool absent = error->code == Code::kNotFound;
  entry_.error = absent ? LiteralText("no such object") : LiteralText("internal error");
}

Status AuditTrail::RecordRequest(const Error* refused) {
  if (requested_) return *requested_;
  if (endpoint_ != nullptr && endpoint_->unrecorded) return requested_.emplace();
  entry_.type = audit::Entry::Type::kRequest;
  if (endpoint_ != nullptr) {
    entry_.plain_fields = endpoint_->plain_fields;
    entry_.secret_fields = endpoint_->secret_fields;
  }
  NoteError(refused);
  if (refused != nullptr) entry_.denied = refused->code == Code::kPermissionDenied;
  requested_ = sink_.Record(entry_);
  return *requested_;
}

Status AuditTrail::RecordResponse(int status, std::string_view data,
                                  const std::vector<std::string>& warnings, const Error* error) {
  if (endpoint_ != nullptr && endpoint_->unrecorded) return {};
  entry_.type = audit::Entry::Type::kResponse;
  entry_.status = status;
  entry_.response_data = data;
  entry_.warnings = warnings;
  NoteError(error);
  if (error != nullptr) {
    entry_.denied = error->code == Code::kPermissionDenied;
  }
  return sink_.Record(entry_);
}

}  // namespace coffer::api
