#include "audit/entry_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <vector>

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

// What each entry of one caller shows of him.
struct CallerText {
  std::string token;         // hashed, with quotes; empty: none
  std::string accessor;      // likewise, or plain
  std::string auth_allowed;  // the whole object
  std::string auth_denied;
};

void AppendAuth(const Caller* caller, const CallerText& texts, bool denied, std::string& out) {
  Members auth(out);
  if (!texts.token.empty()) auth.Name("client_token") += texts.token;
  if (caller != nullptr) {
    auth.Name("accessor") += texts.accessor;
    auth.Text("display_name", caller->display_name);
    AppendTexts(caller->policies, auth.Name("policies"));
    AppendTexts(caller->policies, auth.Name("token_policies"));
    auth.Name("policy_results") += denied ? R"({"allowed":false})" : R"({"allowed":true})";
    auth.Text("token_type", "service");
    auth.Text("token_issue_time", Rfc3339(caller->issued));
  }
  auth.Close();
}

CallerText TextOf(std::string_view token, const Caller* caller, const EntryStyle& style,
                  const ValueHasher& hasher) {
  CallerText text;
  if (!token.empty()) hasher.AppendQuoted(token, text.token);
  if (caller != nullptr) {
    if (style.hmac_accessor) {
      hasher.AppendQuoted(caller->accessor, text.accessor);
    } else {
      AppendJsonString(caller->accessor, text.accessor);
    }
  }
  AppendAuth(caller, text, false, text.auth_allowed);
  AppendAuth(caller, text, true, text.auth_denied);
  return text;
}

// The texts of valid callers that a thread saw lately, one to a place: two hashes and a dozen
// members that are the same in each of their entries. A token has one accessor, which stands for it
// here.
class CallerTexts {
 public:
  const CallerText& Of(std::string_view token, const Caller& caller, const EntryStyle& style,
                       const ValueHasher& hasher) {
    const std::size_t place = std::hash<std::string_view>{}(caller.accessor) ^ hasher.Serial();
    Slot& slot = slots_[place % slots_.size()];
    if (!slot.Holds(caller, style, hasher)) {
      slot.hasher = 0;  // nobody's, should anything throw
      slot.text = TextOf(token, &caller, style, hasher);
      slot.hmac_accessor = style.hmac_accessor;
      slot.accessor = caller.accessor;
      slot.display_name = caller.display_name;
      slot.policies.assign(caller.policies.begin(), caller.policies.end());
      slot.issued = caller.issued;
      slot.hasher = hasher.Serial();
    }
    return slot.text;
  }

 private:
  struct Slot {
    std::uint64_t hasher = 0;
    bool hmac_accessor = false;
    std::string accessor;
    std::string display_name;
    std::vector<std::string> policies;
    SystemTime issued;
    CallerText text;

    bool Holds(const Caller& caller, const EntryStyle& style, const ValueHasher& by) const {
      return hasher == by.Serial() && hmac_accessor == style.hmac_accessor &&
             accessor == caller.accessor && display_name == caller.display_name &&
             issued == caller.issued && std::ranges::equal(policies, caller.policies);
    }
  };
  std::array<Slot, 64> slots_;
};

void AppendRequest(const Entry& entry, const CallerText& texts, const ValueHasher& hasher,
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

}  // namespace

void BeginEntry(const Entry& entry, const EntryStyle& style, const ValueHasher& hasher,
                std::string& out) {
  static thread_local CallerTexts known;
  CallerText unknown;
  const CallerText* text = &unknown;
  if (entry.caller != nullptr) {
    text = &known.Of(entry.token, *entry.caller, style, hasher);
  } else {
    unknown = TextOf(entry.token, nullptr, style, hasher);
  }
  out += R"({"auth":)";
  out += entry.denied ? text->auth_denied : text->auth_allowed;
  out += R"(,"request":)";
  AppendRequest(entry, *text, hasher, out);
}

void FinishEntry(const Entry& entry, SystemTime now, const ValueHasher& hasher, std::string& out) {
  const bool response = entry.type == Entry::Type::kResponse;
  out += R"(,"time":")";
  AppendRfc3339(now, out);
  out += response ? R"(","type":"response","response":)" : R"(","type":"request")";
  if (response) AppendResponse(entry, hasher, out);
  if (entry.error.empty()) return;
  out += R"(,"error":)";
  AppendJsonString(RedactQuotes(std::string(entry.error), entry.request_data,
                                {entry.plain_fields, entry.secret_fields}, hasher),
                   out);
}

void AppendEvent(const Event& event, SystemTime now, std::string& out) {
  out += R"({"time":")";
  AppendRfc3339(now, out);
  out += R"(","type":"system","system":)";
  Members members(out);
  members.Text("event", event.name);
  for (const auto& [name, value] : event.facts) AppendJsonString(value, members.Name(name));
  members.Close();
}

}  // namespace coffer::audit
