#include "p256_table.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "openssl_scope.h"

namespace coffer::crypto {
namespace {

using GroupPointer = std::unique_ptr<EC_GROUP, FreeWith<::EC_GROUP_free>>;
using PointPointer = std::unique_ptr<EC_POINT, FreeWith<::EC_POINT_free>>;
using NumbersPointer = std::unique_ptr<BN_CTX, FreeWith<::BN_CTX_free>>;

constexpr std::size_t kWidth = 32;

std::atomic<int> tables{0};

// A table can be asked for of a group's generator only. OpenSSL 3 calls the function deprecated
// and has no other.
bool MakeTable(EC_GROUP* group, BN_CTX* numbers) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  return ::EC_GROUP_precompute_mult(group, numbers) == 1 &&
         ::EC_GROUP_have_precompute_mult(group) == 1;
#pragma GCC diagnostic pop
}

// Numbers that live as long as the frame.
class Numbers {
 public:
  Numbers() : context_(::BN_CTX_new()) {
    if (context_) ::BN_CTX_start(context_.get());
  }
  Numbers(const Numbers&) = delete;
  Numbers& operator=(const Numbers&) = delete;
  ~Numbers() {
    if (context_) ::BN_CTX_end(context_.get());
  }
  BN_CTX* Context() const { return context_.get(); }
  BIGNUM* Get() { return context_ ? ::BN_CTX_get(context_.get()) : nullptr; }
  // Null where it cannot be had.
  BIGNUM* Read(ByteView octets) {
    BIGNUM* const number = Get();
    if (number == nullptr) return nullptr;
    return ::BN_bin2bn(octets.data(), static_cast<int>(octets.size()), number);
  }

 private:
  NumbersPointer context_;
};

}  // namespace

struct P256Table::Groups {
  GroupPointer curve;  // with its own generator
  GroupPointer own;    // the same curve; the public point is the generator
};

P256Table::P256Table(std::unique_ptr<Groups> groups) : groups_(std::move(groups)) {}
P256Table::~P256Table() { tables.fetch_sub(1); }

std::unique_ptr<P256Table> P256Table::Make(ByteView point) {
  const ErrorMark mark;
  if (tables.fetch_add(1) >= kMost) {
    tables.fetch_sub(1);
    return nullptr;
  }
  // From here on its destructor counts it out.
  std::unique_ptr<P256Table> table(new P256Table(std::make_unique<Groups>()));
  Groups& groups = *table->groups_;
  groups.curve.reset(::EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  groups.own.reset(::EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  const Numbers numbers;
  if (!groups.curve || !groups.own || numbers.Context() == nullptr) return nullptr;
  const PointPointer generator(::EC_POINT_new(groups.own.get()));
  const bool made =
      generator &&
      ::EC_POINT_oct2point(groups.own.get(), generator.get(), point.data(), point.size(),
                           numbers.Context()) == 1 &&
      ::EC_POINT_is_at_infinity(groups.own.get(), generator.get()) == 0 &&
      ::EC_GROUP_set_generator(groups.own.get(), generator.get(),
                               ::EC_GROUP_get0_order(groups.curve.get()), ::BN_value_one()) == 1 &&
      MakeTable(groups.own.get(), numbers.Context());
  return made ? std::move(table) : nullptr;
}

bool P256Table::Confirms(ByteView digest, ByteView signature) const {
  if (signature.size() != 2 * kWidth) return false;
  const ErrorMark mark;
  const EC_GROUP* const curve = groups_->curve.get();
  const BIGNUM* const order = ::EC_GROUP_get0_order(curve);
  Numbers numbers;
  BIGNUM* const r = numbers.Read(signature.first(kWidth));
  BIGNUM* const s = numbers.Read(signature.last(kWidth));
  BIGNUM* const e = numbers.Read(digest.first(std::min(digest.size(), kWidth)));
  BIGNUM* const w = numbers.Get();
  BIGNUM* const x = numbers.Get();
  const PointPointer of_generator(::EC_POINT_new(curve));
  const PointPointer of_point(::EC_POINT_new(curve));
  if (r == nullptr || s == nullptr || e == nullptr || w == nullptr || x == nullptr ||
      !of_generator || !of_point) {
    return false;
  }
  const auto in_range = [order](const BIGNUM* number) {
    return ::BN_is_zero(number) == 0 && ::BN_cmp(number, order) < 0;
  };
  if (!in_range(r) || !in_range(s)) return false;
  BN_CTX* const context = numbers.Context();
  // w = 1/s, R = (e w) G + (r w) Q, and the signature holds where R's x is r.
  return ::BN_mod_inverse(w, s, order, context) != nullptr &&
         ::BN_mod_mul(e, e, w, order, context) == 1 && ::BN_mod_mul(w, r, w, order, context) == 1 &&
         ::EC_POINT_mul(curve, of_generator.get(), e, nullptr, nullptr, context) == 1 &&
         ::EC_POINT_mul(groups_->own.get(), of_point.get(), w, nullptr, nullptr, context) == 1 &&
         ::EC_POINT_add(curve, of_point.get(), of_generator.get(), of_point.get(), context) == 1 &&
         ::EC_POINT_is_at_infinity(curve, of_point.get()) == 0 &&
         ::EC_POINT_get_affine_coordinates(curve, of_point.get(), x, nullptr, context) == 1 &&
         ::BN_nnmod(x, x, order, context) == 1 && ::BN_cmp(x, r) == 0;
}

}  // namespace coffer::crypto
