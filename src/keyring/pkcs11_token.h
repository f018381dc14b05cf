#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coffer/base/secret_bytes.h"
#include "coffer/crypto/public_key.h"
#include "coffer/keyring/token.h"
#include "coffer/keyring/token_setup.h"
#include "coffer/pkcs11/module.h"
#include "coffer/pkcs11/session.h"
#include "keyring/audit_key.h"
#include "keyring/masters.h"
#include "keyring/object_maker.h"
#include "keyring/token_trial.h"

namespace coffer::keyring {

// One instance of the module with its login and one long-lived session, which keeps the login and
// every unwrapped key.
class Pkcs11Token final : public Token {
 public:
  // The login that all instances share: the PIN, a mark once the token refused it to one of them,
  // and what the first of them found in its trial of the token.
  struct Login {
    SecretBytes pin;
    std::atomic<bool> refused{false};
    std::optional<TokenSettings> profile;  // set by the first Open(), before there are others
  };
  // Finds the token, logs in (one attempt), finds and verifies masters and coffer-* objects. Errors
  // as OpenTokens'.
  static Result<std::unique_ptr<Pkcs11Token>> Open(std::unique_ptr<pkcs11::Module> module,
                                                   const TokenLocation& location,
                                                   std::shared_ptr<Login> login);

  // key_import.cc
  Result<NewVersion> Import(const KeySpec& asked, const WrappedImport& import) override;
  Result<ImportWrapping> ImportWrappingKey() override;
  Status DestroyImportWrappingKey() override;
  Result<NewVersion> GenerateHmacKey() override;

  // key_export.cc
  Result<Bytes> Export(const KeySpec& spec, std::string_view master, ByteView blob,
                       const crypto::PublicKey& destination, crypto::HashAlgorithm hash) override;
  Result<NewVersion> Agree(const KeySpec& base, std::string_view master, ByteView blob,
                           const crypto::PublicKey& peer, const KeySpec& derived) override;

  // key_custody.cc
  Result<Custody> CustodyOf(const KeySpec& spec) override;

  // key_objects.cc
  Result<NewVersion> Generate(const KeySpec& asked, const ResidentPlace& place) override;
  Result<TokenHandle> Unwrap(const KeySpec& spec, Use use, std::string_view master,
                             ByteView blob) override;
  Result<TokenHandle> Derive(const KeySpec& spec, TokenHandle base, DerivedUse use,
                             ByteView context) override;
  Result<TokenHandle> FindResident(ByteView locator) override;
  Result<std::vector<Bytes>> Residents(const Id& database) override;
  Status DestroyResident(ByteView locator) override;
  Result<std::size_t> Sign(TokenHandle key, const SignMechanism& how, ByteView data,
                           MutableBytes out) override;
  Status RsaDecrypt(TokenHandle key, ByteView in, MutableBytes out) override;

  // pkcs11_token.cc
  void Destroy(TokenHandle handle) override;
  Status Encrypt(TokenHandle key, Cipher cipher, ByteView nonce, ByteView aad, ByteView in,
                 MutableBytes out) override;
  Status Decrypt(TokenHandle key, Cipher cipher, ByteView nonce, ByteView aad, ByteView in,
                 MutableBytes out) override;
  Result<Mac> MetaMac(ByteView data) override;
  Status Random(MutableBytes out) override;
  Result<Bytes> AuditPoint() override;
  Result<Bytes> SignAudit(ByteView digest) override;
  Result<Epoch> ReadEpoch() override;
  Status WriteEpoch(const Epoch& epoch) override;
  Status Probe() override;
  pkcs11::Statistics Counts() const override { return module_->Counts(); }
  std::uint64_t ObjectsMade() const override { return module_->ObjectsMade(); }
  Status Reopen() override;

  const std::string& Serial() const { return serial_; }

 private:
  Pkcs11Token(std::unique_ptr<pkcs11::Module> module, TokenLocation location,
              std::shared_ptr<Login> login)
      : module_(std::move(module)), location_(std::move(location)), login_(std::move(login)) {}

  Status Start();
  pkcs11::MechanismType KeyWrap() const { return login_->profile->key_wrap; }
  Status FindObjects();
  Status FindMasters();
  Result<pkcs11::ObjectHandle> Master(const std::string& name);
  // True if the token holds this master, which is then remembered.
  Result<bool> FindMaster(const MasterClass& master_class, const std::string& name);
  // The newest master of the class, by version.
  Result<std::string> NewestMaster(const MasterClass& master_class) const;
  // The newest master of the class, like NewestMaster(). Makes the first master of a class that
  // `hsm init` leaves out.
  Result<std::string> MasterFor(const MasterClass& master_class);
  Status Sync() const;
  Status FindResidents();

  Status CheckImportHash(crypto::HashAlgorithm hash);
  // A new version of the key that `make` makes: it is called for each of the session objects that
  // are needed, with the recipe of each.
  using MakeObject = std::function<Result<pkcs11::ObjectHandle>(const Recipe& recipe)>;
  Result<NewVersion> TakeIn(const KeySpec& spec, const MakeObject& make);
  // The answer of a secret key to a fixed question, by which two objects are compared.
  Result<Bytes> Prove(const KeySpec& spec, pkcs11::ObjectHandle key);
  Result<crypto::PublicKey::Shared> PublicKeyOfImported(const KeySpec& spec,
                                                        const NewVersion& version);
  // Checks that the token makes, keeps and uses such keys; kInvalid if it does not. A `derived`
  // spec must name its KDF.
  Status Able(const KeySpec& spec);
  // `certain`: false where the token's failure may be one of the moment.
  Status TryMaking(const KeySpec& spec, bool& certain);
  Status TryKeeping(const KeySpec& spec, bool& certain);
  Status CheckNonceKey(const KeySpec& spec, std::string_view master, ByteView blob);
  // Returns the spec with the KDF that a new version gets, if the key is `derived`.
  Result<KeySpec> WithKdf(const KeySpec& asked);
  // Unwraps like Unwrap(), but does not look for the reason of a refusal.
  Result<TokenHandle> Open(const KeySpec& spec, Use use, std::string_view master, ByteView blob);
  Result<Bytes> WrapNew(const KeySpec& spec, Use use, const std::string& master);
  Status GeneratePair(const KeySpec& spec, NewVersion& version);
  Result<NewVersion> GenerateResident(const KeySpec& spec, const ResidentPlace& place);
  Result<NewVersion> GenerateResidentSecret(const KeySpec& spec, const ResidentPlace& place);
  // Checks an object that was found and not made here: kTokenRefused for a secret key that somebody
  // else may know.
  Status CheckResident(pkcs11::ObjectHandle object, ByteView locator);
  Status AddHmacKey(NewVersion& version);
  // Two unwrappings of the same blob must agree: it holds one key, and that key works.
  Status CheckTwice(const KeySpec& spec, Use use, std::string_view master, ByteView blob);
  Status CheckPair(const KeySpec& spec, TokenHandle key, const crypto::PublicKey& public_key);
  Status CheckCipher(const KeySpec& spec, TokenHandle sealing, TokenHandle opening);
  // Finds out if a failure is the caller's or the token's. Returns `instead` if the token still
  // makes a MAC, kTokenLost if it does not; an error that cannot be the caller's is returned as it
  // is.
  Status Blame(const Error& error, Error instead);
  Result<const AuditKey*> FoundAuditKey();

  std::unique_ptr<pkcs11::Module> module_;
  TokenLocation location_;
  std::shared_ptr<Login> login_;
  std::string serial_;
  pkcs11::SlotId slot_ = 0;
  std::optional<pkcs11::Session> session_;  // after module_: closed before it
  ObjectMaker maker_;
  std::map<std::string, pkcs11::ObjectHandle> masters_;  // "aes-v1"
  pkcs11::ObjectHandle meta_ = pkcs11::kNoObject;
  struct Resident {
    pkcs11::ObjectHandle object = pkcs11::kNoObject;
    bool checked = false;
  };
  std::map<Bytes, Resident> residents_;                // by CKA_ID
  std::map<std::pair<KeyType, Kdf>, Status> makings_;  // what trying found
  std::optional<AuditKey> audit_key_;                  // found at its first use
  std::vector<crypto::HashAlgorithm> import_hashes_;   // of the import wrapping key, once tried
};

// Writes a software token's changed files to the disk; nothing to do where `directory` is empty.
Status SyncDirectory(const std::filesystem::path& directory);

}  // namespace coffer::keyring
