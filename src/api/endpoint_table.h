#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coffer/api/service.h"
#include "coffer/base/result.h"
#include "field_decoder.h"
#include "json_writer.h"

namespace coffer::api {

enum class EngineKind { kSystem, kToken, kTransit };
inline constexpr std::array kEngines{EngineKind::kSystem, EngineKind::kToken, EngineKind::kTransit};
enum class Verb { kRead, kWrite, kPatch, kDelete, kList, kScan };

// "system", "token" or "transit": the type that answers, audit entries and the API's description
// show.
std::string_view EngineName(EngineKind engine);
std::string_view VerbName(Verb verb);

class ConstantDocument;

// Remount jobs that were carried out; they are done when they are answered.
class RemountLog;

// What an endpoint's handler works with; valid during the call.
struct Call {
  const Services& services;
  RemountLog& remounts;
  const http::Request& request;
  const Fields& fields;
  const mounts::Mount* mount = nullptr;     // transit endpoints
  const auth::TokenEntry* token = nullptr;  // null on an unauthenticated endpoint
  std::string_view token_text;
  Verb verb = Verb::kRead;
  Capability capability = Capability::kRead;
  // A batch is carried out so many items at a time, and gives way in between; 0: all at once.
  std::size_t items_at_once = 0;

  transit::Caller Caller() const;
};

// Work that a handler left to be done, piece by piece; it refers to its call and its reply.
class UnfinishedWork {
 public:
  virtual ~UnfinishedWork() = default;
  // Goes on until the work is done, which it returns, or about `until`.
  virtual Result<bool> Continue(std::chrono::steady_clock::time_point until) = 0;
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

  Status NoContent() {
    status = 204;
    return {};
  }
};

using Handler = Status (*)(const Call& call, Reply& reply);

// The items of an operation's batch_input differ in cost: an RSA private key's work is dear.
enum class BatchKind : std::uint8_t { kNone, kEven, kPrivateKey };

struct Operation {
  Verb verb = Verb::kRead;
  Capability capability = Capability::kRead;
  Handler handler = nullptr;
  // Changes keys: the whole request is carried out on the custodian's thread, with its instance of
  // the token, while the worker serves others.
  bool on_custodian = false;
  // Whether this very request does, where not all of the operation's do. Null: as above.
  bool (*changes_keys)(const Call& call) = nullptr;
  BatchKind batch = BatchKind::kNone;
  std::size_t number = 0;  // among the engine's operations; filled in by the table
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
  bool (*open)(const Services& services, const http::Request& request) = nullptr;
  // A literal. Of a raw endpoint that answers no JSON: its audit entry has no data.
  std::string_view content_type = kJson;
  // The fields of these properties; filled in by the table.
  std::vector<std::string_view> plain_fields = {};
  std::vector<std::string_view> secret_fields = {};
};

// The endpoints of one engine, and what a path means to it.
class EndpointTable {
 public:
  explicit EndpointTable(std::vector<Endpoint> endpoints);

  struct Match {
    const Endpoint* endpoint = nullptr;  // null: no such path
    std::vector<std::pair<std::string_view, std::string_view>> captures;
  };
  // The first pattern that fits. The captures point into `path` and the table.
  Match Find(std::string_view path) const;
  const std::vector<Endpoint>& Endpoints() const { return endpoints_; }

 private:
  std::vector<Endpoint> endpoints_;
  std::vector<std::vector<std::string_view>> patterns_;  // split; as endpoints_
};

// Each in the file of its name.
void AddSystemEndpoints(std::vector<Endpoint>& table);
void AddAuditEndpoints(std::vector<Endpoint>& table);
void AddBackupEndpoints(std::vector<Endpoint>& table);
void AddMetricsEndpoints(std::vector<Endpoint>& table);
void AddMountEndpoints(std::vector<Endpoint>& table);
void AddSpecsEndpoints(std::vector<Endpoint>& table);
void AddTokenEndpoints(std::vector<Endpoint>& table);
void AddTransitKeyEndpoints(std::vector<Endpoint>& table);
void AddTransitCipherEndpoints(std::vector<Endpoint>& table);
void AddTransitSignEndpoints(std::vector<Endpoint>& table);
void AddTransitMacEndpoints(std::vector<Endpoint>& table);
void AddTransitImportEndpoints(std::vector<Endpoint>& table);
void AddTransitExportEndpoints(std::vector<Endpoint>& table);
void AddTransitBackupEndpoints(std::vector<Endpoint>& table);
void AddTransitCsrEndpoints(std::vector<Endpoint>& table);
void AddTransitConfigEndpoints(std::vector<Endpoint>& table);
void AddTransitInspectEndpoints(std::vector<Endpoint>& table);
void AddTransitKeylessEndpoints(std::vector<Endpoint>& table);

// Whether the request needs no token.
bool IsOpen(const Endpoint& endpoint, const Services& services, const http::Request& request);

const EndpointTable& TableOf(EngineKind engine);

}  // namespace coffer::api
