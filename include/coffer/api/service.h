#pragma once

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
#include "coffer/metrics/registry.h"
#include "coffer/mounts/mount_table.h"

namespace coffer::api {

// What the pipeline works with; an engine's handlers get what theirs was registered with. All
// outlive the service.
struct Services {
  const Registry& registry;
  const mounts::MountTable& mounts;
  const auth::TokenStore& tokens;
  const Policy& policy;
  audit::Sink& audit;
  Random& random;  // for the ids of requests
  Logger& logger;
  keyring::Custodian& custodian;         // carries out the requests that change keys
  metrics::Registry* metrics = nullptr;  // where requests are counted; null: nowhere
  std::size_t key_series = 0;            // keys that are counted one by one
};

// Requests of one face. Every request takes one way: request id, caller, operation, policy, audit,
// endpoint (typed decoding, one engine call, encoding), audit. One that changes keys waits for the
// custodian's thread, parked meanwhile where the request can be. Thread-safe.
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
  friend class Exchange;  // a request on its way through it
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::api
