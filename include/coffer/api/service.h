#pragma once

// The pipeline that every API request goes through. The program's wiring owns one Service for each
// face; the parts in Services outlive it. Thread-safe: the http workers call it, and the
// custodian's thread goes on with requests that change keys. Errors are answered to the client in
// the words of the face, logged and recorded; none is returned.
// Example: `Service service(services, MakeVaultFace(registry, mounts, tokens));
// http::Server::Start(options, service, logger);`

#include <cstddef>
#include <memory>
#include <string_view>

#include "coffer/api/faces.h"
#include "coffer/api/policy.h"
#include "coffer/api/registry.h"
#include "coffer/audit/entry.h"
#include "coffer/auth/token_store.h"
#include "coffer/base/logger.h"
#include "coffer/base/random.h"
#include "coffer/http/server.h"
#include "coffer/keyring/custodian.h"
#include "coffer/keyring/lane.h"
#include "coffer/metrics/registry.h"
#include "coffer/mounts/mount_table.h"

namespace coffer::api {

// The parts that the pipeline needs; an engine's handlers get the data that their engine was
// registered with. All parts outlive the service.
struct Services {
  const Registry& registry;
  const mounts::MountTable& mounts;
  const auth::TokenStore& tokens;
  const Policy& policy;
  audit::Sink& audit;
  Random& random;  // for the ids of requests
  Logger& logger;
  keyring::Custodian& custodian;         // carries out the requests that change keys
  keyring::Lanes& lanes;                 // of the workers and the custodian
  metrics::Registry* metrics = nullptr;  // gets the counters of requests; null: none are kept
  std::size_t key_series = 0;            // how many keys are counted one by one
};

// Answers the requests of one face. Every request takes the same way: request id, caller,
// operation, policy, audit, endpoint (typed decoding, one engine call, encoding), audit. A request
// that changes keys is done on the custodian's thread and is parked meanwhile if it can be.
// Thread-safe.
class Service final : public http::Handler {
 public:
  Service(const Services& services, std::shared_ptr<const Face> face);
  ~Service() override;
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  void Handle(const http::Request& request, http::Response& response) override;
  http::Admission Admit(const http::Request& head) override;
  void OnRefused(const http::Refusal& refusal) override;
  void WriteRefusal(std::string_view text, http::Response& response) const override;

 private:
  friend class Exchange;  // one request on its way through the service
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::api
