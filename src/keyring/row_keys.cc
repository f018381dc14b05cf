#include "keyring/row_keys.h"

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "coffer/base/secret_bytes.h"
#include "coffer/crypto/keyed_hash.h"
#include "coffer/storage/row_authenticator.h"
#include "keyring/field_codec.h"
#include "keyring/keyring_store.h"

namespace coffer::keyring {
namespace {

// Each use has a key of its own, made at its first code from the root and the name of the use.
class RowKeys final : public storage::RowAuthenticator {
 public:
  explicit RowKeys(const SecretBytes& root) : root_(root) {}

  storage::Code256 Of(std::string_view use, ByteView data) const override {
    return KeyOf(use).Of(data);
  }

 private:
  const crypto::KeyedHash& KeyOf(std::string_view use) const {
    const std::string name(use);
    const std::lock_guard lock(mutex_);
    std::unique_ptr<crypto::KeyedHash>& key = keys_[name];
    if (!key) {
      crypto::Sha256Digest derived = root_.Of(AsBytes(name));
      key = std::make_unique<crypto::KeyedHash>(SecretBytes::CopyOf(derived));
      SecureWipe(derived.data(), derived.size());
    }
    return *key;
  }

  const crypto::KeyedHash root_;
  mutable std::mutex mutex_;
  mutable std::unordered_map<std::string, std::unique_ptr<crypto::KeyedHash>> keys_;  // by mutex_
};

}  // namespace

Status AuthenticateRows(storage::Database& database, Token& token, coffer::Random& random,
                        const StartPolicy& policy) {
  COFFER_ASSIGN(const Id id, store::LoadOrCreateDatabaseId(database, random));
  COFFER_ASSIGN(Mac root, token.MetaMac(FieldEncoder("coffer-row-keys-1").Put(id.View()).Take()));
  const SecretBytes key = SecretBytes::CopyOf(root);
  SecureWipe(root.data(), root.size());
  return database.Authenticate({.codes = std::make_shared<RowKeys>(key),
                                .random = random,
                                .accept_damaged_rows = policy.accept_damaged_rows});
}

}  // namespace coffer::keyring
