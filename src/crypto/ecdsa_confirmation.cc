#include <openssl/core_names.h>

#include <algorithm>
#include <array>

#include "public_key_handle.h"

namespace coffer::crypto {

void PublicKey::ConfirmEcdsa(std::span<SignedDigest> batch) const {
  constexpr std::uint64_t kPays = 4096;
  const std::size_t width = static_cast<std::size_t>(bits_ + 7) / 8;
  for (SignedDigest& one : batch) one.confirmed = false;
  if (kind_ != Kind::kEcdsa) return;
  if (const P256Table* const table = handle_->table.load(std::memory_order_acquire)) {
    table->Confirm(batch);
  } else {
    const std::uint64_t before =
        handle_->confirmed_without.fetch_add(batch.size(), std::memory_order_relaxed);
    if (before / kPays != (before + batch.size()) / kPays) {
      handle_->table_is_due.store(true, std::memory_order_relaxed);
    }
  }
  // What the table does not confirm OpenSSL's own verification has the last word on.
  for (SignedDigest& one : batch) {
    if (one.confirmed || one.signature.size() != 2 * width) continue;
    one.confirmed = VerifyEcdsa(one.digest, EcdsaToDer(one.signature));
  }
}

bool PublicKey::ConfirmEcdsa(ByteView digest, ByteView signature) const {
  SignedDigest one{digest, signature};
  ConfirmEcdsa({&one, 1});
  return one.confirmed;
}

bool PublicKey::TableIsDue() const {
  if (!handle_->table_is_due.load(std::memory_order_relaxed)) return false;
  return handle_->table_is_due.exchange(false, std::memory_order_relaxed) && bits_ == 256 &&
         !HasTable();
}

void PublicKey::MakeTable() const {
  const ErrorMark mark;
  if (kind_ != Kind::kEcdsa || bits_ != 256 || HasTable()) return;
  std::array<std::uint8_t, 65> point{};
  std::size_t size = 0;
  if (::EVP_PKEY_get_octet_string_param(handle_->key.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                        point.size(), &size) != 1) {
    return;
  }
  std::unique_ptr<P256Table> made = P256Table::Make(ByteView(point).first(size));
  const P256Table* none = nullptr;
  if (made && handle_->table.compare_exchange_strong(none, made.get())) {
    static_cast<void>(made.release());  // the handle's now
  }
}

bool PublicKey::HasTable() const {
  return handle_->table.load(std::memory_order_relaxed) != nullptr;
}

}  // namespace coffer::crypto
