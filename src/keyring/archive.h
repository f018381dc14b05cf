#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "coffer/base/bytes.h"
#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "coffer/keyring/custodian.h"
#include "coffer/keyring/key.h"
#include "coffer/keyring/lane.h"
#include "coffer/storage/database.h"
#include "keyring/catalog.h"
#include "keyring/key_commits.h"

namespace coffer::keyring {

// Backups of single keys: rows as they are, wrapped, under a MAC by coffer-meta. They open only
// where the same masters are, and a restored key is a key of its own (docs/adr/0013). Any thread; a
// restore runs on the custodian's. Functions and errors as KeyRing's.
class Archive {
 public:
  Archive(storage::Database& database, Catalog& catalog, KeyCommits& commits,
          coffer::Random& random)
      : database_(database), catalog_(catalog), commits_(commits), random_(random) {}

  Result<Bytes> Backup(Lane& lane, const Id& mount, std::string_view name);
  Result<std::shared_ptr<const Key>> Restore(const Id& mount, const std::optional<KeyName>& name,
                                             ByteView backup, bool force);

 private:
  Result<Key> Open(Token& token, ByteView backup) const;
  void MakeNew(Key& key) const;

  storage::Database& database_;
  Catalog& catalog_;
  KeyCommits& commits_;
  coffer::Random& random_;
};

}  // namespace coffer::keyring
