#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/base/result.h"
#include "coffer/base/secret_bytes.h"
#include "coffer/keyring/token_setup.h"

namespace coffer::keyring {

// A token as it shows itself before any login.
struct TokenDescription {
  std::string serial;
  std::string model;
  std::string manufacturer;
  std::string firmware_version;
  std::string library;  // "Implementation of PKCS11 2.6"
  unsigned long max_pin_octets = 0;
};

// Nothing where no token has this label (and serial).
Result<std::optional<TokenDescription>> DescribeToken(const TokenLocation& location);

// An object of the token as an operator sees it; never its value.
struct TokenObject {
  std::string label;
  std::string object_class;  // "secret key", "private key", "public key", "data", "other"
  std::string type;          // "AES", "generic secret", ...; empty for data
  std::string id;            // CKA_ID in hexadecimal
  std::string purpose;       // "master key", "row MACs", "epoch", or empty: not of Coffer's making
};

// What an operator does to a token while no server uses it. One login; one thread. The caller holds
// the data directory's lock for whatever writes.
class TokenAdmin {
 public:
  // Logs in once. Errors as OpenTokens', but it takes a token without masters.
  static Result<std::unique_ptr<TokenAdmin>> Open(const TokenLocation& location,
                                                  const SecretBytes& pin);
  ~TokenAdmin();

  // Token objects, in the order of their labels.
  Result<std::vector<TokenObject>> List();
  // Whether there is a coffer-meta: without it no row of any database can be checked.
  Result<bool> HasMasters();
  // Makes the class's next version for new wraps and reads its attributes back; its label.
  // kNotFound for a class that has no master, kInvalid for a name that is no class.
  Result<std::string> RotateMaster(std::string_view master_class);
  // The user's PIN, by C_SetPIN. One attempt.
  Status ChangePin(const SecretBytes& from, const SecretBytes& to);

 private:
  struct Impl;
  explicit TokenAdmin(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::keyring
