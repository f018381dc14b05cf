#pragma once

#include <memory>
#include <utility>

#include "coffer/keyring/token.h"

namespace coffer::keyring {

// Passes every call on to another token: a test overrides the calls that it observes or breaks.
class ForwardingToken : public Token {
 public:
  explicit ForwardingToken(std::unique_ptr<Token> real) : real_(std::move(real)) {}

  Result<Custody> CustodyOf(const KeySpec& spec) override { return real_->CustodyOf(spec); }
  Result<NewVersion> Generate(const KeySpec& spec, const ResidentPlace& place) override {
    return real_->Generate(spec, place);
  }
  Result<NewVersion> Import(const KeySpec& spec, const WrappedImport& import) override {
    return real_->Import(spec, import);
  }
  Result<ImportWrapping> ImportWrappingKey() override { return real_->ImportWrappingKey(); }
  Status DestroyImportWrappingKey() override { return real_->DestroyImportWrappingKey(); }
  Result<Bytes> Export(const KeySpec& spec, std::string_view master, ByteView blob,
                       const crypto::PublicKey& destination, crypto::HashAlgorithm hash) override {
    return real_->Export(spec, master, blob, destination, hash);
  }
  Result<NewVersion> Agree(const KeySpec& base, std::string_view master, ByteView blob,
                           const crypto::PublicKey& peer, const KeySpec& derived) override {
    return real_->Agree(base, master, blob, peer, derived);
  }
  Result<NewVersion> GenerateHmacKey() override { return real_->GenerateHmacKey(); }
  Result<TokenHandle> Unwrap(const KeySpec& spec, Use use, std::string_view master,
                             ByteView blob) override {
    return real_->Unwrap(spec, use, master, blob);
  }
  Result<TokenHandle> Derive(const KeySpec& spec, TokenHandle base, DerivedUse use,
                             ByteView context) override {
    return real_->Derive(spec, base, use, context);
  }
  void Destroy(TokenHandle handle) override { real_->Destroy(handle); }
  Result<TokenHandle> FindResident(ByteView locator) override {
    return real_->FindResident(locator);
  }
  Result<std::vector<Bytes>> Residents(const Id& database) override {
    return real_->Residents(database);
  }
  Status DestroyResident(ByteView locator) override { return real_->DestroyResident(locator); }
  Status Encrypt(TokenHandle key, Cipher cipher, ByteView nonce, ByteView aad, ByteView in,
                 MutableBytes out) override {
    return real_->Encrypt(key, cipher, nonce, aad, in, out);
  }
  Status Decrypt(TokenHandle key, Cipher cipher, ByteView nonce, ByteView aad, ByteView in,
                 MutableBytes out) override {
    return real_->Decrypt(key, cipher, nonce, aad, in, out);
  }
  Result<std::size_t> Sign(TokenHandle key, const SignMechanism& how, ByteView data,
                           MutableBytes out) override {
    return real_->Sign(key, how, data, out);
  }
  Status RsaDecrypt(TokenHandle key, ByteView in, MutableBytes out) override {
    return real_->RsaDecrypt(key, in, out);
  }
  Result<Mac> MetaMac(ByteView data) override { return real_->MetaMac(data); }
  Status Random(MutableBytes out) override { return real_->Random(out); }
  Result<Bytes> AuditPoint() override { return real_->AuditPoint(); }
  Result<Bytes> SignAudit(ByteView digest) override { return real_->SignAudit(digest); }
  Result<Epoch> ReadEpoch() override { return real_->ReadEpoch(); }
  Status WriteEpoch(const Epoch& epoch) override { return real_->WriteEpoch(epoch); }
  Status Probe() override { return real_->Probe(); }
  pkcs11::Statistics Counts() const override { return real_->Counts(); }
  std::uint64_t ObjectsMade() const override { return real_->ObjectsMade(); }
  Status Reopen() override { return real_->Reopen(); }

 private:
  const std::unique_ptr<Token> real_;
};

}  // namespace coffer::keyring
