#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "coffer/base/clock.h"
#include "coffer/base/logger.h"
#include "coffer/crypto/system_random.h"
#include "coffer/keyring/custodian.h"
#include "coffer/keyring/key_ring.h"
#include "coffer/keyring/token_setup.h"
#include "coffer/storage/database.h"
#include "fakes/softhsm_token.h"
#include "keyring/keyring_store.h"

namespace coffer::keyring {

// A clock that stands still until it is moved. Thread-safe.
class SettableClock final : public Clock {
 public:
  SystemTime Now() const override { return FromUnixNanoseconds(now_.load()); }
  void Advance(std::chrono::seconds by) {
    now_ += std::chrono::duration_cast<std::chrono::nanoseconds>(by).count();
  }

 private:
  std::atomic<std::int64_t> now_{1'800'000'000'000'000'000};
};

// A key ring over a real SoftHSM token and a real database, which can be closed, tampered with and
// opened again.
class KeyRingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    location_.module = token_.Library();
    location_.label = token_.Label();
    location_.copies_directory = token_.Directory();
    location_.objects_directory = token_.TokenDirectory();
    Must(OpenDatabase());
    const auto id = LoadOrCreateDatabaseId(*database_, random_);
    Must(id);
    Must(CompleteToken(location_, token_.UserPin(), *id, logger_));
    Must(OpenKeyRing());
  }
  void TearDown() override { Close(); }

  // The token that the custodian works with. A test may put one of its own around the real one.
  virtual std::unique_ptr<Token> CustodiansToken(std::unique_ptr<Token> real) { return real; }
  virtual std::unique_ptr<Token> WorkersToken(std::unique_ptr<Token> real) { return real; }
  virtual coffer::Random& KeyRingsRandom() { return random_; }

  std::filesystem::path DatabaseFile() const { return token_.Directory() / "coffer.db"; }

  Status OpenDatabase() {
    const auto schema = KeyRing::Schema();
    COFFER_ASSIGN(database_, storage::Database::Open({.file = DatabaseFile()}, schema, logger_));
    return {};
  }
  Status OpenKeyRing(const StartPolicy& policy = {}) {
    COFFER_ASSIGN(OpenedTokens opened, OpenTokens(location_, token_.UserPin(), 2, logger_));
    std::unique_ptr<Token> custodians_own = CustodiansToken(std::move(opened.custodian));
    for (auto& worker : opened.workers) worker = WorkersToken(std::move(worker));
    custodian_ = std::make_unique<Custodian>(
        std::move(custodians_own),
        Custodian::Options{.probe_period = std::chrono::milliseconds(20)}, clock_, logger_);
    COFFER_ASSIGN(keys_, KeyRing::Open(*database_, *custodian_, std::move(opened.workers), policy,
                                       KeyRingsRandom(), clock_, logger_, limits_));
    custodian_->Start();
    return {};
  }
  void Close() {
    if (custodian_) custodian_->Stop();
    keys_.reset();
    custodian_.reset();
    database_.reset();
  }
  Status Reopen(const StartPolicy& policy = {}) {
    Close();
    COFFER_TRY(OpenDatabase());
    return OpenKeyRing(policy);
  }
  // Runs SQL as an attacker with the database file would, by another connection. The schema "aside"
  // is a database of the attacker's own.
  void Tamper(const std::string& sql) {
    ::sqlite3* other = nullptr;
    ASSERT_EQ(::sqlite3_open(DatabaseFile().c_str(), &other), SQLITE_OK);
    ::sqlite3_busy_timeout(other, 5000);
    const std::string all =
        "ATTACH '" + (token_.Directory() / "aside.db").string() + "' AS aside; " + sql;
    char* why = nullptr;
    ASSERT_EQ(::sqlite3_exec(other, all.c_str(), nullptr, nullptr, &why), SQLITE_OK) << why;
    if (sql.starts_with("UPDATE") || sql.starts_with("DELETE")) {
      ASSERT_GT(::sqlite3_changes(other), 0) << "nothing tampered with: " << sql;
    }
    ::sqlite3_close(other);
  }
  // The first error of a check of every shard.
  Status CheckShards() {
    for (const storage::Shard& shard : database_->Shards()) {
      COFFER_TRY(database_->CheckShard(shard));
    }
    return {};
  }
  // Sets a version's counter, as it would stand after that many encryptions.
  void Charge(std::string_view name, int version, std::int64_t mark) {
    const auto key = *keys_->Find(LaneOf(0), mount_, name);
    auto transaction = database_->Begin();
    Must(transaction);
    Must(store::ChargeVersion(*transaction, key->id, version, mark));
    Must(transaction->Commit());
  }

  static KeyName Name(std::string_view text) { return *KeyName::Parse(text); }
  template <typename T>
  static void Must(const Result<T>& result) {
    if (!result) {
      FAIL() << result.error().message << " | " << result.error().cause;
    }
  }
  static std::string TextOf(const Status& status) { return status ? "ok" : status.error().message; }

  // Waits until the custodian has done the work that was queued before.
  void Drain() {
    Must(custodian_->Run([](Token&) -> Status { return {}; }));
  }

  Lane& LaneOf(std::size_t worker) { return keys_->GetLanes().OfWorker(worker); }
  void Create(std::string_view name, CreateOptions options = {}) {
    Must(keys_->Create(mount_, Name(name), options, actor_));
  }
  Result<Bytes> Encrypt(std::string_view name, std::string_view plaintext,
                        std::string_view aad = "", std::int64_t version = 0,
                        std::size_t worker = 0) {
    return Encrypt(LaneOf(worker), name, plaintext, aad, version);
  }
  // As the engine does: a key that must be rotated before it encrypts is rotated.
  Result<Bytes> Encrypt(Lane& lane, std::string_view name, std::string_view plaintext,
                        std::string_view aad = "", std::int64_t version = 0) {
    COFFER_ASSIGN(auto key, keys_->Find(lane, mount_, name));
    if (key->settings.rotation_required && !key->settings.soft_deleted) {
      COFFER_ASSIGN(key, keys_->Rotate(mount_, name, actor_));
    }
    Encryption item;
    COFFER_ASSIGN(item.version, key->ForEncryption(version));
    item.plaintext = AsBytes(plaintext);
    item.aad = AsBytes(aad);
    COFFER_TRY(lane.Encrypt(*key, {&item, 1}));
    if (item.error) return Fail(*item.error);
    return std::move(item.payload);
  }
  Result<std::string> Decrypt(std::string_view name, int version, ByteView payload,
                              std::string_view aad = "", std::size_t worker = 0) {
    return Decrypt(LaneOf(worker), name, version, payload, aad);
  }
  Result<std::string> Decrypt(Lane& lane, std::string_view name, int version, ByteView payload,
                              std::string_view aad = "") {
    COFFER_ASSIGN(const auto key, keys_->Find(lane, mount_, name));
    COFFER_ASSIGN(const auto* const wrapped, key->ForDecryption(version));
    COFFER_ASSIGN(const SecretBytes plaintext, lane.Decrypt(*key, *wrapped, payload, AsBytes(aad)));
    return std::string(AsText(plaintext.Reveal()));
  }

  fakes::SoftHsmToken token_;
  TokenLocation location_;
  crypto::SystemRandom random_;
  SettableClock clock_;
  NullLogger logger_;
  CacheLimits limits_;
  Id mount_ = Id::Generate(random_);
  Actor actor_{"tester", "requested"};
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<Custodian> custodian_;
  std::unique_ptr<KeyRing> keys_;
};

}  // namespace coffer::keyring
