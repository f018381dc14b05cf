#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "coffer/base/bytes.h"
#include "coffer/crypto/public_key.h"

namespace coffer::crypto {

// Multiples of one public point on P-256, by which a signature is checked in half the time that
// OpenSSL takes: it has such a table for the generator only. Some 150 KB. Immutable and
// thread-safe.
class P256Table {
 public:
  // Takes some 20 ms. `point`: SEC 1, uncompressed, on the curve. Null where there are kMost tables
  // already or OpenSSL cannot make one.
  static std::unique_ptr<P256Table> Make(ByteView point);
  ~P256Table();
  P256Table(const P256Table&) = delete;
  P256Table& operator=(const P256Table&) = delete;

  // Sets `confirmed` where the signature is the point's for the digest (FIPS 186-4 6.4), of each by
  // itself. The more at once, the cheaper each.
  void Confirm(std::span<SignedDigest> batch) const;

  static constexpr int kMost = 64;

 private:
  struct Groups;
  explicit P256Table(std::unique_ptr<Groups> groups);
  std::unique_ptr<Groups> groups_;
};

}  // namespace coffer::crypto
