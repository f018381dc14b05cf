#include "p256_table.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include <algorithm>
#include <array>
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

// So many share one inversion: it is cheap for each, and little memory is held.
constexpr std::size_t kAtOnce = 128;

// OpenSSL 3 calls these two deprecated and has no others: a table can be asked for of a group's
// generator only, and an affine x takes a division.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
bool MakeTable(EC_GROUP* group, BN_CTX* numbers) {
  return ::EC_GROUP_precompute_mult(group, numbers) == 1 &&
         ::EC_GROUP_have_precompute_mult(group) == 1;
}

// The affine x is x / z^2.
bool GetProjective(const EC_GROUP* curve, const EC_POINT* point, BIGNUM* x, BIGNUM* z,
                   BN_CTX* numbers) {
  return ::EC_POINT_get_Jprojective_coordinates_GFp(curve, point, x, nullptr, z, numbers) == 1;
}
#pragma GCC diagnostic pop

// Numbers that are the context's again at the end of the frame; null where there is none left.
class Frame {
 public:
  explicit Frame(BN_CTX* context) : context_(context) { ::BN_CTX_start(context); }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;
  ~Frame() { ::BN_CTX_end(context_); }
  BIGNUM* Get() const { return ::BN_CTX_get(context_); }

 private:
  BN_CTX* context_;
};

bool Read(BIGNUM* number, ByteView octets) {
  return number != nullptr &&
         ::BN_bin2bn(octets.data(), static_cast<int>(octets.size()), number) != nullptr;
}

// Confirms up to kAtOnce signatures. What fails for want of memory stays unconfirmed.
class Confirmation {
 public:
  // `own`: the same curve with the public point for its generator.
  Confirmation(const EC_GROUP* curve, const EC_GROUP* own, BN_CTX* context)
      : curve_(curve),
        own_(own),
        order_(::EC_GROUP_get0_order(curve)),
        field_(::EC_GROUP_get0_field(curve)),
        context_(context),
        of_generator_(::EC_POINT_new(curve)),
        of_point_(::EC_POINT_new(curve)) {}

  void Run(std::span<SignedDigest> batch) {
    struct Candidate {
      SignedDigest* item = nullptr;
      const BIGNUM* s = nullptr;
      const BIGNUM* before = nullptr;  // the product of every s before it
    };
    std::array<Candidate, kAtOnce> candidates;
    std::size_t count = 0;
    const BIGNUM* product = ::BN_value_one();
    for (SignedDigest& item : batch) {
      item.confirmed = false;
      if (item.signature.size() != 2 * kWidth) continue;
      BIGNUM* const s = frame_.Get();
      BIGNUM* const with = frame_.Get();
      if (with == nullptr || !Read(s, item.signature.last(kWidth))) return;
      if (!InRange(s)) continue;  // one zero would leave none of the product
      if (!Multiply(with, product, s)) return;
      candidates.at(count++) = {&item, s, product};
      product = with;
    }
    // One inverse for all: of the product, from which each s in turn, last first, is taken away.
    BIGNUM* const inverse = frame_.Get();
    BIGNUM* const w = frame_.Get();
    if (count == 0 || w == nullptr ||
        ::BN_mod_inverse(inverse, product, order_, context_) == nullptr) {
      return;
    }
    while (count > 0) {
      const Candidate& last = candidates.at(--count);
      if (!Multiply(w, inverse, last.before) || !Multiply(inverse, inverse, last.s)) return;
      last.item->confirmed = Holds(*last.item, w);
    }
  }

 private:
  bool InRange(const BIGNUM* number) const {
    return ::BN_is_zero(number) == 0 && ::BN_cmp(number, order_) < 0;
  }
  bool Multiply(BIGNUM* to, const BIGNUM* a, const BIGNUM* b) const {
    return ::BN_mod_mul(to, a, b, order_, context_) == 1;
  }

  // With w = 1 / s, R = (e w) G + (r w) Q: the signature holds where R's x is r.
  bool Holds(const SignedDigest& item, const BIGNUM* w) {
    const Frame frame(context_);
    BIGNUM* const r = frame.Get();
    BIGNUM* const e = frame.Get();
    BIGNUM* const v = frame.Get();
    EC_POINT* const sum = of_point_.get();
    return of_generator_ && sum != nullptr && v != nullptr &&
           Read(r, item.signature.first(kWidth)) && InRange(r) &&
           Read(e, item.digest.first(std::min(item.digest.size(), kWidth))) && Multiply(e, e, w) &&
           Multiply(v, r, w) &&
           ::EC_POINT_mul(curve_, of_generator_.get(), e, nullptr, nullptr, context_) == 1 &&
           ::EC_POINT_mul(own_, sum, v, nullptr, nullptr, context_) == 1 &&
           ::EC_POINT_add(curve_, sum, of_generator_.get(), sum, context_) == 1 &&
           ::EC_POINT_is_at_infinity(curve_, sum) == 0 && HasX(sum, r);
  }

  // Whether the point's x is r modulo the order; changes r.
  bool HasX(const EC_POINT* point, BIGNUM* r) {
    const Frame frame(context_);
    BIGNUM* const x = frame.Get();
    BIGNUM* const z = frame.Get();
    BIGNUM* const wanted = frame.Get();
    if (wanted == nullptr || !GetProjective(curve_, point, x, z, context_) ||
        ::BN_mod_sqr(z, z, field_, context_) != 1) {
      return false;
    }
    const auto is_x = [&] {
      return ::BN_mod_mul(wanted, r, z, field_, context_) == 1 && ::BN_cmp(wanted, x) == 0;
    };
    // Between the order and the field's there is room for one more x with the same remainder.
    return is_x() || (::BN_add(r, r, order_) == 1 && ::BN_cmp(r, field_) < 0 && is_x());
  }

  const EC_GROUP* curve_;
  const EC_GROUP* own_;
  const BIGNUM* order_;
  const BIGNUM* field_;
  BN_CTX* context_;
  const Frame frame_{context_};
  const PointPointer of_generator_;
  const PointPointer of_point_;
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
  const NumbersPointer numbers(::BN_CTX_new());
  if (!groups.curve || !groups.own || !numbers) return nullptr;
  const PointPointer generator(::EC_POINT_new(groups.own.get()));
  const bool made =
      generator &&
      ::EC_POINT_oct2point(groups.own.get(), generator.get(), point.data(), point.size(),
                           numbers.get()) == 1 &&
      ::EC_POINT_is_at_infinity(groups.own.get(), generator.get()) == 0 &&
      ::EC_GROUP_set_generator(groups.own.get(), generator.get(),
                               ::EC_GROUP_get0_order(groups.curve.get()), ::BN_value_one()) == 1 &&
      MakeTable(groups.own.get(), numbers.get());
  return made ? std::move(table) : nullptr;
}

void P256Table::Confirm(std::span<SignedDigest> batch) const {
  const ErrorMark mark;
  const NumbersPointer numbers(::BN_CTX_new());
  if (!numbers) return;
  while (!batch.empty()) {
    const std::size_t count = std::min(batch.size(), kAtOnce);
    Confirmation(groups_->curve.get(), groups_->own.get(), numbers.get()).Run(batch.first(count));
    batch = batch.subspan(count);
  }
}

}  // namespace coffer::crypto
