// NIST's vectors for secret keys (CAVP, SP 800-38B, RFC 4231, SP 800-38F), as Debian's
// python3-cryptography-vectors has them.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "keyring/planted_key_fixture.h"

namespace coffer::keyring {
namespace {

using fakes::FromHex;
using pkcs11::MechanismType;

using Case = std::map<std::string, std::string>;

std::filesystem::path Vectors() { return "/usr/lib/python3/dist-packages/cryptography_vectors"; }

// The blocks of "Name = value" lines, each with the "[Name = value]" lines above it. A line "FAIL"
// is a name without a value.
std::vector<Case> ReadCases(const std::filesystem::path& file) {
  std::vector<Case> cases;
  Case section;
  Case block;
  const auto split = [](const std::string& line, Case& into) {
    const std::string name = line.substr(0, line.find(' '));
    const auto value = line.find("= ");
    into[name] = value == std::string::npos ? "" : line.substr(value + 2);
  };
  std::ifstream in(file);
  std::string line;
  while (std::getline(in, line) || !block.empty()) {
    if (!in) line.clear();
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (line.starts_with('#')) continue;
    if (line.starts_with('[')) {
      split(line.substr(1, line.size() - 2), section);
    } else if (!line.empty()) {
      split(line, block);
    } else if (!block.empty()) {
      for (const auto& [name, value] : section) block.emplace(name, value);
      cases.push_back(std::move(block));
      block.clear();
    }
  }
  return cases;
}

class NistAnswerTest : public PlantedKeyTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(std::filesystem::exists(Vectors())) << "scripts/install_packages.sh test";
    PlantedKeyTest::SetUp();
  }
  void CheckMac(const Case& test, TokenHandle key, const SignMechanism& how,
                const std::string& message, const std::string& expected) {
    Bytes mac(kMaxSignatureOctets);
    const auto octets = path_->Sign(key, how, FromHex(message), mac);
    path_->Destroy(key);
    ASSERT_TRUE(octets) << octets.error().cause;
    mac.resize(*octets);
    EXPECT_EQ(ToHex(mac), expected) << test.begin()->second;
    ++checked_;
  }
};

TEST_F(NistAnswerTest, AesGcm) {
  for (const char* const name :
       {"gcmEncryptExtIV128", "gcmEncryptExtIV256", "gcmDecrypt128", "gcmDecrypt256"}) {
    for (const Case& test :
         ReadCases(Vectors() / "ciphers/AES/GCM" / (std::string(name) + ".rsp"))) {
      if (test.at("IVlen") != "96") {
        NotApplicable("nonces have 96 bits here");
        continue;
      }
      if (test.at("Taglen") != "128") {
        NotApplicable("tags have 128 bits here");
        continue;
      }
      const TokenHandle key =
          Plant(pkcs11::KeyType::kAes, FromHex(test.at("Key")), MechanismType::kAesGcm);
      const Bytes nonce = FromHex(test.at("IV"));
      const Bytes aad = FromHex(test.at("AAD"));
      const Bytes sealed = FromHex(test.at("CT") + test.at("Tag"));
      Bytes opened(sealed.size());
      EXPECT_EQ(path_->Decrypt(key, Cipher::kAesGcm, nonce, aad, sealed, opened).has_value(),
                !test.contains("FAIL"))
          << name << " " << test.at("Count");
      if (!test.contains("FAIL")) {
        opened.resize(sealed.size() - 16);
        EXPECT_EQ(ToHex(opened), test.at("PT")) << name << " " << test.at("Count");
        Bytes again(sealed.size());
        EXPECT_TRUE(path_->Encrypt(key, Cipher::kAesGcm, nonce, aad, opened, again));
        EXPECT_EQ(again, sealed) << name << " " << test.at("Count");
      }
      path_->Destroy(key);
      ++checked_;
    }
  }
  EXPECT_GT(checked_, 700);
}

TEST_F(NistAnswerTest, Cmac) {
  for (const char* const bits : {"128", "192", "256"}) {
    for (const Case& test :
         ReadCases(Vectors() / "CMAC" / ("nist-800-38b-aes" + std::string(bits) + ".txt"))) {
      CheckMac(test, Plant(pkcs11::KeyType::kAes, FromHex(test.at("KEY")), MechanismType::kAesCmac),
               {SignMechanism::Kind::kCmac}, test.at("MESSAGE"), test.at("OUTPUT"));
    }
  }
  EXPECT_GE(checked_, 12);
}

TEST_F(NistAnswerTest, Hmac) {
  const struct {
    const char* file;
    crypto::HashAlgorithm hash;
    MechanismType mechanism;
  } kFiles[] = {
      {"rfc-4231-sha224.txt", crypto::HashAlgorithm::kSha224, MechanismType::kSha224Hmac},
      {"rfc-4231-sha256.txt", crypto::HashAlgorithm::kSha256, MechanismType::kSha256Hmac},
      {"rfc-4231-sha384.txt", crypto::HashAlgorithm::kSha384, MechanismType::kSha384Hmac},
      {"rfc-4231-sha512.txt", crypto::HashAlgorithm::kSha512, MechanismType::kSha512Hmac}};
  for (const auto& entry : kFiles) {
    for (const Case& test : ReadCases(Vectors() / "HMAC" / entry.file)) {
      if (FromHex(test.at("Key")).size() < crypto::HashSize(entry.hash)) {
        NotApplicable("the token takes HMAC keys as long as the digest, or longer");
        continue;
      }
      CheckMac(test,
               Plant(pkcs11::KeyType::kGenericSecret, FromHex(test.at("Key")), entry.mechanism),
               {SignMechanism::Kind::kHmac, entry.hash, 0}, test.at("Msg"), test.at("MD"));
    }
  }
  EXPECT_GE(checked_, 8);
}

TEST_F(NistAnswerTest, KeyWrapWithPadding) {
  // Not KWP_AD_256_inv: RFC 5649 has the cipher the other way round.
  for (const Case& test : ReadCases(Vectors() / "keywrap/kwtestvectors/KWP_AD_256.txt")) {
    const bool fails = test.contains("FAIL");
    if (!fails && test.at("P").size() % 16 != 0) {
      NotApplicable("keys are whole blocks of 8 octets here: the token pads others with zeros");
      continue;
    }
    const TokenHandle master =
        Plant(pkcs11::KeyType::kAes, FromHex(test.at("K")), MechanismType::kAesKeyWrapPad);
    pkcs11::Attributes readable;
    readable.Add(pkcs11::AttributeType::kClass, pkcs11::ObjectClass::kSecretKey)
        .Add(pkcs11::AttributeType::kKeyType, pkcs11::KeyType::kGenericSecret)
        .Add(pkcs11::AttributeType::kToken, false)
        .Add(pkcs11::AttributeType::kSensitive, false)
        .Add(pkcs11::AttributeType::kExtractable, true);
    const auto key =
        session_->UnwrapKey(MechanismType::kAesKeyWrapPad, master, FromHex(test.at("C")), readable);
    EXPECT_EQ(key.has_value(), !fails) << test.at("COUNT");
    if (key) {
      EXPECT_EQ(ToHex(*session_->GetBytes(*key, pkcs11::AttributeType::kValue)), test.at("P"));
      path_->Destroy(*key);
    }
    path_->Destroy(master);
    ++checked_;
  }
  EXPECT_GT(checked_, 100);
}

}  // namespace
}  // namespace coffer::keyring
