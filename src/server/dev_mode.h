#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "server/config.h"

namespace coffer::server {

struct DevFlags {
  std::string data;  // empty: a fresh temporary directory
  std::string root_token_id;
  std::string listen_address = "127.0.0.1:8200";
  std::string unix_socket;  // empty: DIR/coffer.sock
  bool tls = false;         // on listen_address, with a certificate made for it
  std::string module = "/usr/lib/softhsm/libsofthsm2.so";
};

// Makes what a laptop lacks (directory, SoftHSM configuration, random PINs) and says where it is.
Result<Config> MakeDevConfig(const DevFlags& flags, Random& random);

}  // namespace coffer::server
