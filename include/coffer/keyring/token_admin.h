#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/base/bytes.h"
#include "coffer/base/ids.h"
#include "coffer/base/result.h"
#include "coffer/base/secret_bytes.h"
#include "coffer/keyring/token_setup.h"

namespace coffer::keyring {

// The description of a token that it gives before any login.
struct TokenDescription {
  std::string serial;
  std::string model;
  std::string manufacturer;
  std::string firmware_version;
  std::string library;  // "Implementation of PKCS11 2.6"
  bool user_pin_initialized = false;
  unsigned long min_pin_octets = 0;
  unsigned long max_pin_octets = 0;
};

// kNotFound where no token has this label (and serial), with those there are.
Result<TokenDescription> DescribeToken(const TokenLocation& location);
// The token that MakeToken would initialise; kNotFound where there is none.
Result<TokenDescription> DescribeFreeToken(const TokenLocation& location);

// An object of the token as an operator sees it; never its value.
struct TokenObject {
  enum class Kind : std::uint8_t {
    kForeign,      // not of Coffer's making
    kServers,      // masters and all else labelled coffer-*: without them nothing works
    kResidentKey,  // a version that the token cannot wrap; its label names the database
    kProbe         // of an examination that was killed, on a token that keeps session objects
  };
  Kind kind = Kind::kForeign;
  std::string label;
  std::string object_class;  // "secret key", "private key", "public key", "data", "other"
  std::string type;          // "AES", "generic secret", ...; empty for data
  std::string id;            // CKA_ID in hexadecimal
  Bytes id_octets;           // the same
  std::string purpose;       // "master key", "row MACs", "epoch", or empty: not of Coffer's making
};

// The label of every resident key's object of this database.
std::string ResidentLabel(const Id& database);

// The changes that an operator makes to a token while no server uses it. One login; one thread. A
// caller that writes must hold the data directory's lock.
class TokenAdmin {
 public:
  // Logs in once. Errors as OpenTokens', but it takes a token without masters.
  static Result<std::unique_ptr<TokenAdmin>> Open(const TokenLocation& location,
                                                  const SecretBytes& pin);
  ~TokenAdmin();

  // Token objects, in the order of their labels.
  Result<std::vector<TokenObject>> List();
  // True if the token has the key coffer-meta. Without it no row of any database can be checked.
  Result<bool> HasMasters();
  // Makes the next version of the class's master key, which wraps new keys from then on, checks its
  // attributes in the token, and returns its label. kNotFound if the class has no master yet,
  // kInvalid if there is no such class.
  Result<std::string> RotateMaster(std::string_view master_class);
  // Destroys a resident key or what an examination left, for good. kInvalid for any other kind,
  // kNotFound where it is not there any more.
  Status Destroy(const TokenObject& object);
  // The user's PIN, by C_SetPIN. One attempt.
  Status ChangePin(const SecretBytes& from, const SecretBytes& to);

 private:
  struct Impl;
  explicit TokenAdmin(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::keyring
