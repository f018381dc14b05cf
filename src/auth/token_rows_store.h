#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coffer/auth/token_entry.h"
#include "coffer/base/result.h"
#include "coffer/storage/database.h"

namespace coffer::auth {

// The table of tokens: its rows, and nothing of the cache. The rows have no MAC yet
// (docs/threat-model.md). The caller owns the reader or the transaction, and its thread calls.
// Errors: those of the database, kCorrupt for a row that cannot be read.

// A token with the first end of its line: its own or an ancestor's.
struct TokenOfLine {
  TokenEntry entry;
  std::optional<SystemTime> line_ends;
};

// Nothing if there is no such token, or an ancestor is missing.
Result<std::optional<TokenOfLine>> ReadTokenRow(storage::Reader& reader,
                                                const crypto::Sha256Digest& hash);
Result<std::optional<crypto::Sha256Digest>> FindTokenRow(storage::Reader& reader,
                                                         std::string_view accessor);
Result<std::vector<std::string>> ReadAccessors(storage::Reader& reader, SystemTime now);
Result<bool> WasInitialized(storage::Reader& reader);

Status InsertTokenRow(storage::Transaction& transaction, const TokenEntry& entry);
Status MarkInitialized(storage::Transaction& transaction, SystemTime now);
// These return the number of rows that were changed.
Result<std::int64_t> TakeUse(storage::Transaction& transaction, const crypto::Sha256Digest& hash);
Result<std::int64_t> SetExpiry(storage::Transaction& transaction, const crypto::Sha256Digest& hash,
                               SystemTime expires, SystemTime now);
// True if the token is there and neither it nor an ancestor has ended.
Result<bool> IsLineAlive(storage::Transaction& transaction, const crypto::Sha256Digest& hash,
                         SystemTime now);
// These delete tokens with all their descendants, and return the hashes of what they deleted.
// DeleteTree(): one token; DeleteEnded(): those that have ended; DeleteLastingRoots(): root tokens
// without a parent that never end.
using Digests = std::vector<crypto::Sha256Digest>;
Result<Digests> DeleteTree(storage::Transaction& transaction, const crypto::Sha256Digest& hash);
Result<Digests> DeleteEnded(storage::Transaction& transaction, SystemTime now);
Result<Digests> DeleteLastingRoots(storage::Transaction& transaction);
// Deletes the token and leaves its children without a parent.
Status DeleteOrphaning(storage::Transaction& transaction, const crypto::Sha256Digest& hash);

}  // namespace coffer::auth
