#include "audit/entry_text.h"

#include <algorithm>

#include "audit/json_text.h"
#include "audit/redaction.h"

namespace coffer::audit {
namespace {

// Members of an object that is being written; texts without content are left out, as Vault does.
class Members {
 public:
  explicit Members(std::string& out) : out_(out) { out_ += '{'; }
  void Close() { out_ += '}'; }

  std::string& Name(std::string_view name) {
    const std::string_view before = first_ ? R"(")" : R"(,")";
    first_ = false;
    const std::size_t begin = out_.size();
    out_.resize(begin + before.size() + name.size() + 2);
    char* to = std::copy(before.begin(), before.end(), out_.data() + begin);
    to = std::copy(name.begin(), name.end(), to);
    *to++ = '"';
    *to = ':';
    return out_;
  }
  void Text(std::string_view name, std::string_view text) {
    if (!text.empty()) AppendJsonString(text, Name(name));
  }
  void Hash(std::string_view name, std::string_view text, const ValueHasher& hasher) {
    if (!text.empty()) hasher.AppendQuoted(text, Name(name));
  }

 private:
  std::string& out_;
  bool first_ = true;
};

void AppendTexts(std::span<const std::string> texts, std::string& out) {
  out += '[';
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) out += ',';
    AppendJsonString(texts[i], out);
  }
  out += ']';
}

std::string_view MountClass(std::string_view type) {
  if (type == "system") return "system";
  return type == "token" ? "auth" : "secret";
}

void AppendMount(const Mount& mount, Members& members) {
  if (mount.type.empty()) return;
  members.Text("mount_point", mount.point);
  members.Text("mount_type", mount.type);
  members.Text("mount_accessor", mount.accessor);
  members.Text("mount_class", MountClass(mount.type));
}

// Both hashes of a token, which stand in each line twice.
struct TokenTexts {
  std::string token;     // with quotes; empty: none
  std::string accessor;  // likewise
};

TokenTexts TextsOf(const Entry& entry, const EntryStyle& style, const ValueHasher& hasher) {
  TokenTexts texts;
  if (!entry.token.empty()) hasher.AppendQuoted(entry.token, texts.token);
  if (entry.caller == nullptr) return texts;
  if (style.hmac_accessor) {
    hasher.AppendQuoted(entry.caller->accessor, texts.accessor);
  } else {
    AppendJsonString(entry.caller->accessor, texts.accessor);
  }
  return texts;
}

void AppendAuth(const Entry& entry, const TokenTexts& texts, std::string& out) {
  Members auth(out);
  if (!texts.token.empty()) auth.Name("client_token") += texts.token;
  if (entry.caller != nullptr) {
    const Caller& caller = *entry.caller;
    auth.Name("accessor") += texts.accessor;
    auth.Text("display_name", caller.display_name);
    AppendTexts(caller.policies, auth.Name("policies"));
    AppendTexts(caller.policies, auth.Name("token_policies"));
    auth.Name("policy_results") += entry.denied ? R"({"allowed":false})" : R"({"allowed":true})";
    auth.Text("token_type", "service");
    auth.Text("token_issue_time", Rfc3339(caller.issued));
  }
  auth.Close();
}

void AppendRequest(const Entry& entry, const TokenTexts& texts, const ValueHasher& hasher,
                   std::string& out) {
  Members request(out);
  request.Text("id", entry.request_id);
  request.Text("operation", entry.operation);
  AppendMount(entry.mount, request);
  if (!texts.token.empty()) request.Name("client_token") += texts.token;
  if (!texts.accessor.empty()) request.Name("client_token_accessor") += texts.accessor;
  request.Name("namespace") += R"({"id":"root"})";
  AppendJsonString(entry.path, request.Name("path"));
  if (!entry.request_data.empty()) {
    AppendRedacted(entry.request_data, {entry.plain_fields, entry.secret_fields}, hasher,
                   request.Name("data"));
  }
  request.Text("remote_address", entry.remote_address);
  if (entry.remote_port != 0) AppendNumber(entry.remote_port, request.Name("remote_port"));
  request.Close();
}

void AppendResponse(const Entry& entry, const ValueHasher& hasher, std::string& out) {
  Members response(out);
  AppendMount(entry.mount, response);
  AppendNumber(static_cast<std::uint64_t>(entry.status), response.Name("http_status"));
  if (!entry.response_data.empty()) {
    AppendRedacted(entry.response_data, {}, hasher, response.Name("data"));
  }
  if (!entry.warnings.empty()) AppendTexts(entry.warnings, response.Name("warnings"));
  response.Close();
}

// Who asked, and for what.
void AppendCommon(const Entry& entry, const EntryStyle& style, const ValueHasher& hasher,
                  std::string& out) {
  const TokenTexts texts = TextsOf(entry, style, hasher);
  out += R"("auth":)";
  AppendAuth(entry, texts, out);
  out += R"(,"request":)";
  AppendRequest(entry, texts, hasher, out);
}

}  // namespace

void AppendEntry(const Entry& entry, SystemTime now, const EntryStyle& style,
                 const ValueHasher& hasher, std::string* repeated, std::string& out) {
  const bool response = entry.type == Entry::Type::kResponse;
  out += R"({"time":")";
  out += Rfc3339(now);
  out += R"(","type":")";
  out += response ? R"(response",)" : R"(request",)";
  if (repeated != nullptr && !repeated->empty()) {
    out += *repeated;
  } else {
    const std::size_t begin = out.size();
    AppendCommon(entry, style, hasher, out);
    if (repeated != nullptr) repeated->assign(out, begin);
  }
  if (response) {
    out += R"(,"response":)";
    AppendResponse(entry, hasher, out);
  }
  if (entry.error.empty()) return;
  out += R"(,"error":)";
  AppendJsonString(RedactQuotes(std::string(entry.error), entry.request_data,
                                {entry.plain_fields, entry.secret_fields}, hasher),
                   out);
}

void AppendEvent(const Event& event, SystemTime now, std::string& out) {
  out += R"({"time":")";
  out += Rfc3339(now);
  out += R"(","type":"system","system":)";
  Members members(out);
  members.Text("event", event.name);
  for (const auto& [name, value] : event.facts) AppendJsonString(value, members.Name(name));
  members.Close();
}

}  // namespace coffer::audit
