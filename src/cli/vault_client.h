#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/target.h"
#include "coffer/base/result.h"

namespace coffer::cli {

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
  // The same request for a shell, which asks `coffer print token` for the token.
  std::string CurlCommand(std::string_view method, std::string_view path,
                          const std::string& body) const;
  std::string UrlOf(std::string_view path) const;
  const Target& Where() const { return target_; }

 private:
  struct Curl;
  using Headers = std::vector<std::pair<std::string, std::string>>;
  struct Way {
    std::string url;
    std::string connect_to;  // curl's HOST:PORT:HOST:PORT, or empty
  };
  Way WayTo(std::string_view path) const;
  Headers HeadersOf(std::string_view method, const std::string& body) const;
  void SetTls() const;

  Target target_;
  std::unique_ptr<Curl> curl_;
};

// A path or a query's part with everything escaped that has a meaning in URLs.
std::string EscapeUrl(std::string_view text, std::string_view also_plain);

}  // namespace coffer::cli
