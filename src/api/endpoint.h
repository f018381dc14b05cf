#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/field_decoder.h"
#include "api/json_writer.h"
#include "coffer/api/policy.h"
#include "coffer/api/registry.h"
#include "coffer/base/result.h"
#include "coffer/http/message.h"
#include "coffer/mounts/mount_table.h"

namespace coffer::api {

enum class Verb { kRead, kWrite, kPatch, kDelete, kList, kScan };

std::string_view VerbName(Verb verb);

class ConstantDocument;

// What an endpoint's handler works with; valid during the call.
struct Call {
  const Registry& registry;
  EngineState engine;  // what the endpoint's engine works on
  std::size_t worker;  // whose instance of the token the thread has: a worker's, the custodian's
  const http::Request& request;
  const Fields& fields;
  const mounts::Mount* mount = nullptr;     // null: a built-in engine's endpoint
  const auth::TokenEntry* token = nullptr;  // null on an unauthenticated endpoint
  std::string_view token_text;
  Verb verb = Verb::kRead;
  Capability capability = Capability::kRead;
  // A batch is carried out so many items at a time, and gives way in between; 0: all at once.
  std::size_t items_at_once = 0;
};

// Work that a handler left to be done, piece by piece; it refers to its call and its reply.
class UnfinishedWork {
 public:
  virtual ~UnfinishedWork() = default;
  // Goes on until the work is done, which it returns, or about `until`.
  virtual Result<bool> Continue(std::chrono::steady_clock::time_point until) = 0;
};

// What an answer may give beside its data. Times in seconds.
struct Lease {
  std::string id;
  bool renewable = false;
  std::int64_t seconds = 0;
};
struct NewToken {
  std::string token;
  std::string accessor;
  std::vector<std::string> policies;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::string entity_id;
  std::string type;  // "service" or "batch"
  std::int64_t lease_seconds = 0;
  std::int64_t uses = 0;  // 0: any number
  bool renewable = false;
  bool orphan = false;
};
// The answer itself is kept, and read once with this token.
struct Wrapping {
  std::string token;
  std::string accessor;
  std::int64_t seconds = 0;
  std::string created;  // RFC 3339
  std::string creation_path;
  std::string wrapped_accessor;  // of a token that is in the answer, else empty
};

// A handler's answer: one JSON value that it appends to `json`, or a document, or status 204.
struct Reply {
  JsonWriter json;
  int status = 200;
  bool secret = false;  // the answer is wiped after it is sent
  std::vector<std::string> warnings;
  std::unique_ptr<UnfinishedWork> rest = nullptr;  // nothing is answered before it is done
  // The whole answer of a raw endpoint, instead of `json`; null where `json` is the answer.
  const ConstantDocument* document = nullptr;
  // The answer's type, a literal, where it is not the endpoint's.
  std::string_view content_type = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  // The trail hashes every text in them.
  std::optional<Lease> lease = {};
  std::optional<NewToken> auth = {};
  std::optional<Wrapping> wrapping = {};

  Status NoContent() {
    status = 204;
    return {};
  }
};

using Handler = Status (*)(const Call& call, Reply& reply);

// The cost of a batch, which decides how it is carried out.
struct BatchCost {
  std::int64_t total = 0;  // in operations of a secret key, about
  std::int64_t each = 1;
};

struct Operation {
  Verb verb = Verb::kRead;
  Capability capability = Capability::kRead;
  Handler handler = nullptr;
  // Changes keys: the whole request is carried out on the custodian's thread, with its instance of
  // the token, while the worker serves others.
  bool on_custodian = false;
  // Whether this very request does, where not all of the operation's do. Null: as above.
  bool (*changes_keys)(const Call& call) = nullptr;
  // What a request's items cost; an error, naming the limit, where that is more than a request may.
  // Null: the operation takes no batches.
  Result<BatchCost> (*batch_cost)(const Call& call) = nullptr;
  std::size_t number = 0;  // among all operations of a server, from 1; filled in by the table
};

inline constexpr std::string_view kJson = "application/json";

// One endpoint, declared once: routing, decoding, warnings and help come from here. The pattern's
// segments are literals, ":x" (one GenericName), "=x" (any one segment) or "*x"
// (one or more segments).
struct Endpoint {
  std::string_view pattern;
  std::string_view help;
  std::vector<FieldSpec> fields;
  std::vector<Operation> operations;
  bool raw = false;              // no envelope
  bool unauthenticated = false;  // no token needed; one that is given is looked up
  bool data_at_top = false;      // old clients read data's members beside the envelope's
  // Whether the object is there: a write to an absent one needs `create`. Null: always `update`.
  bool (*exists)(const Call& call) = nullptr;
  // Its writes change nothing that is stored (but for those that need `create`): their audit
  // entries need not be on the disk before the answer.
  bool keeps_state = false;
  // Whether this very request needs no token either: where a listener was opened for it. Null:
  // never.
  bool (*open)(EngineState engine, const http::Request& request) = nullptr;
  // A literal. Of a raw endpoint that answers no JSON: its audit entry has no data.
  std::string_view content_type = kJson;
  // It has the same meaning with a slash at its end. So has every list and every pattern with "*".
  bool slash_at_end = false;
  // Its reads are answered by the health listener, too: from memory, without a mount or a token.
  bool tells_health = false;
  // Its requests leave no entry in the trail: what it answers is no secret and the same for all.
  bool unrecorded = false;
  // The fields of these properties; filled in by the table.
  std::vector<std::string_view> plain_fields = {};
  std::vector<std::string_view> secret_fields = {};
};

// Tells whether the request needs no token.
bool IsOpen(const Endpoint& endpoint, EngineState engine, const http::Request& request);

}  // namespace coffer::api
