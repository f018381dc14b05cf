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
#include "coffer/api/registry.h"
#include "coffer/auth/access_rules.h"
#include "coffer/auth/token_entry.h"
#include "coffer/base/result.h"
#include "coffer/http/message.h"
#include "coffer/keyring/lane.h"
#include "coffer/mounts/mount_table.h"

namespace coffer::api {

using auth::Capability;

enum class Verb { kRead, kWrite, kPatch, kDelete, kList, kScan };

std::string_view VerbName(Verb verb);

class ConstantDocument;

// The arguments of an endpoint's handler; valid during the call.
struct Call {
  const Registry& registry;
  EngineState engine;   // the data of the endpoint's engine
  keyring::Lane* lane;  // the thread's way into the token; null: it has none
  const http::Request& request;
  const Fields& fields;
  const mounts::Mount* mount = nullptr;  // null: a built-in engine's endpoint
  // These two are null if the request has no valid token.
  const auth::TokenEntry* token = nullptr;
  const auth::AccessRules* rules = nullptr;
  std::string_view token_text;
  Verb verb = Verb::kRead;
  Capability capability = Capability::kRead;
  // The number of items of a batch that are carried out before it gives way to other requests; 0:
  // all of them at once.
  std::size_t items_at_once = 0;
  // The result that one function of the engine has found for this request, for its later functions
  // on the same thread. Null: nothing can be stored.
  std::shared_ptr<const void>* found = nullptr;
};

// The rest of the work of a handler, to be done piece by piece; it refers to the handler's call and
// reply.
class UnfinishedWork {
 public:
  virtual ~UnfinishedWork() = default;
  // Goes on until the work is done, or until about `until`. Returns true if it is done.
  virtual Result<bool> Continue(std::chrono::steady_clock::time_point until) = 0;
};

// These three parts may stand in an answer beside its data. Times are in seconds.
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
// The real answer is kept in the server, and can be read once with this token.
struct Wrapping {
  std::string token;
  std::string accessor;
  std::int64_t seconds = 0;
  std::string created;  // RFC 3339
  std::string creation_path;
  std::string wrapped_accessor;  // the accessor of a token in the answer, or empty
};

// The answer of a handler: one JSON value that it appends to `json`, or a document, or status 204.
struct Reply {
  JsonWriter json;
  int status = 200;
  bool secret = false;  // the answer is wiped after it is sent
  std::vector<std::string> warnings;
  std::unique_ptr<UnfinishedWork> rest = nullptr;  // nothing is answered before it is done
  // The document that is the whole answer of a raw endpoint; null if `json` is the answer.
  const ConstantDocument* document = nullptr;
  // The media type of the answer, a literal; empty: the endpoint's.
  std::string_view content_type = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  // The audit trail hashes every text in these three.
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
  // True if the operation changes what is stored, which waits for the database and its disk: then
  // the whole request is carried out on the custodian's thread, with its instance of the token,
  // while the worker serves others.
  bool on_custodian = false;
  // Returns true if this request changes keys, for an operation of which only some requests do.
  // Null: `on_custodian` decides.
  bool (*changes_keys)(const Call& call) = nullptr;
  // The cost of the items of a request; an error, naming the limit, if it is more than a request
  // may cost. Null: the operation takes no batches.
  Result<BatchCost> (*batch_cost)(const Call& call) = nullptr;
  bool sudo = false;       // protected: a policy must grant sudo besides
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
  // Returns true if the object exists: writing an absent one needs `create`. Null: a write always
  // needs `update`.
  bool (*exists)(const Call& call) = nullptr;
  // True if its writes change nothing that is stored, except those that need `create`: their audit
  // entries need not be on the disk before the answer.
  bool keeps_state = false;
  // Returns true if this request needs no token, because its listener was opened for it. Null:
  // never.
  bool (*open)(EngineState engine, const http::Request& request) = nullptr;
  // The media type, a literal. If it is not JSON, the endpoint is raw and its audit entry has no
  // data.
  std::string_view content_type = kJson;
  // True if the path means the same with a slash at its end. A list and a pattern with "*" have
  // such a slash in any case.
  bool slash_at_end = false;
  // True if the health listener answers its reads, too: from memory, without a mount or a token.
  bool tells_health = false;
  // True if its requests leave no entry in the trail: its answers are no secret and the same for
  // all.
  bool unrecorded = false;
  // The names of the fields that are `plain` or `secret`; filled in by the table.
  std::vector<std::string_view> plain_fields = {};
  std::vector<std::string_view> secret_fields = {};
};

// True if the request needs no token.
bool IsOpen(const Endpoint& endpoint, EngineState engine, const http::Request& request);

}  // namespace coffer::api
