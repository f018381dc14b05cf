#pragma once

#include <string>

#include "coffer/crypto/digest.h"
#include "coffer/crypto/system_random.h"
#include "coffer/storage/database.h"
#include "coffer/storage/row_authenticator.h"

namespace coffer::fakes {

// Codes for rows without a token.
class RowCodes final : public storage::RowAuthenticator {
 public:
  storage::Code256 Of(std::string_view use, ByteView data) const override {
    crypto::Sha256Stream hash;
    hash.Update(AsBytes(std::string(use) + '\0'));
    hash.Update(data);
    return hash.Finish();
  }
};

// Makes the tables of a database usable, as the server does at its start: the first anchor, or the
// next one.
inline Status Authenticate(storage::Database& database, bool accept_damaged_rows = false) {
  static const RowCodes codes;
  static crypto::SystemRandom random;
  COFFER_TRY(database.Authenticate(
      {.codes = codes, .random = random, .accept_damaged_rows = accept_damaged_rows}));
  COFFER_ASSIGN(storage::Transaction transaction, database.Begin());
  transaction.Anchor(database.AnchorNumber().value_or(0) + 1);
  return transaction.Commit();
}

}  // namespace coffer::fakes
