#include "coffer/auth/token_store.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "coffer/base/ids.h"
#include "coffer/crypto/keyed_hash.h"

namespace coffer::auth {
namespace {

constexpr std::size_t kAccessorLength = 24;
constexpr char kRootPolicy[] = "root";

constexpr std::string_view kStepOne = R"sql(
CREATE TABLE tokens (
  hash BLOB NOT NULL PRIMARY KEY,
  accessor TEXT NOT NULL UNIQUE,
  display_name TEXT NOT NULL,
  created_nanoseconds INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE token_policies (
  token_hash BLOB NOT NULL REFERENCES tokens (hash) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  policy TEXT NOT NULL,
  PRIMARY KEY (token_hash, position)
) STRICT, WITHOUT ROWID;
)sql";

using crypto::Sha256Digest;

// The keys are keyed hashes of what the caller sent: without the key a caller cannot choose them,
// so that neither the bucket nor the comparison's length tells anything about a stored token.
struct DigestHash {
  std::size_t operator()(const Sha256Digest& digest) const noexcept {
    std::size_t hash = 0;
    std::memcpy(&hash, digest.data(), sizeof hash);
    return hash;
  }
};

using Entries = std::unordered_map<Sha256Digest, std::shared_ptr<const TokenEntry>, DigestHash>;

bool IsRoot(const TokenEntry& entry) {
  return std::find(entry.policies.begin(), entry.policies.end(), kRootPolicy) !=
         entry.policies.end();
}

Result<std::vector<std::string>> ReadPolicies(storage::Statement& select, ByteView hash) {
  select.Reset();
  select.Bind(0, hash);
  std::vector<std::string> policies;
  while (true) {
    COFFER_ASSIGN(const bool row, select.Step());
    if (!row) return policies;
    policies.push_back(select.Text(0));
  }
}

Result<Entries> ReadTokens(storage::Reader& reader) {
  COFFER_ASSIGN(
      storage::Statement select,
      reader.Prepare("SELECT hash, accessor, display_name, created_nanoseconds FROM tokens"));
  COFFER_ASSIGN(
      storage::Statement policies,
      reader.Prepare("SELECT policy FROM token_policies WHERE token_hash = ? ORDER BY position"));
  Entries entries;
  while (true) {
    COFFER_ASSIGN(const bool row, select.Step());
    if (!row) return entries;
    const Bytes hash = select.Blob(0);
    Sha256Digest digest;
    if (hash.size() != digest.size()) {
      return Fail(Code::kCorrupt, "the table of tokens is damaged: restore a backup",
                  "hash of token " + select.Text(1));
    }
    std::copy(hash.begin(), hash.end(), digest.begin());
    TokenEntry entry{select.Text(1), select.Text(2), {}, FromUnixNanoseconds(select.Int(3))};
    COFFER_ASSIGN(entry.policies, ReadPolicies(policies, hash));
    entries.emplace(digest, std::make_shared<const TokenEntry>(std::move(entry)));
  }
}

Status InsertToken(storage::Transaction& transaction, const Sha256Digest& hash,
                   const TokenEntry& entry) {
  COFFER_ASSIGN(storage::Statement insert,
                transaction.Prepare("INSERT INTO tokens (hash, accessor, display_name, "
                                    "created_nanoseconds) VALUES (?, ?, ?, ?)"));
  insert.Bind(0, ByteView(hash)).Bind(1, entry.accessor).Bind(2, entry.display_name);
  COFFER_TRY(insert.Bind(3, UnixNanoseconds(entry.created)).Run());
  COFFER_ASSIGN(storage::Statement policy,
                transaction.Prepare("INSERT INTO token_policies (token_hash, position, policy) "
                                    "VALUES (?, ?, ?)"));
  std::int64_t position = 0;
  for (const std::string& name : entry.policies) {
    COFFER_TRY(policy.Bind(0, ByteView(hash)).Bind(1, position++).Bind(2, name).Run());
  }
  return {};
}

Status DeleteRootTokens(storage::Transaction& transaction) {
  COFFER_ASSIGN(storage::Statement remove,
                transaction.Prepare("DELETE FROM tokens WHERE hash IN "
                                    "(SELECT token_hash FROM token_policies WHERE policy = ?)"));
  COFFER_TRY(remove.Bind(0, std::string_view(kRootPolicy)).Run());
  return {};
}

}  // namespace

struct TokenStore::Impl {
  Impl(storage::Database& the_database, const SecretBytes& key, Random& the_random,
       const Clock& the_clock)
      : database(the_database), lookup_key(key), random(the_random), clock(the_clock) {}

  Sha256Digest HashOf(std::string_view token) const { return lookup_key.Of(AsBytes(token)); }
  std::shared_ptr<const Entries> Current() const {
    const std::lock_guard lock(entries_mutex);
    return entries;
  }
  void Publish(Entries next) {
    auto published = std::make_shared<const Entries>(std::move(next));
    const std::lock_guard lock(entries_mutex);
    entries.swap(published);
  }
  Status Reload() {
    COFFER_ASSIGN(storage::Reader reader, database.Read());
    COFFER_ASSIGN(Entries stored, ReadTokens(reader));
    Publish(std::move(stored));
    return {};
  }

  storage::Database& database;
  const crypto::KeyedHash lookup_key;
  Random& random;
  const Clock& clock;
  std::mutex change_mutex;  // one change at a time, from its check to its publication
  mutable std::mutex entries_mutex;
  std::shared_ptr<const Entries> entries;  // guarded by entries_mutex
};

std::vector<storage::Migration> TokenStore::Schema() { return {{"auth", 1, kStepOne}}; }

Result<std::unique_ptr<TokenStore>> TokenStore::Load(storage::Database& database,
                                                     const SecretBytes& lookup_key, Random& random,
                                                     const Clock& clock) {
  auto impl = std::make_unique<Impl>(database, lookup_key, random, clock);
  COFFER_TRY(impl->Reload());
  return std::unique_ptr<TokenStore>(new TokenStore(std::move(impl)));
}

TokenStore::TokenStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TokenStore::~TokenStore() = default;

Result<std::shared_ptr<const TokenEntry>> TokenStore::Lookup(std::string_view token) const {
  const auto entries = impl_->Current();
  const auto found = entries->find(impl_->HashOf(token));
  if (found == entries->end()) return Fail(Refusal::kPermissionDenied);
  return found->second;
}

std::shared_ptr<const TokenEntry> TokenStore::FindAccessor(std::string_view accessor) const {
  const auto entries = impl_->Current();
  const auto found = std::ranges::find_if(
      *entries, [&](const auto& entry) { return entry.second->accessor == accessor; });
  return found == entries->end() ? nullptr : found->second;
}

bool TokenStore::Initialized() const {
  const auto entries = impl_->Current();
  return std::any_of(entries->begin(), entries->end(),
                     [](const auto& entry) { return IsRoot(*entry.second); });
}

Status TokenStore::SetRootToken(std::string_view token) {
  if (token.empty()) return Fail(Code::kInvalid, "the root token must not be empty");
  const Sha256Digest hash = impl_->HashOf(token);
  const std::lock_guard lock(impl_->change_mutex);
  Entries entries = *impl_->Current();
  // A restart with the same token writes nothing: it keeps its accessor, and works on a full disk.
  if (const auto found = entries.find(hash); found != entries.end() && IsRoot(*found->second)) {
    return {};
  }
  const auto entry = std::make_shared<const TokenEntry>(TokenEntry{
      RandomBase62(impl_->random, kAccessorLength), "root", {kRootPolicy}, impl_->clock.Now()});
  {
    COFFER_ASSIGN(storage::Transaction transaction, impl_->database.Begin());
    COFFER_TRY(DeleteRootTokens(transaction));
    COFFER_TRY(InsertToken(transaction, hash, *entry));
    if (Status committed = transaction.Commit(); !committed) {
      // The outcome may be unknown: honour what is stored, whichever it is.
      [[maybe_unused]] const Status reloaded = impl_->Reload();
      return committed;
    }
  }
  std::erase_if(entries, [](const auto& former) { return IsRoot(*former.second); });
  entries.emplace(hash, entry);
  impl_->Publish(std::move(entries));
  return {};
}

}  // namespace coffer::auth
