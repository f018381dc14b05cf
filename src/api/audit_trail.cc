#include "audit_trail.h"

#include <cstdint>

#include "coffer/base/secret_bytes.h"
#include "errors.h"
#include "json_writer.h"

namespace coffer::api {
namespace {

// An upper bound of what a value takes: an escaped octet is at most six.
std::size_t JsonSize(const JsonValue& value) {
  constexpr std::size_t kNumber = 32;  // or a word, or brackets; with a comma
  constexpr std::size_t kEscaped = 6;
  if (const auto* text = value.As<std::string>()) return kEscaped * text->size() + kNumber;
  if (const auto* fraction = value.As<JsonValue::Fraction>()) {
    return fraction->text.size() + kNumber;
  }
  std::size_t size = kNumber;
  if (const auto* array = value.As<JsonValue::Array>()) {
    for (const JsonValue& element : *array) size += JsonSize(element);
  } else if (const auto* object = value.As<JsonValue::Object>()) {
    for (const JsonValue::Member& member : *object) {
      size += kEscaped * member.name.size() + kNumber + JsonSize(member.value);
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
    : sink_(sink) {
  entry_.request_id = request_id;
  entry_.path = path;
  entry_.remote_address = request.remote_address;
  entry_.remote_port = request.remote_port;
  // A parked one takes long, or changes what is stored: what was asked is in the trail first.
  entry_.may_wait = request.parking != nullptr;
  entry_.memo = &memo_;
}

void AuditTrail::NoteToken(std::string_view token, const auth::TokenEntry* entry) {
  entry_.token = token;
  if (entry == nullptr) return;
  caller_ = audit::Caller{entry->accessor, entry->display_name, entry->policies, entry->created};
  entry_.caller = &*caller_;
}

// Also of a request that goes on to the custodian, whose trail is another.
AuditTrail::~AuditTrail() { SecureWipe(parameters_.data(), parameters_.size()); }

void AuditTrail::NoteTarget(const Endpoint* endpoint, std::string_view mount_type,
                            const mounts::Mount* mount) {
  endpoint_ = endpoint;
  entry_.mount.type = mount_type;
  if (mount != nullptr) {
    entry_.mount.point = mount->path.Text();
    entry_.mount.accessor = mount->accessor;
  } else {
    entry_.mount.point = mount_type == "token" ? "auth/token/" : "sys/";
  }
}

void AuditTrail::NoteParameters(const JsonValue& parameters) {
  const auto* object = parameters.As<JsonValue::Object>();
  if (object != nullptr && object->empty()) return;
  parameters_.reserve(JsonSize(parameters));  // so that no copy is left where it grew
  JsonWriter json(parameters_);
  WriteJson(parameters, json);
  entry_.request_data = parameters_;
}

void AuditTrail::NoteCapability(Verb verb, Capability capability, bool on_custodian) {
  const bool reads = verb == Verb::kRead || verb == Verb::kList || verb == Verb::kScan;
  const bool creates = capability == Capability::kCreate;
  entry_.durable = creates || on_custodian || (!reads && !endpoint_->keeps_state);
  if (creates) entry_.operation = "create";
}

// Its cause is for the log, whose line has the request's id.
void AuditTrail::NoteError(const Error* error) {
  entry_.error = {};
  entry_.error_text = {};
  entry_.error_code = {};
  if (error == nullptr) return;
  entry_.error_code = CodeName(error->code);
  entry_.error = ClientLiteral(*error);
  entry_.error_text = error->message;
  if (entry_.error.Empty() && entry_.error_text.empty()) entry_.error = "no such object";
}

Status AuditTrail::RecordRequest(const Error* refused) {
  if (requested_) return *requested_;
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
