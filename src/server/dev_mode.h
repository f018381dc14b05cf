#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "server/config/config.h"

namespace coffer::server {

struct DevFlags {
  std::string data;  // empty: a fresh temporary directory
  std::string root_token_id;
  std::string listen_address = "127.0.0.1:8200";
  std::string unix_socket;      // empty: DIR/coffer.sock
  bool no_store_token = false;  // ~/.vault-token is left alone
  bool tls = false;             // on listen_address, with a certificate made for it
  std::string module = "/usr/lib/softhsm/libsofthsm2.so";
  std::string import_oaep;  // "token" or "process"; empty: "process" where the module is SoftHSM
  bool key_export = false;  // "wrapped"
};

// The place where everything is kept: the named directory, or a fresh temporary one that goes with
// the object.
class DevDirectory {
 public:
  static Result<DevDirectory> Make(const std::string& wanted);
  DevDirectory(DevDirectory&& other) noexcept
      : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, false)) {}
  DevDirectory& operator=(DevDirectory&&) = delete;
  ~DevDirectory();
  const std::filesystem::path& Path() const { return path_; }

 private:
  DevDirectory(std::filesystem::path path, bool temporary)
      : path_(std::move(path)), temporary_(temporary) {}
  std::filesystem::path path_;
  bool temporary_;
};

// The root token in ~/.vault-token while the object lives, where clients look for it. A token that
// is there already stays, and nothing is stored then.
class DevTokenFile {
 public:
  explicit DevTokenFile(std::string token);
  DevTokenFile(const DevTokenFile&) = delete;
  DevTokenFile& operator=(const DevTokenFile&) = delete;
  ~DevTokenFile();

 private:
  const std::string token_;
  std::string file_;  // empty where nothing is stored
};

// Says why the address cannot be listened on; asked before anything is made.
Status CheckDevAddress(const DevFlags& flags);

// Makes what a laptop lacks (SoftHSM configuration, random PINs, root token) in `directory` and
// says where it is.
Result<Config> MakeDevConfig(const DevFlags& flags, const std::filesystem::path& directory,
                             Random& random);

}  // namespace coffer::server
