#include "audit/entry_text.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "audit/json_text.h"
#include "audit/redaction.h"
#include "coffer/base/json_text.h"

namespace coffer::audit {
namespace {

// Members of an object that is being written; texts without content are left out, as Vault does.
class Members {
 public:
  explicit Members(std::string& out) : out_(out) { out_ += '{'; }
  // Selects the constructor that continues an object which has members already.
  struct Open {};
  Members(std::string& out, Open) : out_(out), first_(false) {}
  void Close() { out_ += '}'; }

  std::string& Name(std::string_view name) {
    out_ += first_ ? R"(")" : R"(,")";
    first_ = false;
    out_ += name;
    out_ += R"(":)";
    return out_;
  }
  void Text(std::string_view name, std::string_view text) {
    if (!text.empty()) AppendJsonString(text, Name(name));
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

// The limits, in bytes, on the text of a client in an entry: `data` for a JSON value, `text` for a
// path, a mount's path or a warning. The two entries of a request without a valid token hold less
// than 4 KiB of the client's text together.
struct Room {
  std::size_t data = 0;
  std::size_t text = 0;
};

Room RoomFor(const Entry& entry, const EntryStyle& style) {
  constexpr Room kCallers{1024UL * 1024, 4096};
  constexpr Room kCallersInShortLines{16UL * 1024, 1024};
  constexpr Room kStrangers{384, 256};
  if (entry.caller == nullptr) return kStrangers;
  return style.short_lines ? kCallersInShortLines : kCallers;
}

// Appends a JSON string. A long text is given as its beginning, its size and its hash.
void AppendBounded(std::string_view text, std::size_t limit, const ValueHasher& hasher,
                   std::string& out) {
  const std::size_t begin = out.size();
  if (text.size() <= limit) {
    AppendJsonString(text, out);
    if (out.size() - begin <= limit + 2) return;
    out.resize(begin);
  }
  constexpr std::size_t kShown = 64;
  std::string shown;
  AppendJsonString(text.substr(0, kShown), shown);
  if (shown.size() > 2 * kShown) shown = R"("")";  // nothing but escapes
  shown.pop_back();
  out += shown;
  out += "... (";
  AppendNumber(text.size(), out);
  out += " bytes, ";
  out += hasher.Hash(text);
  out += ")\"";
}

void AppendWarnings(std::span<const std::string> warnings, std::size_t limit,
                    const ValueHasher& hasher, std::string& out) {
  constexpr std::size_t kMost = 16;  // the server has no request that earns more
  out += '[';
  for (std::size_t i = 0; i < std::min(kMost, warnings.size()); ++i) {
    if (i > 0) out += ',';
    AppendBounded(warnings[i], limit, hasher, out);
  }
  out += ']';
}

void AppendMount(const Entry& entry, const Room& room, const ValueHasher& hasher,
                 Members& members) {
  const Mount& mount = entry.mount;
  if (mount.type.empty()) return;
  if (!mount.point.empty()) {
    AppendBounded(mount.point, room.text, hasher, members.Name("mount_point"));
  }
  members.Text("mount_type", mount.type);
  members.Text("mount_accessor", mount.accessor);
  members.Text("mount_class", mount.mount_class);
}

// Appends the decision as Vault does; the reason of a refusal is Coffer's own addition.
void AppendDecision(const Entry& entry, std::string& out) {
  out += entry.denied ? R"({"allowed":false)" : R"({"allowed":true)";
  if (entry.denied && !entry.denied_because.Empty()) {
    out += R"(,"reason":)";
    AppendJsonString(entry.denied_because, out);
  } else if (!entry.denied && !entry.granted_by.empty()) {
    out += R"(,"granting_policies":[{"name":)";
    AppendJsonString(entry.granted_by, out);
    out += R"(,"type":"acl")";
    if (!entry.granting_rule.empty()) {
      out += R"(,"path":)";
      AppendJsonString(entry.granting_rule, out);
    }
    out += "}]";
  }
  out += '}';
}

// The caller, and the members of "request" that say who asks: the rest of "request" follows.
void AppendCaller(const Entry& entry, const EntryStyle& style, const ValueHasher& hasher,
                  std::string& out) {
  const Caller* const caller = entry.caller;
  std::string token_text;
  std::string accessor_text;
  if (!entry.token.empty()) hasher.AppendQuoted(entry.token, token_text);
  if (caller != nullptr && style.hmac_accessor) {
    hasher.AppendQuoted(caller->accessor, accessor_text);
  } else if (caller != nullptr) {
    AppendJsonString(caller->accessor, accessor_text);
  }
  out += R"({"auth":)";
  Members auth(out);
  if (!token_text.empty()) auth.Name("client_token") += token_text;
  if (caller != nullptr) {
    auth.Name("accessor") += accessor_text;
    auth.Text("display_name", caller->display_name);
    AppendTexts(caller->policies, auth.Name("policies"));
    AppendTexts(caller->policies, auth.Name("token_policies"));
    AppendDecision(entry, auth.Name("policy_results"));
    auth.Text("token_type", "service");
    auth.Text("token_issue_time", Rfc3339(caller->issued));
  }
  auth.Close();
  out += R"(,"request":)";
  Members request(out);
  if (!token_text.empty()) request.Name("client_token") += token_text;
  if (caller != nullptr) request.Name("client_token_accessor") += accessor_text;
  request.Name("namespace") += R"({"id":"root"})";
}

// Goes on where the caller's text ends.
void AppendRequest(const Entry& entry, const Room& room, const ValueHasher& hasher,
                   std::string& out) {
  Members request(out, Members::Open{});
  request.Text("id", entry.request_id);
  request.Text("operation", entry.operation);
  AppendMount(entry, room, hasher, request);
  AppendBounded(entry.path, room.text, hasher, request.Name("path"));
  if (!entry.request_data.empty()) {
    AppendRedacted(entry.request_data, {entry.plain_fields, entry.secret_fields}, hasher, room.data,
                   request.Name("data"));
  }
  request.Text("remote_address", entry.remote_address);
  if (entry.remote_port != 0) AppendNumber(entry.remote_port, request.Name("remote_port"));
  request.Close();
}

void AppendDocument(const Document& document, std::string& out) {
  out += R"({"document":{"octets":)";
  AppendNumber(document.size, out);
  out += R"(,"sha256":)";
  AppendJsonString(document.sha256, out);
  out += "}}";
}

void AppendResponse(const Entry& entry, const Room& room, const ValueHasher& hasher,
                    std::string& out) {
  Members response(out);
  AppendMount(entry, room, hasher, response);
  AppendNumber(static_cast<std::uint64_t>(entry.status), response.Name("http_status"));
  if (entry.response_document != nullptr) {
    AppendDocument(*entry.response_document, response.Name("data"));
  } else if (!entry.response_data.empty()) {
    AppendRedacted(entry.response_data, {}, hasher, room.data, response.Name("data"));
  }
  const auto append = [&](std::string_view name, std::string_view json) {
    if (!json.empty()) AppendRedacted(json, {}, hasher, room.data, response.Name(name));
  };
  append("secret", entry.response_lease);
  append("auth", entry.response_auth);
  append("wrap_info", entry.response_wrapping);
  if (!entry.warnings.empty()) {
    AppendWarnings(entry.warnings, room.text, hasher, response.Name("warnings"));
  }
  response.Close();
}

// Appends the arguments that are set. All but the purpose may quote the request, so they are
// hashed.
void AppendArguments(const RefusalArguments& arguments, const ValueHasher& hasher,
                     std::string& out) {
  std::string text;
  Members members(text);
  const auto hash = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) hasher.AppendQuoted(value, members.Name(name));
  };
  const auto number = [](std::int64_t value) {
    return value == 0 ? std::string() : std::to_string(value);
  };
  if (arguments.purpose != Purpose::kNone) members.Text("purpose", PurposeName(arguments.purpose));
  hash("given", number(arguments.given));
  hash("bound", number(arguments.bound));
  hash("name", arguments.name);
  hash("detail", arguments.detail);
  members.Close();
  if (text == "{}") return;
  out += R"(,"error_arguments":)";
  out += text;
}

}  // namespace

LineBeginning BeginEntry(const Entry& entry, const EntryStyle& style, const ValueHasher& hasher) {
  constexpr std::size_t kUsualOctets = 1280;
  std::string text;
  text.reserve(kUsualOctets);
  AppendCaller(entry, style, hasher, text);
  AppendRequest(entry, RoomFor(entry, style), hasher, text);
  return LineBeginning(std::move(text));
}

void FinishEntry(const Entry& entry, SystemTime now, const EntryStyle& style,
                 const ValueHasher& hasher, std::string& out) {
  const bool response = entry.type == Entry::Type::kResponse;
  out += R"(,"time":")";
  AppendRfc3339(now, out);
  out += response ? R"(","type":"response","response":)" : R"(","type":"request")";
  if (response) AppendResponse(entry, RoomFor(entry, style), hasher, out);
  if (!entry.error.Empty()) {
    out += R"(,"error":)";
    AppendJsonString(entry.error, out);
  } else if (!entry.error_text.empty()) {
    out += R"(,"error":)";
    hasher.AppendQuoted(entry.error_text, out);
  }
  if (!entry.error_code.Empty()) {
    out += R"(,"error_code":)";
    AppendJsonString(entry.error_code, out);
  }
  if (entry.error_arguments != nullptr) AppendArguments(*entry.error_arguments, hasher, out);
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
