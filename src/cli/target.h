#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coffer/base/result.h"

namespace coffer::cli {

// The server's address and the caller's token. They come from flags, else from COFFER_*, BAO_* and
// VAULT_*; the token also from ~/.vault-token.
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
  // kInvalid for what must not be sent: an address of another scheme or of none, and a token or a
  // header in which a line ends. kNotFound for a file of certificates that cannot be read.
  Status Check() const;
  // The socket's path; empty unless the address is one.
  std::string SocketPath() const;
};

// The value of COFFER_<name>, else of BAO_<name>, else of VAULT_<name>, else empty.
std::string Variable(std::string_view name);
// The file in which `login` keeps the token; empty where there is no home.
std::string TokenFile();
// The text without the blanks and line ends around it, which are no part of a token.
std::string_view Trimmed(std::string_view text);

}  // namespace coffer::cli
