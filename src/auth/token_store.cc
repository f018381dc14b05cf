#include "coffer/auth/token_store.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "auth/token_rows_store.h"
#include "coffer/base/ids.h"
#include "coffer/crypto/keyed_hash.h"

namespace coffer::auth {
namespace {

using crypto::Sha256Digest;

constexpr std::size_t kAccessorLength = 24;
constexpr std::size_t kTokenLength = 24;
constexpr std::string_view kServicePrefix = "hvs.";

// The cache is cut into parts, so that two threads seldom wait for each other.
constexpr std::size_t kShards = 64;
constexpr std::size_t kShardEntries = 2048;
// Tokens may have 64 KiB of metadata and policies each, which their makers choose.
constexpr std::size_t kShardBytes = std::size_t{2} * 1024 * 1024;

// The keys are keyed hashes of what the caller sent: without the key a caller cannot choose them,
// so that neither the bucket nor the comparison's length tells anything about a stored token.
struct DigestHash {
  std::size_t operator()(const Sha256Digest& digest) const noexcept {
    std::size_t hash = 0;
    std::memcpy(&hash, digest.data(), sizeof hash);
    return hash;
  }
};

struct CachedToken {
  std::shared_ptr<const TokenEntry> entry;
  std::optional<SystemTime> line_ends;
  VersionedRules rules;
};

// About the bytes that an entry takes in memory.
std::size_t MemoryOf(const TokenEntry& entry) {
  std::size_t size = sizeof entry + entry.display_name.size() + entry.path.size();
  for (const auto* const texts : {&entry.policies, &entry.bound_cidrs}) {
    for (const std::string& text : *texts) size += sizeof(std::string) + text.size();
  }
  for (const auto& [name, value] : entry.metadata) {
    size += 2 * sizeof(std::string) + name.size() + value.size();
  }
  return size;
}

// The cache of tokens. A change drops the entry before it is answered, and an entry that was read
// before a change is not put in after it.
class TokenCache {
 public:
  // Counts the changes of a part of the cache.
  using Mark = std::uint64_t;

  std::optional<CachedToken> Find(const Sha256Digest& hash, Mark& mark) {
    Shard& shard = ShardOf(hash);
    const std::lock_guard lock(shard.mutex);
    mark = shard.changes;
    const auto found = shard.tokens.find(hash);
    if (found == shard.tokens.end()) return std::nullopt;
    return found->second;
  }
  void Put(const Sha256Digest& hash, CachedToken token, Mark mark) {
    Shard& shard = ShardOf(hash);
    const std::lock_guard lock(shard.mutex);
    if (shard.changes != mark) return;
    shard.Remove(shard.tokens.find(hash));
    const std::size_t size = MemoryOf(*token.entry);
    while (!shard.tokens.empty() &&
           (shard.tokens.size() >= kShardEntries || shard.bytes + size > kShardBytes)) {
      shard.Remove(shard.tokens.begin());
    }
    shard.bytes += size;
    shard.tokens.emplace(hash, std::move(token));
  }
  void Drop(const Sha256Digest& hash) {
    Shard& shard = ShardOf(hash);
    const std::lock_guard lock(shard.mutex);
    ++shard.changes;
    shard.Remove(shard.tokens.find(hash));
  }
  void DropAll() {
    for (Shard& shard : shards_) {
      const std::lock_guard lock(shard.mutex);
      ++shard.changes;
      shard.tokens.clear();
      shard.bytes = 0;
    }
  }

 private:
  using Tokens = std::unordered_map<Sha256Digest, CachedToken, DigestHash>;
  struct Shard {
    std::mutex mutex;
    Mark changes = 0;
    std::size_t bytes = 0;  // of all its entries
    Tokens tokens;

    void Remove(Tokens::iterator token) {
      if (token == tokens.end()) return;
      bytes -= MemoryOf(*token->second.entry);
      tokens.erase(token);
    }
  };
  Shard& ShardOf(const Sha256Digest& hash) { return shards_.at(hash.back() % kShards); }

  std::array<Shard, kShards> shards_;
};

}  // namespace

struct TokenStore::Impl {
  Impl(storage::Database& the_database, const PolicyStore& the_policies, const SecretBytes& key,
       Random& the_random, const Clock& the_clock)
      : database(the_database),
        policies(the_policies),
        lookup_key(key),
        random(the_random),
        clock(the_clock) {}

  Sha256Digest HashOf(std::string_view token) const { return lookup_key.Of(AsBytes(token)); }
  Result<CachedToken> Find(const Sha256Digest& hash);
  Result<CachedToken> Load(const Sha256Digest& hash, TokenCache::Mark mark);
  // Runs `work` in one transaction, and drops the tokens whose hashes it returns from the cache.
  template <typename Work>
  Status Change(const Work& work) {
    COFFER_ASSIGN(storage::Transaction transaction, database.Begin());
    COFFER_ASSIGN(const Digests changed, work(transaction));
    Status committed = transaction.Commit();
    if (committed) {
      for (const Sha256Digest& hash : changed) cache.Drop(hash);
    } else {
      cache.DropAll();  // the outcome may be unknown
    }
    return committed;
  }

  storage::Database& database;
  const PolicyStore& policies;
  const crypto::KeyedHash lookup_key;
  Random& random;
  const Clock& clock;
  TokenCache cache;
  std::atomic<bool> initialized{false};
};

Result<CachedToken> TokenStore::Impl::Find(const Sha256Digest& hash) {
  TokenCache::Mark mark = 0;
  auto cached = cache.Find(hash, mark);
  if (!cached || (cached->line_ends && *cached->line_ends <= clock.Now())) return Load(hash, mark);
  if (cached->rules.version != policies.Version()) {
    cached->rules = policies.RulesOf(cached->entry->policies);
    cache.Put(hash, *cached, mark);
  }
  return std::move(*cached);
}

Result<CachedToken> TokenStore::Impl::Load(const Sha256Digest& hash, TokenCache::Mark mark) {
  COFFER_ASSIGN(storage::Reader reader, database.Read());
  COFFER_ASSIGN(auto token, ReadTokenRow(reader, hash));
  if (!token || (token->line_ends && *token->line_ends <= clock.Now())) {
    return Fail(Refusal::kPermissionDenied);
  }
  const bool limited = token->entry.uses > 0;
  CachedToken loaded{
      std::make_shared<const TokenEntry>(std::move(token->entry)), token->line_ends, {}};
  loaded.rules = policies.RulesOf(loaded.entry->policies);
  if (!limited) cache.Put(hash, loaded, mark);
  return loaded;
}

Result<std::unique_ptr<TokenStore>> TokenStore::Load(storage::Database& database,
                                                     const PolicyStore& policies,
                                                     const SecretBytes& lookup_key, Random& random,
                                                     const Clock& clock) {
  auto impl = std::make_unique<Impl>(database, policies, lookup_key, random, clock);
  COFFER_ASSIGN(storage::Reader reader, database.Read());
  COFFER_ASSIGN(const bool initialized, WasInitialized(reader));
  impl->initialized = initialized;
  return std::unique_ptr<TokenStore>(new TokenStore(std::move(impl)));
}

TokenStore::TokenStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TokenStore::~TokenStore() = default;

void TokenStore::AddJobs(Scheduler& scheduler) {
  // The end of a token is checked at its use, so that nothing depends on when this runs.
  scheduler.AddPeriodic("tidy-tokens", std::chrono::minutes(10), [this](SystemTime now) {
    static_cast<void>(Tidy(now));  // what is left is removed by the next run
  });
}

Result<Access> TokenStore::Lookup(std::string_view token) const {
  COFFER_ASSIGN(CachedToken found, impl_->Find(impl_->HashOf(token)));
  return Access{std::move(found.entry), std::move(found.rules.rules)};
}

Result<Access> TokenStore::Authenticate(std::string_view token, std::string_view address) const {
  COFFER_ASSIGN(Access access, Lookup(token));
  const AddressSet& bound = access.token->bound_addresses;
  if (!bound.empty() && !bound.Contains(address)) return Fail(Refusal::kPermissionDenied);
  return access;
}

Result<std::shared_ptr<const TokenEntry>> TokenStore::FindAccessor(
    std::string_view accessor) const {
  std::optional<Sha256Digest> hash;
  {
    COFFER_ASSIGN(storage::Reader reader, impl_->database.Read());
    COFFER_ASSIGN(hash, FindTokenRow(reader, accessor));
  }
  if (!hash) return nullptr;
  auto found = impl_->Find(*hash);
  if (!found && found.error().code == Code::kPermissionDenied) return nullptr;
  COFFER_TRY(found);
  return std::move(found->entry);
}

Result<std::vector<std::string>> TokenStore::Accessors() const {
  COFFER_ASSIGN(storage::Reader reader, impl_->database.Read());
  return ReadAccessors(reader, impl_->clock.Now());
}

Status TokenStore::Use(const TokenEntry& token) {
  if (token.uses == 0) return {};
  // A token with a limit is never in the cache.
  COFFER_ASSIGN(storage::Transaction transaction, impl_->database.Begin());
  COFFER_ASSIGN(const std::int64_t taken, TakeUse(transaction, token.hash));
  if (taken == 0) return Fail(Refusal::kPermissionDenied);
  return transaction.Commit();
}

Result<SecretBytes> TokenStore::Create(TokenEntry& entry, std::string_view text) {
  std::string made;
  if (text.empty()) {
    made = std::string(kServicePrefix) + RandomBase62(impl_->random, kTokenLength);
    text = made;
  }
  SecretBytes token = SecretBytes::CopyOf(AsBytes(text));
  SecureWipe(made.data(), made.size());
  entry.hash = impl_->HashOf(AsText(token.Reveal()));
  entry.accessor = RandomBase62(impl_->random, kAccessorLength);
  const SystemTime now = impl_->clock.Now();
  COFFER_ASSIGN(storage::Transaction transaction, impl_->database.Begin());
  if (entry.parent) {
    COFFER_ASSIGN(const bool alive, IsLineAlive(transaction, *entry.parent, now));
    if (!alive) return Fail(Refusal::kPermissionDenied);
  }
  Status inserted = InsertTokenRow(transaction, entry);
  if (!inserted && inserted.error().code == Code::kConflict) {
    return Fail(Code::kInvalid, "cannot create a token with a duplicate ID");
  }
  COFFER_TRY(inserted);
  COFFER_TRY(transaction.Commit());
  return token;
}

Result<std::shared_ptr<const TokenEntry>> TokenStore::Renew(const TokenEntry& token,
                                                            SystemTime expires) {
  const SystemTime now = impl_->clock.Now();
  COFFER_TRY(impl_->Change([&](storage::Transaction& transaction) -> Result<Digests> {
    COFFER_ASSIGN(const bool alive, IsLineAlive(transaction, token.hash, now));
    if (!alive) return Fail(Refusal::kPermissionDenied);
    COFFER_TRY(SetExpiry(transaction, token.hash, expires, now));
    return Digests{token.hash};
  }));
  // Its descendants must not outlive it, and their entries in the cache still have its former end.
  if (!token.expires || expires < *token.expires) impl_->cache.DropAll();
  auto renewed = std::make_shared<TokenEntry>(token);
  renewed->expires = expires;
  renewed->last_renewal = now;
  return renewed;
}

Status TokenStore::Revoke(const TokenEntry& token) {
  return impl_->Change(
      [&](storage::Transaction& transaction) { return DeleteTree(transaction, token.hash); });
}

Status TokenStore::RevokeOrphaning(const TokenEntry& token) {
  // The children have fewer ancestors now, so their entries in the cache may have a wrong end.
  COFFER_TRY(impl_->Change([&](storage::Transaction& transaction) -> Result<Digests> {
    COFFER_TRY(DeleteOrphaning(transaction, token.hash));
    return Digests{token.hash};
  }));
  impl_->cache.DropAll();
  return {};
}

Status TokenStore::Tidy(SystemTime now) {
  return impl_->Change(
      [&](storage::Transaction& transaction) { return DeleteEnded(transaction, now); });
}

bool TokenStore::Initialized() const { return impl_->initialized; }

Status TokenStore::SetRootToken(std::string_view token) {
  if (token.empty()) return Fail(Code::kInvalid, "the root token must not be empty");
  // A restart with the same token writes nothing: it keeps its accessor, and works on a full disk.
  if (const auto found = Lookup(token); found && found->token->IsRoot()) return {};
  TokenEntry entry;
  entry.display_name = "root";
  entry.policies = {std::string(kRootPolicy)};
  entry.path = "auth/token/root";
  entry.created = impl_->clock.Now();
  entry.hash = impl_->HashOf(token);
  entry.accessor = RandomBase62(impl_->random, kAccessorLength);
  COFFER_TRY(impl_->Change([&](storage::Transaction& transaction) -> Result<Digests> {
    COFFER_ASSIGN(Digests ended, DeleteLastingRoots(transaction));
    COFFER_ASSIGN(const Digests namesake, DeleteTree(transaction, entry.hash));
    ended.insert(ended.end(), namesake.begin(), namesake.end());
    COFFER_TRY(InsertTokenRow(transaction, entry));
    COFFER_TRY(MarkInitialized(transaction, entry.created));
    return ended;
  }));
  impl_->initialized = true;
  return {};
}

}  // namespace coffer::auth
