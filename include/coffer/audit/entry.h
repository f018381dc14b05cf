#pragma once

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

// The valid token behind a request.
struct Caller {
  std::string_view accessor;
  std::string_view display_name;
  std::span<const std::string> policies;
  SystemTime issued{};
};

// What a request touches, as the mount table has it; empty where it leads nowhere.
struct Mount {
  std::string_view point;  // "transit/"
  std::string_view type;
  std::string_view accessor;
  std::string_view mount_class = "secret";  // or "auth", "system"
};

// What both entries of a request begin with, as each device wrote and hashed it for the first: to
// do it again would be most of the second one's cost. One request's, one thread's.
class RequestMemo {
 public:
  // Null where nothing is kept. Valid until the next Keep() or Clear().
  const LineBeginning* Of(const Id& device) const {
    for (const auto& [id, beginning] : beginnings_) {
      if (id == device) return &beginning;
    }
    return nullptr;
  }
  const LineBeginning& Keep(const Id& device, LineBeginning beginning) {
    return beginnings_.emplace_back(device, std::move(beginning)).second;
  }
  void Clear() { beginnings_.clear(); }

 private:
  std::vector<std::pair<Id, LineBeginning>> beginnings_;
};

// An answer that is made once and never changes. Recorded by its size and its SHA-256.
struct Document {
  std::size_t size = 0;
  std::string sha256;  // in hexadecimal
};

// One line of the trail, in plain words: the devices decide what of it is shown and what is hashed.
// Views are valid during Record() only and may hold anything a client can send.
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
  // JSON values, as they were read or will be sent; empty: none. Every string in them is hashed,
  // and what is long stands as its size and one hash, sooner where there is no caller.
  std::string_view request_data;
  std::string_view response_data;
  // Members of request_data at its top: those whose short names ("aes256-gcm96") are shown, and
  // those that are hashed even where no string.
  std::span<const std::string_view> plain_fields;
  std::span<const std::string_view> secret_fields;
  // The answer is this document, which is no secret and the same each time: `response_data` is not
  // looked at. Null: it is none.
  const Document* response_document = nullptr;
  // JSON objects: what the answer gives beside its data; every text in them is hashed. Empty: none.
  std::string_view response_lease;
  std::string_view response_auth;
  std::string_view response_wrapping;
  std::span<const std::string> warnings;  // of the answer
  // Why there is no other answer: a refusal by its name, its neutral text and its arguments, each
  // of which is hashed, or a failure. Only a literal is shown; any other text may quote what a
  // client sent, and is hashed as a whole.
  LiteralText error;
  std::string_view error_text;  // in place of `error`, where that is empty
  LiteralText error_code;       // "permission_denied"
  const RefusalArguments* error_arguments = nullptr;
  bool denied = false;          // the error is that of the policies
  std::string_view granted_by;  // the policy that allows it; empty: none was asked
  LiteralText denied_because;   // why no policy does
  int status = 0;               // responses: the HTTP status
  // Whether the request changes what is stored: its record is then on the disk before Record()
  // returns, else accepted by the kernel.
  bool durable = false;
  // Cleared whenever anything above has changed but `type`, what belongs to the response, and the
  // error's texts; null: nothing is kept.
  RequestMemo* memo = nullptr;
};

// Takes the trail. Thread-safe.
class Sink {
 public:
  virtual ~Sink() = default;
  // kUnavailable where no device took the record: the request is then refused before it is carried
  // out, or its answer withheld.
  virtual Status Record(const Entry& entry) = 0;
};

class NullSink final : public Sink {
 public:
  Status Record(const Entry&) override { return {}; }
};

// What the server does of its own accord: automatic rotation, the token lost and found.
struct Event {
  std::string_view name;  // "key-rotation-started"
  std::initializer_list<std::pair<std::string_view, std::string_view>> facts;
  bool durable = false;
};

}  // namespace coffer::audit
