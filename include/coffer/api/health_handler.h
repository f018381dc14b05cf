#pragma once

#include <memory>
#include <string_view>

#include "coffer/api/system_engine.h"
#include "coffer/http/handler.h"

namespace coffer::api {

// sys/health, sys/seal-status, sys/leader and, where its listener is open for it, sys/metrics
// alone, for a listener with a thread of its own: no API token, no audit device, no call into the
// PKCS#11 token, so that nothing which hangs there makes it silent. Anything else is 404.
// Thread-safe.
class HealthHandler final : public http::Handler {
 public:
  explicit HealthHandler(SystemParts parts);
  ~HealthHandler() override;
  HealthHandler(const HealthHandler&) = delete;
  HealthHandler& operator=(const HealthHandler&) = delete;

  void Handle(const http::Request& request, http::Response& response) override;
  void WriteRefusal(std::string_view text, http::Response& response) const override;

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::api
