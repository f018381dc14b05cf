#pragma once

#include <memory>
#include <string_view>

#include "coffer/api/system_engine.h"
#include "coffer/http/handler.h"

namespace coffer::api {

// Answers sys/health, sys/seal-status, sys/leader and, if its listener is open for it, sys/metrics;
// anything else is 404. The program's wiring owns it and gives it a server with a thread of its
// own. It needs no API token, no audit device and no call into the PKCS#11 token, so nothing that
// hangs there can silence it. Thread-safe; its errors are statuses of responses.
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
