// Public keys that clients bring are refused if nobody could have made them properly.

#include <gtest/gtest.h>

#include <string>

#include "api/service_fixture.h"
#include "fakes/vectors.h"

namespace coffer::api {
namespace {

// One DER element.
Bytes Element(std::uint8_t tag, const Bytes& content) {
  Bytes out{tag};
  if (content.size() > 255) {
    out.insert(out.end(), {0x82, static_cast<std::uint8_t>(content.size() >> 8)});
  } else if (content.size() > 127) {
    out.push_back(0x81);
  }
  out.push_back(static_cast<std::uint8_t>(content.size()));
  out.insert(out.end(), content.begin(), content.end());
  return out;
}

Bytes Joined(Bytes first, const Bytes& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

// A SubjectPublicKeyInfo of RSA (RFC 8017, A.1.1).
std::string RsaPem(const Bytes& modulus, const Bytes& exponent) {
  const Bytes numbers = Joined(Element(2, Joined({0}, modulus)), Element(2, exponent));
  const Bytes algorithm = fakes::FromHex("300d06092a864886f70d0101010500");
  const Bytes bits = Element(3, Joined({0}, Element(0x30, numbers)));
  return "-----BEGIN PUBLIC KEY-----\n" + Base64Encode(Element(0x30, Joined(algorithm, bits))) +
         "\n-----END PUBLIC KEY-----\n";
}

class PublicKeyImportTest : public ServiceTest {
 protected:
  std::string Import(const Bytes& modulus, const Bytes& exponent) {
    const auto answer = Post("transit/keys/k/import",
                             {{"type", "rsa-2048"}, {"public_key", RsaPem(modulus, exponent)}});
    EXPECT_EQ(answer.status, 400);
    return ErrorOf(answer);
  }
};

TEST_F(PublicKeyImportTest, RsaNumbersThatNoKeyHasAreRefused) {
  constexpr std::string_view kNone =
      "error parsing public key: not a PEM of a key type here, or an RSA key with an exponent "
      "below 65537 or an even number";
  Bytes odd(256, 0xff);
  Bytes power(256);
  power.front() = 0x80;
  EXPECT_EQ(Import(odd, {1}), kNone) << "encryption would be no more than padding";
  EXPECT_EQ(Import(odd, {3}), kNone);
  EXPECT_EQ(Import(odd, {1, 0, 0}), kNone);
  EXPECT_EQ(Import(power, {1, 0, 1}), kNone);
  // 2^2048 - 1 is a multiple of 3.
  EXPECT_EQ(Import(odd, {1, 0, 1}),
            "error parsing public key: its modulus is not a product of two large primes");
  EXPECT_EQ(Get("transit/keys/k").status, 404);
}

}  // namespace
}  // namespace coffer::api
