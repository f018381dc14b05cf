// Project Wycheproof's vectors for secret keys. They are not part of this tree: COFFER_VECTORS
// names their folder, else it is looked for beside the checkout.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "coffer/crypto/rsa_padding.h"
#include "keyring/planted_key_fixture.h"

namespace coffer::keyring {
namespace {

using nlohmann::json;
using pkcs11::Attributes;
using pkcs11::AttributeType;
using pkcs11::MechanismType;

Bytes BytesOf(const json& text) { return fakes::FromHex(text.get_ref<const std::string&>()); }

std::filesystem::path WycheproofVectors() { return fakes::WycheproofFolder(COFFER_SOURCE_DIR); }

class KnownAnswerTest : public PlantedKeyTest {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(WycheproofVectors() / "aes_gcm_test.json")) {
      GTEST_SKIP() << "no vectors: COFFER_VECTORS names no folder of Project Wycheproof's";
    }
    PlantedKeyTest::SetUp();
  }
  // Calls `test` for each of a file's tests with its group; it says whether the answer agreed.
  void Walk(const std::string& file,
            const std::function<bool(const json& group, const json& test)>& check) {
    std::ifstream in(WycheproofVectors() / file);
    const json all = json::parse(in);
    for (const json& group : all["testGroups"]) {
      for (const json& test : group["tests"]) {
        if (!check(group, test)) continue;
        ++checked_;
      }
    }
  }
  // A "valid" test must succeed and an "invalid" one fail; "acceptable" may do either.
  bool Agree(const std::string& file, const json& test, bool succeeded) {
    const std::string result = test["result"];
    EXPECT_TRUE(result == "acceptable" || succeeded == (result == "valid"))
        << file << " " << test["tcId"] << " " << test["comment"];
    return true;
  }
};

TEST_F(KnownAnswerTest, AesGcm) {
  const std::string file = "aes_gcm_test.json";
  Walk(file, [&](const json& group, const json& test) {
    if (group["ivSize"] != 96) return NotApplicable("nonces have 96 bits here");
    if (group["tagSize"] != 128) return NotApplicable("tags have 128 bits here");
    if (group["keySize"] == 192) return NotApplicable("no key type with 192 bits");
    const TokenHandle key =
        Plant(pkcs11::KeyType::kAes, BytesOf(test["key"]), MechanismType::kAesGcm);
    const Bytes message = BytesOf(test["msg"]);
    Bytes sealed = BytesOf(test["ct"]);
    const Bytes tag = BytesOf(test["tag"]);
    sealed.insert(sealed.end(), tag.begin(), tag.end());
    Bytes opened(sealed.size());
    const bool good = path_
                          ->Decrypt(key, Cipher::kAesGcm, BytesOf(test["iv"]), BytesOf(test["aad"]),
                                    sealed, opened)
                          .has_value();
    if (good) {
      opened.resize(message.size());
      EXPECT_EQ(opened, message) << test["tcId"];
      Bytes again(sealed.size());
      EXPECT_TRUE(path_->Encrypt(key, Cipher::kAesGcm, BytesOf(test["iv"]), BytesOf(test["aad"]),
                                 message, again));
      EXPECT_EQ(again, sealed) << test["tcId"];
    }
    path_->Destroy(key);
    return Agree(file, test, good);
  });
  EXPECT_GT(checked_, 60);
}

TEST_F(KnownAnswerTest, KeyWrapWithPadding) {
  const std::string file = "aes_kwp_test.json";
  Walk(file, [&](const json& group, const json& test) {
    if (group["keySize"] != 256) return NotApplicable("masters have 256 bits");
    const Bytes message = BytesOf(test["msg"]);
    if (message.size() != 16 && message.size() != 24 && message.size() != 32) {
      return NotApplicable("the blob holds no AES key");
    }
    const TokenHandle master =
        Plant(pkcs11::KeyType::kAes, BytesOf(test["key"]), MechanismType::kAesKeyWrapPad);
    Attributes readable;
    readable.Add(AttributeType::kClass, pkcs11::ObjectClass::kSecretKey)
        .Add(AttributeType::kKeyType, pkcs11::KeyType::kAes)
        .Add(AttributeType::kToken, false)
        .Add(AttributeType::kSensitive, false)
        .Add(AttributeType::kExtractable, true);
    const auto key =
        session_->UnwrapKey(MechanismType::kAesKeyWrapPad, master, BytesOf(test["ct"]), readable);
    if (key) {
      EXPECT_EQ(*session_->GetBytes(*key, AttributeType::kValue), message) << test["tcId"];
      path_->Destroy(*key);
    }
    path_->Destroy(master);
    return Agree(file, test, key.has_value());
  });
  EXPECT_GT(checked_, 10);
}

TEST_F(KnownAnswerTest, Hmac) {
  const struct {
    const char* file;
    crypto::HashAlgorithm hash;
    MechanismType mechanism;
  } kFiles[] = {
      {"hmac_sha1_test.json", crypto::HashAlgorithm::kSha1, MechanismType::kSha1Hmac},
      {"hmac_sha224_test.json", crypto::HashAlgorithm::kSha224, MechanismType::kSha224Hmac},
      {"hmac_sha256_test.json", crypto::HashAlgorithm::kSha256, MechanismType::kSha256Hmac},
      {"hmac_sha384_test.json", crypto::HashAlgorithm::kSha384, MechanismType::kSha384Hmac},
      {"hmac_sha512_test.json", crypto::HashAlgorithm::kSha512, MechanismType::kSha512Hmac}};
  for (const auto& entry : kFiles) {
    Walk(entry.file, [&](const json& group, const json& test) {
      const Bytes value = BytesOf(test["key"]);
      if (value.size() < crypto::HashSize(entry.hash)) {
        return NotApplicable("the token takes HMAC keys as long as the digest, or longer");
      }
      if (group["tagSize"] != crypto::HashSize(entry.hash) * 8) {
        return NotApplicable("codes are not cut here");
      }
      const TokenHandle key = Plant(pkcs11::KeyType::kGenericSecret, value, entry.mechanism);
      Bytes mac(kMaxSignatureOctets);
      const auto octets =
          path_->Sign(key, {SignMechanism::Kind::kHmac, entry.hash, 0}, BytesOf(test["msg"]), mac);
      path_->Destroy(key);
      if (!octets) {
        ADD_FAILURE() << octets.error().cause;
        return false;
      }
      mac.resize(*octets);
      return Agree(entry.file, test, mac == BytesOf(test["tag"]));
    });
  }
  EXPECT_GT(checked_, 200);
}

TEST_F(KnownAnswerTest, Cmac) {
  const std::string file = "aes_cmac_test.json";
  Walk(file, [&](const json& group, const json& test) {
    const int bits = group["keySize"];
    if (bits != 128 && bits != 192 && bits != 256) return NotApplicable("no AES key size");
    if (group["tagSize"] < 64) return NotApplicable("codes of less than 64 bits are refused");
    const TokenHandle key =
        Plant(pkcs11::KeyType::kAes, BytesOf(test["key"]), MechanismType::kAesCmac);
    Bytes mac(kMaxSignatureOctets);
    const auto octets = path_->Sign(key, {SignMechanism::Kind::kCmac}, BytesOf(test["msg"]), mac);
    path_->Destroy(key);
    if (!octets) {
      ADD_FAILURE() << octets.error().cause;
      return false;
    }
    mac.resize(BytesOf(test["tag"]).size());
    return Agree(file, test, mac == BytesOf(test["tag"]));
  });
  EXPECT_GT(checked_, 200);
}

TEST_F(KnownAnswerTest, RsaOaep) {
  for (const auto& entry : std::filesystem::directory_iterator(WycheproofVectors())) {
    const std::string file = entry.path().filename();
    if (!file.starts_with("rsa_oaep_")) continue;
    if (file.find("_sha256_mgf1sha256_") == std::string::npos) {
      std::ifstream in(entry.path());
      not_applicable_["OAEP is done with SHA-256 and MGF1 of it only"] +=
          json::parse(in)["numberOfTests"].get<int>();
      continue;
    }
    std::string planted;
    TokenHandle key = 0;
    Walk(file, [&](const json& group, const json& test) {
      if (test["label"] != "") return NotApplicable("labels are empty here");
      if (planted != group["privateKeyPkcs8"]) {
        planted = group["privateKeyPkcs8"];
        // As a key that came wrapped: the token reads PKCS#8 only from under a wrapping key.
        const json& parts = group["privateKey"];
        Attributes attributes;
        attributes.Add(AttributeType::kClass, pkcs11::ObjectClass::kPrivateKey)
            .Add(AttributeType::kKeyType, pkcs11::KeyType::kRsa)
            .Add(AttributeType::kToken, false)
            .Add(AttributeType::kDecrypt, true)
            .AddMechanisms(AttributeType::kAllowedMechanisms, {MechanismType::kRsaX509});
        const std::pair<AttributeType, const char*> kParts[] = {
            {AttributeType::kModulus, "modulus"},
            {AttributeType::kPublicExponent, "publicExponent"},
            {static_cast<AttributeType>(0x123), "privateExponent"},
            {static_cast<AttributeType>(0x124), "prime1"},
            {static_cast<AttributeType>(0x125), "prime2"},
            {static_cast<AttributeType>(0x126), "exponent1"},
            {static_cast<AttributeType>(0x127), "exponent2"},
            {static_cast<AttributeType>(0x128), "coefficient"}};
        for (const auto& [type, name] : kParts) {
          Bytes number = BytesOf(parts[name]);
          while (!number.empty() && number.front() == 0) number.erase(number.begin());
          attributes.Add(type, ByteView(number));
        }
        const auto made = session_->CreateObject(attributes);
        EXPECT_TRUE(made) << made.error().cause;
        key = made.value_or(0);
      }
      const Bytes ciphertext = BytesOf(test["ct"]);
      const auto modulus = static_cast<std::size_t>(group["keySize"].get<int>() / 8);
      // As KeyRing::RsaDecrypt: what has another length never reaches the token.
      if (ciphertext.size() != modulus) return Agree(file, test, false);
      SecretBytes block(modulus);
      const auto raw = path_->RsaDecrypt(key, ciphertext, block.RevealMutable());
      if (!raw) return Agree(file, test, false);
      const auto message = crypto::OaepDecode(crypto::HashAlgorithm::kSha256, block);
      if (message) {
        EXPECT_EQ(ToHex(message->Reveal()), test["msg"]) << test["tcId"];
      }
      return Agree(file, test, message.has_value());
    });
  }
  EXPECT_GT(checked_, 60);
}

}  // namespace
}  // namespace coffer::keyring
