#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "coffer/base/result.h"
#include "coffer/keyring/custodian.h"
#include "coffer/keyring/key.h"
#include "coffer/keyring/token.h"
#include "keyring/catalog.h"
#include "keyring/handle_cache.h"

namespace coffer::keyring {

// True if the error may come from the state of the token and not from the call: the same call may
// succeed after a recovery.
bool IsDoubtful(const Error& error);

// An instance of the token: its module and login, the handles of its keys, and its recovery after a
// loss. Its lanes use it. Each instance has a copy of the module and one lane, so the thread of
// that lane is its only thread, except for the counts.
class TokenInstance {
 public:
  // A worker's own.
  TokenInstance(std::unique_ptr<Token> token, Custodian& custodian, Catalog& catalog,
                std::size_t most_handles);
  // The custodian's, which the custodian owns, probes and opens anew.
  TokenInstance(Token& custodians, Custodian& custodian, Catalog& catalog,
                std::size_t most_handles);
  TokenInstance(const TokenInstance&) = delete;
  TokenInstance& operator=(const TokenInstance&) = delete;

  Token& GetToken() { return token_; }
  // Called before each use: drops handles that are no longer valid, and opens the instance anew if
  // the token was lost or the instance has made many objects. kTokenLost while the token is lost.
  Status Refresh();
  // Opens the instance anew after an error; success if the operation may be tried once more.
  Status Recover(const Error& error);
  // Runs `attempt`, and once more after a doubtful error if the token itself is healthy.
  template <typename Operation>
  Status Attempt(const Operation& attempt) {
    COFFER_TRY(Refresh());
    Status done = attempt();
    if (!done && IsDoubtful(done.error())) {
      COFFER_TRY(Recover(done.error()));
      done = attempt();
    }
    return done;
  }

  Result<TokenHandle> HandleFor(const Key& key, const KeyVersion& version, Use use);
  Result<TokenHandle> DerivedHandleFor(const Key& key, const KeyVersion& version, DerivedUse use,
                                       ByteView context);
  // The handle of the key's own cipher key; for a `derived` key that of the key derived for
  // `context`.
  Result<TokenHandle> CipherHandleFor(const Key& key, const KeyVersion& version, ByteView context);

  // Any thread.
  HandleCounts Handles() const { return handles_.Counts(); }
  pkcs11::Statistics TokenCounts() const { return token_.Counts(); }
  bool IsCustodians() const { return owned_ == nullptr; }

 private:
  // Puts the handle into the table, and destroys the one that makes room.
  void Keep(const HandleKey& key, TokenHandle handle);

  const std::unique_ptr<Token> owned_;
  Token& token_;
  Custodian& custodian_;
  Catalog& catalog_;
  HandleCache handles_;
  std::uint64_t generation_ = 1;
  std::uint64_t retired_seen_ = 0;
  bool recycle_ = false;  // true: opened anew before the next use, however few objects it has made
};

}  // namespace coffer::keyring
