#include "coffer/crypto/ecdsa.h"

#include <gtest/gtest.h>

#include <string>

#include "fakes/software_signer.h"

namespace coffer::crypto {
namespace {

Bytes Octets(std::string_view hex) {
  Bytes out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<std::uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

// RFC 6979, A.2.5: P-256 with SHA-256, message "sample".
TEST(EcdsaP256Key, AcceptsTheSignatureOfRfc6979) {
  const auto key = EcdsaP256Key::FromPoint(
      Octets("04"
             "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
             "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"));
  ASSERT_TRUE(key) << key.error().message;
  Bytes signature = Octets(
      "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
      "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8");
  EXPECT_TRUE(key->Verify(AsBytes("sample"), signature));
  EXPECT_FALSE(key->Verify(AsBytes("sampl"), signature));
  signature[40] ^= 1;
  EXPECT_FALSE(key->Verify(AsBytes("sample"), signature));
}

TEST(EcdsaP256Key, RefusesSignaturesOfAnyOtherLength) {
  const fakes::SoftwareSigner signer;
  const auto key = EcdsaP256Key::FromDer(signer.PublicKey());
  ASSERT_TRUE(key);
  Bytes signature = signer.Sign(AsBytes("x"));
  EXPECT_TRUE(key->Verify(AsBytes("x"), signature));
  for (const std::size_t size : {0U, 1U, 63U, 65U, 128U}) {
    Bytes other = signature;
    other.resize(size);
    EXPECT_FALSE(key->Verify(AsBytes("x"), other)) << size;
  }
  EXPECT_FALSE(key->Verify(AsBytes("x"), Bytes(64)));
}

TEST(EcdsaP256Key, ComesBackFromPemAndDer) {
  const fakes::SoftwareSigner signer;
  const auto key = EcdsaP256Key::FromDer(signer.PublicKey());
  ASSERT_TRUE(key);
  const auto again = EcdsaP256Key::FromPem(key->Pem());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->Der(), signer.PublicKey());
}

TEST(EcdsaP256Key, RefusesWhatIsNoKeyOnTheCurve) {
  EXPECT_FALSE(EcdsaP256Key::FromPem(""));
  EXPECT_FALSE(EcdsaP256Key::FromPem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"));
  EXPECT_FALSE(EcdsaP256Key::FromDer({}));
  EXPECT_FALSE(EcdsaP256Key::FromPoint(Bytes(65, 4)));
  Bytes longer = fakes::SoftwareSigner().PublicKey();
  longer.push_back(0);
  EXPECT_FALSE(EcdsaP256Key::FromDer(longer));
  EVP_PKEY* const other = ::EVP_EC_gen("P-384");
  unsigned char* der = nullptr;
  const int size = ::i2d_PUBKEY(other, &der);
  EXPECT_FALSE(EcdsaP256Key::FromDer(Bytes(der, der + size)));
  ::OPENSSL_free(der);
  ::EVP_PKEY_free(other);
}

}  // namespace
}  // namespace coffer::crypto
