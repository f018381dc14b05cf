#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "coffer/base/result.h"

namespace coffer::cli {

// Where the server is and who we are: flags first, then COFFER_*, then VAULT_*, then
// ~/.vault-token.
struct Target {
  std::string address = "http://127.0.0.1:8200";  // http://..., https://... or unix:PATH
  std::string token;
  static Target FromEnvironment();
};

struct Answer {
  long status = 0;
  std::string body;
};

// One connection, kept open between calls. Not thread-safe.
class VaultClient {
 public:
  explicit VaultClient(Target target);
  ~VaultClient();
  VaultClient(const VaultClient&) = delete;
  VaultClient& operator=(const VaultClient&) = delete;

  // `path` without "/v1/". kUnavailable where the server cannot be reached, with its address.
  Result<Answer> Call(std::string_view method, std::string_view path, const std::string& body = {});
  const Target& Where() const { return target_; }

 private:
  struct Curl;
  Target target_;
  std::unique_ptr<Curl> curl_;
};

}  // namespace coffer::cli
