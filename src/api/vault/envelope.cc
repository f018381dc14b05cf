#include "api/vault/envelope.h"

#include <optional>
#include <vector>

#include "api/json_writer.h"
#include "coffer/base/wiping_reserve.h"

namespace coffer::api {
namespace {

constexpr std::string_view kNoLease = R"("lease_id":"","renewable":false,"lease_duration":0)";
constexpr std::string_view kData = R"(,"data":)";

// The most bytes that one text takes: an escaped byte takes at most six.
std::size_t SizeOf(std::string_view text) { return 6 * text.size() + 32; }

std::size_t SizeOf(const std::vector<std::string>& texts) {
  std::size_t size = 0;
  for (const std::string& text : texts) size += SizeOf(text);
  return size;
}

// An upper bound of the bytes that are still to be written.
std::size_t RestSize(const Answer& answer) {
  constexpr std::size_t kMembers = 512;  // their names and numbers
  std::size_t size = kEnvelopeSize + SizeOf(answer.warnings);
  if (const auto& lease = answer.reply.lease) size += kMembers + SizeOf(lease->id);
  if (const auto& auth = answer.reply.auth) {
    size += kMembers + SizeOf(auth->token) + SizeOf(auth->accessor) + 2 * SizeOf(auth->policies) +
            SizeOf(auth->entity_id) + SizeOf(auth->type);
    for (const auto& [name, value] : auth->metadata) size += SizeOf(name) + SizeOf(value);
  }
  if (const auto& wrapping = answer.reply.wrapping) {
    size += kMembers + SizeOf(wrapping->token) + SizeOf(wrapping->accessor) +
            SizeOf(wrapping->created) + SizeOf(wrapping->creation_path) +
            SizeOf(wrapping->wrapped_accessor);
  }
  return size;
}

void WriteTexts(const std::vector<std::string>& texts, JsonWriter& json) {
  json.BeginArray();
  for (const std::string& text : texts) json.Text(text);
  json.EndArray();
}

// Writes the lease into the place that the head has kept for it.
std::size_t InsertLease(const Lease& lease, std::size_t data_at, std::string& out) {
  std::string text;
  JsonWriter json(text);
  json.BeginObject().Key("lease_id").Text(lease.id).Key("renewable").Bool(lease.renewable);
  json.Key("lease_duration").Int(lease.seconds).EndObject();
  const std::string_view members = std::string_view(text).substr(1, text.size() - 2);
  out.replace(data_at - kData.size() - kNoLease.size(), kNoLease.size(), members);
  return members.size() - kNoLease.size();
}

void AppendWrapping(const std::optional<Wrapping>& wrapping, std::string& out) {
  JsonWriter json(out);
  if (!wrapping) {
    json.Null();
    return;
  }
  json.BeginObject().Key("token").Text(wrapping->token).Key("accessor").Text(wrapping->accessor);
  json.Key("ttl").Int(wrapping->seconds).Key("creation_time").Text(wrapping->created);
  json.Key("creation_path").Text(wrapping->creation_path);
  if (!wrapping->wrapped_accessor.empty()) {
    json.Key("wrapped_accessor").Text(wrapping->wrapped_accessor);
  }
  json.EndObject();
}

void AppendAuth(const std::optional<NewToken>& auth, std::string& out) {
  JsonWriter json(out);
  if (!auth) {
    json.Null();
    return;
  }
  json.BeginObject().Key("client_token").Text(auth->token).Key("accessor").Text(auth->accessor);
  WriteTexts(auth->policies, json.Key("policies"));
  WriteTexts(auth->policies, json.Key("token_policies"));
  json.Key("metadata");
  if (auth->metadata.empty()) {
    json.Null();
  } else {
    json.BeginObject();
    for (const auto& [name, value] : auth->metadata) json.Key(name).Text(value);
    json.EndObject();
  }
  json.Key("lease_duration").Int(auth->lease_seconds).Key("renewable").Bool(auth->renewable);
  json.Key("entity_id").Text(auth->entity_id).Key("token_type").Text(auth->type);
  json.Key("orphan").Bool(auth->orphan).Key("mfa_requirement").Null();
  json.Key("num_uses").Int(auth->uses).EndObject();
}

}  // namespace

void AppendEnvelopeHead(std::string_view request_id, std::string& out) {
  out += R"({"request_id":")";
  out.append(request_id).append("\",").append(kNoLease).append(kData);
}

std::size_t AppendEnvelopeTail(const Answer& answer, std::string& out) {
  const Reply& reply = answer.reply;
  if (reply.secret || reply.auth || reply.wrapping) {
    ReserveWiping(out, out.size() + RestSize(answer));
  }
  if (out.size() == answer.data_at) {
    out += "null";
  } else if (answer.endpoint.data_at_top) {
    const std::string members = out.substr(answer.data_at + 1, out.size() - answer.data_at - 2);
    if (!members.empty()) out += "," + members;
  }
  const std::size_t moved = reply.lease ? InsertLease(*reply.lease, answer.data_at, out) : 0;
  out += R"(,"wrap_info":)";
  AppendWrapping(reply.wrapping, out);
  out += R"(,"warnings":)";
  if (answer.warnings.empty()) {
    out += "null";
  } else {
    JsonWriter json(out);
    WriteTexts(answer.warnings, json);
  }
  out += R"(,"auth":)";
  AppendAuth(reply.auth, out);
  out.append(R"(,"mount_type":")").append(answer.engine).append("\"}\n");
  return moved;
}

std::string ErrorList(std::string_view text) {
  std::string body;
  JsonWriter(body).BeginObject().Key("errors").BeginArray().Text(text).EndArray().EndObject();
  body += '\n';
  return body;
}

}  // namespace coffer::api
