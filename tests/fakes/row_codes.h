#pragma once

#include <memory>
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

// Makes the tables of a database usable, as the key ring does at its start: the first anchor, or
// the next one. Later ones are made when they are waited for.
inline Status Authenticate(storage::Database& database, bool accept_damaged_rows = false) {
  static crypto::SystemRandom random;
  COFFER_TRY(database.Authenticate({.codes = std::make_shared<RowCodes>(),
                                    .random = random,
                                    .accept_damaged_rows = accept_damaged_rows}));
  const auto anchor = [&database](std::uint64_t) -> Status {
    COFFER_ASSIGN(storage::Transaction transaction, database.Begin());
    transaction.Anchor();
    COFFER_TRY(transaction.Commit());
    database.AnchorWritten();
    return {};
  };
  database.SetAnchor(anchor);
  return anchor(0);
}

}  // namespace coffer::fakes
