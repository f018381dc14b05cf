// The hot path: a worker's own token instance, its handles and the counts. No SQL but one commit
// for each 65,536 encryptions.

#include <algorithm>
#include <array>
#include <utility>

#include "keyring/key_ring_impl.h"
#include "keyring/lost.h"

namespace coffer::keyring {
namespace {

bool IsDoubtful(const Error& error) {
  return error.code == Code::kTokenLost || error.code == Code::kTokenFailed;
}

bool TakeFromBlock(EncryptionCounter& counter, std::int64_t count) {
  std::int64_t left = counter.left_in_block.load(std::memory_order_relaxed);
  while (left >= count) {
    if (counter.left_in_block.compare_exchange_weak(left, left - count,
                                                    std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

}  // namespace

Status KeyRing::Impl::Refresh(Worker& worker) {
  const TokenHealth& health = custodian.Health();
  if (!health.reachable.load(std::memory_order_acquire)) return Lost();
  const std::uint64_t generation = health.generation.load(std::memory_order_acquire);
  const auto gone = retired.Since(worker.retired_seen);
  // The list of destroyed versions does not reach back far enough, or the instance has made many
  // objects: all handles are dropped.
  if (!gone || worker.token->ObjectsMade() >= kRecycleAfterObjects) worker.recycle = true;
  if (generation != worker.generation || worker.recycle) {
    worker.handles.Clear();
    // The custodian's instance is the one whose coming back made the new generation.
    if (worker.recycle || !IsCustodian(worker)) COFFER_TRY(worker.token->Reopen());
    worker.generation = generation;
    worker.recycle = false;
  }
  if (!gone) return {};
  for (const auto& version : *gone) {
    for (const TokenHandle handle : worker.handles.TakeVersion(version.key, version.number)) {
      worker.token->Destroy(handle);
    }
  }
  return {};
}

Status KeyRing::Impl::Judge(Worker& worker, const Error& error) {
  if (!IsDoubtful(error)) return Fail(error);
  COFFER_TRY(custodian.ProbeNow());
  // The token answers the custodian, so only this instance is broken.
  worker.handles.Clear();
  worker.generation = 0;  // where it cannot be opened now, its next use tries again
  COFFER_TRY(worker.token->Reopen());
  worker.generation = custodian.Health().generation.load();
  return {};
}

Status KeyRing::Impl::Attempt(Worker& worker, const std::function<Status()>& attempt) {
  COFFER_TRY(Refresh(worker));
  Status done = attempt();
  if (!done && IsDoubtful(done.error())) {
    COFFER_TRY(Judge(worker, done.error()));
    done = attempt();
  }
  return done;
}

void KeyRing::Impl::Keep(Worker& worker, const HandleKey& key, TokenHandle handle) {
  if (const auto displaced = worker.handles.Put(key, handle)) worker.token->Destroy(*displaced);
}

Result<TokenHandle> KeyRing::Impl::HandleFor(Worker& worker, const Key& key,
                                             const KeyVersion& version, Use use) {
  const bool second = use == Use::kHmac && !version.hmac_blob.empty();
  if (version.custody == Custody::kResident && !second) {
    return worker.token->FindResident(version.locator);
  }
  if (version.custody == Custody::kPublicOnly && !second) {
    const Purpose purpose = use == Use::kCipher ? Purpose::kDecryption : Purpose::kSigning;
    return Fail(Refusal::kPrivatePartMissing, {.purpose = purpose});
  }
  const HandleKey wanted{key.id, version.info.version, use, std::nullopt, {}};
  if (const auto cached = worker.handles.Get(wanted)) return *cached;
  COFFER_ASSIGN(const TokenHandle handle,
                worker.token->Unwrap(key.SpecOf(version), use,
                                     second ? version.hmac_master : version.info.master,
                                     second ? version.hmac_blob : version.blob));
  Keep(worker, wanted, handle);
  return handle;
}

Result<TokenHandle> KeyRing::Impl::DerivedHandleFor(Worker& worker, const Key& key,
                                                    const KeyVersion& version, DerivedUse use,
                                                    ByteView context) {
  const HandleKey wanted{key.id, version.info.version, Use::kDerive, use, crypto::Sha256(context)};
  if (const auto cached = worker.handles.Get(wanted)) return *cached;
  COFFER_ASSIGN(const TokenHandle base, HandleFor(worker, key, version, Use::kDerive));
  COFFER_ASSIGN(const TokenHandle handle,
                worker.token->Derive(key.SpecOf(version), base, use, context));
  Keep(worker, wanted, handle);
  return handle;
}

Result<TokenHandle> KeyRing::Impl::CipherHandleFor(Worker& worker, const Key& key,
                                                   const KeyVersion& version, ByteView context) {
  if (!key.derived) return HandleFor(worker, key, version, Use::kCipher);
  return DerivedHandleFor(worker, key, version, DerivedUse::kCipher, context);
}

void KeyRing::Impl::AskForRotation(const Key& key, std::string reason) {
  custodian.Post([this, mount = key.mount, name = key.name, latest = key.latest_version,
                  reason = std::move(reason)](Token&) -> Status {
    const Actor actor{"coffer", reason};
    const Edit edit = [&](Token& token, Key& current, std::vector<int>& new_versions) -> Status {
      if (current.latest_version != latest) {
        return Fail(Code::kConflict, "key was rotated meanwhile");
      }
      return RotateEdit(token, current, new_versions, actor);
    };
    const auto rotated =
        RotateUnasked(mount, name, reason, [&] { return ChangeKey(mount, name, edit); });
    if (!rotated && rotated.error().code != Code::kConflict) {
      logger.Log(LogLevel::kError, "keyring", "failed to rotate a key at its encryption limit",
                 {{"key", name}, {"why", rotated.error().message}});
    }
    return {};
  });
}

Status KeyRing::Impl::Reserve(const Key& key, const KeyVersion& version, std::int64_t count) {
  EncryptionCounter& counter = *version.counter;
  if (TakeFromBlock(counter, count)) return {};
  const std::lock_guard lock(reserve_mutex);
  while (!TakeFromBlock(counter, count)) {
    COFFER_ASSIGN(const store::Reserved reserved,
                  store::ReserveEncryptions(database, key.id, version.info.version,
                                            std::max(kCountBlock, count), kRefuseAt));
    if (reserved.granted == 0) {
      return Fail(Refusal::kVersionExhausted, {.given = version.info.version});
    }
    counter.reserved.store(reserved.mark);
    counter.left_in_block.fetch_add(reserved.granted);
    if (reserved.mark >= kRotateAt && version.info.version == key.latest_version) {
      AskForRotation(key, "encryption limit");
    }
  }
  return {};
}

Status KeyRing::Impl::TokenRandom(Worker& worker, MutableBytes out) {
  Status done = worker.token->Random(out);
  if (!done && IsDoubtful(done.error())) {
    COFFER_TRY(Judge(worker, done.error()));
    done = worker.token->Random(out);
  }
  return done;
}

Status KeyRing::Impl::DrawFromToken(Worker& worker, MutableBytes out) {
  if (out.size() > worker.drawn.size()) return TokenRandom(worker, out);
  if (out.size() > worker.drawn_left) {
    worker.drawn_left = 0;
    COFFER_TRY(TokenRandom(worker, worker.drawn));
    worker.drawn_left = worker.drawn.size();
  }
  const auto next = worker.drawn.end() - static_cast<std::ptrdiff_t>(worker.drawn_left);
  std::copy_n(next, out.size(), out.begin());
  worker.drawn_left -= out.size();
  return {};
}

Result<Bytes> KeyRing::Impl::DrawNonces(Worker& worker, std::size_t count) {
  Bytes nonces(count * kNonceOctets);
  COFFER_TRY(DrawFromToken(worker, nonces));
  Bytes kernel(nonces.size());
  random.Fill(kernel);
  for (std::size_t i = 0; i < nonces.size(); ++i) nonces[i] ^= kernel[i];
  return nonces;
}

// HMAC-SHA256(K_nonce, be64(length of aad) || aad || plaintext): its first 12 bytes are the nonce.
// Equal nonces therefore mean equal messages under the same key.
Result<Mac> KeyRing::Impl::ConvergentNonce(Worker& worker, const Key& key, const Encryption& item) {
  COFFER_ASSIGN(const TokenHandle handle,
                DerivedHandleFor(worker, key, *item.version, DerivedUse::kNonce, item.context));
  SecretBytes input(8 + item.aad.size() + item.plaintext.size());
  const MutableBytes out = input.RevealMutable();
  for (std::size_t i = 0; i < 8; ++i) {
    out[i] = static_cast<std::uint8_t>(std::uint64_t{item.aad.size()} >> (56 - 8 * i));
  }
  std::ranges::copy(item.aad, out.begin() + 8);
  std::ranges::copy(item.plaintext, out.begin() + 8 + static_cast<std::ptrdiff_t>(item.aad.size()));
  Mac mac{};
  COFFER_ASSIGN(const std::size_t octets,
                worker.token->Sign(handle, {SignMechanism::Kind::kHmac}, input.Reveal(), mac));
  if (octets != mac.size()) {
    return Fail(Code::kTokenFailed, "token returned a MAC of the wrong length");
  }
  return mac;
}

Status KeyRing::Impl::EncryptOne(Worker& worker, const Key& key, Encryption& item,
                                 ByteView random_nonce) {
  COFFER_ASSIGN(const TokenHandle handle,
                CipherHandleFor(worker, key, *item.version, item.context));
  Mac convergent{};
  if (key.convergent) {
    COFFER_ASSIGN(convergent, ConvergentNonce(worker, key, item));
  }
  const ByteView nonce = key.convergent ? ByteView(convergent).first(kNonceOctets) : random_nonce;
  item.payload.resize(kNonceOctets + item.plaintext.size() + pkcs11::kAeadTagBytes);
  std::copy(nonce.begin(), nonce.end(), item.payload.begin());
  const MutableBytes sealed = MutableBytes(item.payload).subspan(kNonceOctets);
  return worker.token->Encrypt(handle, key.Info().cipher(), nonce, item.aad, item.plaintext,
                               sealed);
}

Status KeyRing::Encrypt(std::size_t worker, const Key& key, std::span<Encryption> items) {
  Impl::Worker& own = impl_->WorkerAt(worker);
  COFFER_TRY(impl_->Refresh(own));
  if (key.settings.rotation_required) return Fail(Refusal::kRotationRequired);
  COFFER_ASSIGN(const Bytes nonces, impl_->DrawNonces(own, items.size()));
  for (std::size_t i = 0; i < items.size(); ++i) {
    Encryption& item = items[i];
    if (item.version == nullptr) continue;  // its caller has set the error already
    if (const Status reserved = impl_->Reserve(key, *item.version, 1); !reserved) {
      if (reserved.error().refusal != Refusal::kVersionExhausted) return Fail(reserved.error());
      item.error = reserved.error();
      continue;
    }
    const ByteView nonce = ByteView(nonces).subspan(i * kNonceOctets, kNonceOctets);
    Status done = impl_->EncryptOne(own, key, item, nonce);
    if (!done && IsDoubtful(done.error())) {
      COFFER_TRY(impl_->Judge(own, done.error()));
      // A second try takes a fresh nonce: the outcome of the first one is unknown, and it may have
      // used its nonce.
      COFFER_ASSIGN(const Bytes fresh, impl_->DrawNonces(own, 1));
      done = impl_->EncryptOne(own, key, item, fresh);
    }
    if (!done && done.error().code == Code::kTokenLost) return Fail(std::move(done).error());
    if (!done) item.error = std::move(done).error();
  }
  return {};
}

Result<SecretBytes> KeyRing::Decrypt(std::size_t worker, const Key& key, const KeyVersion& version,
                                     ByteView payload, ByteView aad, ByteView context) {
  if (payload.size() < kNonceOctets + pkcs11::kAeadTagBytes) {
    return Fail(Refusal::kCiphertextLength);
  }
  Impl::Worker& own = impl_->WorkerAt(worker);
  const ByteView nonce = payload.first(kNonceOctets);
  const ByteView sealed = payload.subspan(kNonceOctets);
  SecretBytes plaintext(sealed.size());  // the token needs room for the tag, too
  COFFER_TRY(impl_->Attempt(own, [&]() -> Status {
    COFFER_ASSIGN(const TokenHandle handle, impl_->CipherHandleFor(own, key, version, context));
    return own.token->Decrypt(handle, key.Info().cipher(), nonce, aad, sealed,
                              plaintext.RevealMutable());
  }));
  plaintext.Truncate(sealed.size() - pkcs11::kAeadTagBytes);
  return plaintext;
}

Status KeyRing::Random(std::size_t worker, MutableBytes out) {
  Impl::Worker& own = impl_->WorkerAt(worker);
  COFFER_TRY(impl_->Refresh(own));
  return impl_->TokenRandom(own, out);
}

}  // namespace coffer::keyring
