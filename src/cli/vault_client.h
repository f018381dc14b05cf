#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coffer/base/result.h"

namespace coffer::cli {

// Where the server is and who we are: flags first, then COFFER_*, then VAULT_*, then
// ~/.vault-token.
struct Target {
  std::string address = "http://127.0.0.1:8200";  // http://..., https://... or unix:PATH
  std::string token;
  std::string name_space;
  std::string ca_cert;
  std::string ca_path;
  std::string client_cert;
  std::string client_key;
  std::string tls_server_name;
  bool tls_skip_verify = false;
  long timeout_seconds = 60;
  std::vector<std::pair<std::string, std::string>> headers;  // more of the caller's
  bool print_curl = false;  // a command line instead of the request
  // kInvalid for a variable whose value is none of its kind.
  static Result<Target> FromEnvironment();
};

// The value of COFFER_<name>, else of VAULT_<name>, else empty.
std::string Variable(std::string_view name);
// The file in which `login` keeps the token; empty where there is no home.
std::string TokenFile();

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
  // The same request for a shell; the token is a variable in it.
  std::string CurlCommand(std::string_view method, std::string_view path,
                          const std::string& body) const;
  const Target& Where() const { return target_; }

 private:
  struct Curl;
  using Headers = std::vector<std::pair<std::string, std::string>>;
  struct Way {
    std::string url;
    std::string connect_to;  // curl's HOST:PORT:HOST:PORT, or empty
  };
  std::string UrlOf(std::string_view path) const;
  Way WayTo(std::string_view path) const;
  Headers HeadersOf(std::string_view method, const std::string& body) const;
  void SetTls() const;

  Target target_;
  std::unique_ptr<Curl> curl_;
};

// A path or a query's part with everything escaped that has a meaning in URLs.
std::string EscapeUrl(std::string_view text, std::string_view also_plain);

}  // namespace coffer::cli
