#pragma once

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

// What a request's first entry leaves to its second, for each device: what both begin with, written
// and hashed once, and the first one's line where that waits. One request's, one thread's.
class RequestMemo {
 public:
  struct Kept {
    Id device;
    LineBeginning beginning;
    bool denied = false;  // as the beginning has it
    std::string waiting;  // the rest of the first line; empty: it is written
  };
  // Null where nothing is kept. Valid until the next Keep().
  Kept* Of(const Id& device) {
    const auto found = std::ranges::find(kept_, device, &Kept::device);
    return found == kept_.end() ? nullptr : &*found;
  }
  Kept& Keep(Kept kept) { return kept_.emplace_back(std::move(kept)); }

 private:
  std::vector<Kept> kept_;
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
  // A request's, with a memo: its line may wait there, and is written by one write with that of its
  // response, where no change of state is at stake.
  bool may_wait = false;
  // The same for both entries of a request, between which nothing changes but `type`, `denied`,
  // the error and what belongs to the response; null: nothing is kept.
  RequestMemo* memo = nullptr;
};

// Takes the trail. Thread-safe.
class Sink {
 public:
  virtual ~Sink() = default;
  // kUnavailable where no device took the record, or none would take one that waits: the request is
  // then refused before it is carried out, or its answer withheld.
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
