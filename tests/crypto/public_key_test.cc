#include "coffer/crypto/public_key.h"

#include <gtest/gtest.h>
#include <openssl/bn.h>

#include <memory>

#include "coffer/base/base64.h"
#include "fakes/vectors.h"

namespace coffer::crypto {
namespace {

using fakes::FromHex;

// RFC 8032 7.1, test 2.
constexpr std::string_view kEdKey =
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
constexpr std::string_view kEdSignature =
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

// FIPS 186-4's generator of P-256, which is a public key like any other.
const std::string kPoint =
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

TEST(PublicKeyTest, VerifiesWhatTheStandardSigned) {
  const auto key = PublicKey::FromEd25519(FromHex(kEdKey));
  ASSERT_TRUE(key);
  const Bytes message{0x72};
  Bytes signature = FromHex(kEdSignature);
  EXPECT_TRUE((*key)->VerifyEd25519(message, signature));
  EXPECT_FALSE((*key)->VerifyEd25519({}, signature));
  signature[63] ^= 1;
  EXPECT_FALSE((*key)->VerifyEd25519(message, signature));
  EXPECT_FALSE((*key)->VerifyEd25519(message, {}));
  EXPECT_FALSE((*key)->VerifyEcdsa(message, signature)) << "of another kind";
  EXPECT_EQ((*key)->Raw(), FromHex(kEdKey));
}

TEST(PublicKeyTest, GoesThroughSpkiAndPemAndBack) {
  const auto key = PublicKey::FromEcPoint(Curve::kP256, FromHex("0441" + kPoint));
  ASSERT_TRUE(key);
  EXPECT_EQ((*key)->kind(), PublicKey::Kind::kEcdsa);
  EXPECT_EQ((*key)->Bits(), 256);
  const auto again = PublicKey::FromSpki((*key)->Spki());
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->Pem(), (*key)->Pem());
  const auto from_pem = PublicKey::FromPem((*key)->Pem());
  ASSERT_TRUE(from_pem);
  EXPECT_EQ((*from_pem)->Spki(), (*key)->Spki());
}

TEST(PublicKeyTest, RefusesWhatIsNoKeyOrOneItDoesNotUse) {
  const Bytes spki = (*PublicKey::FromEcPoint(Curve::kP256, FromHex("0441" + kPoint)))->Spki();
  for (std::size_t size = 0; size < spki.size(); ++size) {
    EXPECT_FALSE(PublicKey::FromSpki(ByteView(spki).first(size))) << size;
  }
  Bytes longer = spki;
  longer.push_back(0);
  EXPECT_FALSE(PublicKey::FromSpki(longer));
  std::string off_curve = kPoint;
  off_curve.back() = '6';
  EXPECT_FALSE(PublicKey::FromEcPoint(Curve::kP256, FromHex("0441" + off_curve)));
  EXPECT_FALSE(PublicKey::FromEcPoint(Curve::kP384, FromHex("0441" + kPoint)));
  EXPECT_FALSE(PublicKey::FromEcPoint(Curve::kP256, FromHex(kPoint))) << "no octet string";
  EXPECT_FALSE(PublicKey::FromEd25519(Bytes(31)));
  EXPECT_FALSE(PublicKey::FromPem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"));
  Bytes small(128, 0xff);
  const Bytes exponent{1, 0, 1};
  EXPECT_FALSE(PublicKey::FromRsa(small, exponent)) << "1024 bits";
  // secp256k1's SubjectPublicKeyInfo: a curve that this server does not know.
  EXPECT_FALSE(PublicKey::FromSpki(
      FromHex("3056301006072a8648ce3d020106052b8104000a03420004"
              "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
              "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8")));
}

TEST(PublicKeyTest, RsaNumbersAreAsLongAsTheModulusAndBelowIt) {
  Bytes modulus(256, 0xff);
  const Bytes exponent{1, 0, 1};
  const auto key = PublicKey::FromRsa(modulus, exponent);
  ASSERT_TRUE(key);
  EXPECT_FALSE((*key)->InRange(modulus));
  EXPECT_FALSE((*key)->InRange(Bytes(255)));
  EXPECT_FALSE((*key)->InRange(Bytes(257)));
  modulus.back() = 0xfe;
  EXPECT_TRUE((*key)->InRange(modulus));
  EXPECT_TRUE((*key)->InRange(Bytes(256)));
  EXPECT_TRUE((*key)->EncryptOaep(HashAlgorithm::kSha256, Bytes(190)));
  EXPECT_FALSE((*key)->EncryptOaep(HashAlgorithm::kSha256, Bytes(191)));
}

TEST(PublicKeyTest, RefusesRsaNumbersThatNoKeyHas) {
  const Bytes usual{1, 0, 1};
  const Bytes modulus(256, 0xff);
  ASSERT_TRUE(PublicKey::FromRsa(modulus, usual));
  for (const char* const exponent :
       {"00", "01", "03", "11", "ffff", "010000", "010002", "020000"}) {
    EXPECT_FALSE(PublicKey::FromRsa(modulus, FromHex(exponent))) << exponent;
  }
  EXPECT_TRUE(PublicKey::FromRsa(modulus, FromHex("010003")));
  EXPECT_TRUE(PublicKey::FromRsa(modulus, Bytes(8, 0xff)));
  EXPECT_FALSE(PublicKey::FromRsa(modulus, Bytes(9, 0xff))) << "above 2^64";
  Bytes power(257);
  power.front() = 1;
  EXPECT_FALSE(PublicKey::FromRsa(power, usual)) << "2^2048";
  Bytes even = modulus;
  even.back() = 0xfe;
  EXPECT_FALSE(PublicKey::FromRsa(even, usual));
}

TEST(PublicKeyTest, TellsAModulusOfTwoPrimesFromOneThatIsNone) {
  using Number = std::unique_ptr<BIGNUM, decltype(&BN_free)>;
  const auto number = [] { return Number(BN_new(), &BN_free); };
  const Number p = number();
  const Number q = number();
  const Number product = number();
  const std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)> context(BN_CTX_new(), &BN_CTX_free);
  const auto sound = [](const Number& modulus) {
    Bytes octets(static_cast<std::size_t>(BN_num_bytes(modulus.get())));
    BN_bn2bin(modulus.get(), octets.data());
    const auto key = PublicKey::FromRsa(octets, Bytes{1, 0, 1});
    return key && (*key)->IsSound();
  };
  ASSERT_EQ(BN_generate_prime_ex(p.get(), 1024, 0, nullptr, nullptr, nullptr), 1);
  ASSERT_EQ(BN_generate_prime_ex(q.get(), 1026, 0, nullptr, nullptr, nullptr), 1);
  ASSERT_EQ(BN_mul(product.get(), p.get(), q.get(), context.get()), 1);
  EXPECT_TRUE(sound(product));
  ASSERT_EQ(BN_mul(product.get(), q.get(), q.get(), context.get()), 1);
  EXPECT_FALSE(sound(product)) << "a prime's square";
  ASSERT_EQ(BN_generate_prime_ex(product.get(), 2048, 0, nullptr, nullptr, nullptr), 1);
  EXPECT_FALSE(sound(product)) << "a prime";
  ASSERT_EQ(BN_lshift(product.get(), p.get(), 1025), 1);
  ASSERT_EQ(BN_add_word(product.get(), 1), 1);
  while (BN_mod_word(product.get(), 3) != 0) BN_add_word(product.get(), 2);
  EXPECT_FALSE(sound(product)) << "a multiple of 3";
}

TEST(EcdsaSignatureTest, ChangesBetweenItsTwoForms) {
  Bytes fixed(64);
  fixed[31] = 0x80;
  fixed[63] = 1;
  const Bytes der = EcdsaToDer(fixed);
  EXPECT_EQ(ToHex(der), "300702020080020101");
  EXPECT_EQ(*EcdsaFromDer(der, 32), fixed);
}

TEST(EcdsaSignatureTest, RefusesWhatIsNotDer) {
  const auto refusal = [](std::string_view hex) {
    const auto fixed = EcdsaFromDer(FromHex(hex), 32);
    return fixed ? Refusal::kNone : fixed.error().refusal;
  };
  EXPECT_EQ(refusal("300702020080020101"), Refusal::kNone);
  EXPECT_EQ(refusal("30070202008002010100"), Refusal::kSignatureHasMore);
  EXPECT_EQ(refusal("3007020200800201"), Refusal::kSignatureMalformed);
  EXPECT_EQ(refusal("30810702020080020101"), Refusal::kSignatureMalformed) << "a length not DER";
  EXPECT_EQ(refusal("3006020180020101"), Refusal::kSignatureMalformed) << "a negative number";
  EXPECT_EQ(refusal(""), Refusal::kSignatureMalformed);
}

}  // namespace
}  // namespace coffer::crypto
