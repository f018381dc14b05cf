#pragma once

// The entries of the audit trail, and Sink, the interface that takes them. The maker of an entry
// owns everything that it points to and keeps it until Record() returns. A Sink is thread-safe; an
// Entry and its RequestMemo belong to one thread at a time. Errors: kUnavailable if the entry was
// not recorded.
// Example: the pipeline records an entry of type kRequest before the work and one of type kResponse
// before the answer.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coffer/audit/chain.h"
#include "coffer/base/clock.h"
#include "coffer/base/ids.h"
#include "coffer/base/literal_text.h"
#include "coffer/base/result.h"

namespace coffer::audit {

// The owner of the valid token that a request presented.
struct Caller {
  std::string_view accessor;
  std::string_view display_name;
  std::span<const std::string> policies;
  SystemTime issued{};
};

// The mount that a request touches, as the mount table has it; empty if its path leads nowhere.
struct Mount {
  std::string_view point;  // "transit/"
  std::string_view type;
  std::string_view accessor;
  std::string_view mount_class = "secret";  // or "auth", "system"
};

// The parts of a request's first entry that its second entry uses again, kept for each device: the
// beginning that both lines share, written and hashed once, and the first line itself while it
// waits to be written. It belongs to one request and one thread.
class RequestMemo {
 public:
  struct Kept {
    Id device;
    LineBeginning beginning;
    bool denied = false;  // as the beginning has it
    std::string waiting;  // the rest of the first line; empty: it is written
  };
  // Null if nothing is kept for the device. Valid until the next Keep().
  Kept* Of(const Id& device) {
    const auto found = std::ranges::find(kept_, device, &Kept::device);
    return found == kept_.end() ? nullptr : &*found;
  }
  Kept& Keep(Kept kept) { return kept_.emplace_back(std::move(kept)); }

 private:
  std::vector<Kept> kept_;
};

// An answer that is made once and never changes. The trail records its size and its SHA-256.
struct Document {
  std::size_t size = 0;
  std::string sha256;  // in hexadecimal
};

// One line of the trail in plain text: the devices decide which parts of it are shown and which are
// hashed. Its views are valid during Record() only and may hold anything that a client can send.
struct Entry {
  enum class Type { kRequest, kResponse };
  Type type = Type::kRequest;
  std::string_view request_id;
  std::string_view operation;  // read create update patch delete list scan help; empty: unknown
  std::string_view path;       // without "/v1/"
  Mount mount;
  std::string_view remote_address;
  std::uint16_t remote_port = 0;
  std::string_view token;          // as it was presented; empty: none
  const Caller* caller = nullptr;  // null where the token is not valid
  // JSON values as they were read or will be sent; empty: none. Every string in them is hashed. A
  // long value is recorded as its size and one hash; for a request without a caller the bound is
  // lower.
  std::string_view request_data;
  std::string_view response_data;
  // Top members of request_data: plain_fields are shown if their text is a short name
  // ("aes256-gcm96"), secret_fields are hashed even if they are no strings.
  std::span<const std::string_view> plain_fields;
  std::span<const std::string_view> secret_fields;
  // The document that is the answer, or null. It is no secret and the same each time, and
  // `response_data` is then not read.
  const Document* response_document = nullptr;
  // JSON objects that the answer has beside its data; every text in them is hashed. Empty: none.
  std::string_view response_lease;
  std::string_view response_auth;
  std::string_view response_wrapping;
  std::span<const std::string> warnings;  // the answer's warnings
  // The error that is answered: a refusal by its name, its neutral text and its arguments, each of
  // which is hashed; or a failure. Only a literal is shown; any other text may quote what a client
  // sent and is hashed as a whole.
  LiteralText error;
  std::string_view error_text;  // instead of `error`, if that is empty
  LiteralText error_code;       // "permission_denied"
  const RefusalArguments* error_arguments = nullptr;
  bool denied = false;             // the error is that of the policies
  std::string_view granted_by;     // the policy that allows it; empty: none did
  std::string_view granting_rule;  // the path of the rule in that policy; empty: it is root
  LiteralText denied_because;      // why no policy allows it
  int status = 0;                  // responses: the HTTP status
  // True if the request changes what is stored: its entry is then on the disk before Record()
  // returns. Otherwise the kernel has accepted it.
  bool durable = false;
  // True if the line of a request with a memo may wait in the memo and be written together with the
  // line of its response, because no change of state is at stake.
  bool may_wait = false;
  // The memo that both entries of a request share; between them only `type`, `denied`, the error
  // and the parts of the response may change. Null: nothing is kept.
  RequestMemo* memo = nullptr;
};

// Takes the entries of the trail. Thread-safe.
class Sink {
 public:
  virtual ~Sink() = default;
  // kUnavailable if no device took the entry, or if none would take one that may wait: then the
  // request is refused before it is carried out, or its answer is withheld.
  virtual Status Record(const Entry& entry) = 0;
};

class NullSink final : public Sink {
 public:
  Status Record(const Entry&) override { return {}; }
};

// Something that the server did without a request: a key was rotated automatically, the token was
// lost or found.
struct Event {
  std::string_view name;  // "key-rotation-started"
  std::initializer_list<std::pair<std::string_view, std::string_view>> facts;
  bool durable = false;
};

}  // namespace coffer::audit
