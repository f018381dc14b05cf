#include "keyring/token_instance.h"

#include <optional>
#include <utility>

#include "keyring/lost.h"

namespace coffer::keyring {
namespace {

// SoftHSM keeps 200 bytes of each session object that was destroyed until C_Finalize.
constexpr std::uint64_t kRecycleAfterObjects = 50'000;

}  // namespace

bool IsDoubtful(const Error& error) {
  return error.code == Code::kTokenLost || error.code == Code::kTokenFailed;
}

TokenInstance::TokenInstance(std::unique_ptr<Token> token, Custodian& custodian, Catalog& catalog,
                             std::size_t most_handles)
    : owned_(std::move(token)),
      token_(*owned_),
      custodian_(custodian),
      catalog_(catalog),
      handles_(most_handles) {}

TokenInstance::TokenInstance(Token& custodians, Custodian& custodian, Catalog& catalog,
                             std::size_t most_handles)
    : token_(custodians), custodian_(custodian), catalog_(catalog), handles_(most_handles) {}

Status TokenInstance::Refresh() {
  const TokenHealth& health = custodian_.Health();
  if (!health.reachable.load(std::memory_order_acquire)) return Lost();
  const std::uint64_t generation = health.generation.load(std::memory_order_acquire);
  const auto gone = catalog_.RetiredSince(retired_seen_);
  // The list of destroyed versions does not reach back far enough, or the instance has made many
  // objects: all handles are dropped.
  if (!gone || token_.ObjectsMade() >= kRecycleAfterObjects) recycle_ = true;
  if (generation != generation_ || recycle_) {
    handles_.Clear();
    // The custodian's instance is the one whose coming back made the new generation.
    if (recycle_ || !IsCustodians()) COFFER_TRY(token_.Reopen());
    generation_ = generation;
    recycle_ = false;
  }
  if (!gone) return {};
  for (const auto& version : *gone) {
    for (const TokenHandle handle : handles_.TakeVersion(version.key, version.number)) {
      token_.Destroy(handle);
    }
  }
  return {};
}

Status TokenInstance::Recover(const Error& error) {
  if (!IsDoubtful(error)) return Fail(error);
  COFFER_TRY(custodian_.ProbeNow());
  // The token answers the custodian, so only this instance is broken.
  handles_.Clear();
  generation_ = 0;  // where it cannot be opened now, its next use tries again
  COFFER_TRY(token_.Reopen());
  generation_ = custodian_.Health().generation.load();
  return {};
}

void TokenInstance::Keep(const HandleKey& key, TokenHandle handle) {
  if (const auto displaced = handles_.Put(key, handle)) token_.Destroy(*displaced);
}

Result<TokenHandle> TokenInstance::HandleFor(const Key& key, const KeyVersion& version, Use use) {
  const bool second = use == Use::kHmac && !version.hmac_blob.empty();
  if (version.custody == Custody::kResident && !second) {
    return token_.FindResident(version.locator);
  }
  if (version.custody == Custody::kPublicOnly && !second) {
    const Purpose purpose = use == Use::kCipher ? Purpose::kDecryption : Purpose::kSigning;
    return Fail(Refusal::kPrivatePartMissing, {.purpose = purpose});
  }
  const HandleKey wanted{key.id, version.info.version, use, std::nullopt, {}};
  if (const auto cached = handles_.Get(wanted)) return *cached;
  COFFER_ASSIGN(
      const TokenHandle handle,
      token_.Unwrap(key.SpecOf(version), use, second ? version.hmac_master : version.info.master,
                    second ? version.hmac_blob : version.blob));
  Keep(wanted, handle);
  return handle;
}

Result<TokenHandle> TokenInstance::DerivedHandleFor(const Key& key, const KeyVersion& version,
                                                    DerivedUse use, ByteView context) {
  const HandleKey wanted{key.id, version.info.version, Use::kDerive, use, crypto::Sha256(context)};
  if (const auto cached = handles_.Get(wanted)) return *cached;
  COFFER_ASSIGN(const TokenHandle base, HandleFor(key, version, Use::kDerive));
  COFFER_ASSIGN(const TokenHandle handle, token_.Derive(key.SpecOf(version), base, use, context));
  Keep(wanted, handle);
  return handle;
}

Result<TokenHandle> TokenInstance::CipherHandleFor(const Key& key, const KeyVersion& version,
                                                   ByteView context) {
  if (!key.derived) return HandleFor(key, version, Use::kCipher);
  return DerivedHandleFor(key, version, DerivedUse::kCipher, context);
}

}  // namespace coffer::keyring
