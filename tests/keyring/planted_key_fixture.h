#pragma once

#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "coffer/crypto/system_random.h"
#include "coffer/keyring/token_setup.h"
#include "fakes/softhsm_token.h"
#include "keyring/pkcs11_token.h"

namespace coffer::keyring {

// Published vectors for secret keys, through the key ring's own token path: a key is planted as a
// session object, the operation is Token's. What does not apply is counted by reason and printed.
class PlantedKeyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    TokenLocation location;
    location.module = token_.Library();
    location.label = token_.Label();
    location.copies_directory = token_.Directory();
    location.objects_directory = token_.TokenDirectory();
    crypto::SystemRandom random;
    NullLogger logger;
    ASSERT_TRUE(
        InitializeToken(location, token_.SoPin(), token_.UserPin(), Id::Generate(random), logger));
    auto module = token_.Load();
    pkcs11::Module& own = *module;
    const auto login = std::make_shared<Pkcs11Token::Login>();
    login->pin = SecretBytes::CopyOf(token_.UserPin().Reveal());
    auto opened = Pkcs11Token::Open(std::move(module), location, login);
    ASSERT_TRUE(opened) << opened.error().cause;
    path_ = std::move(*opened);
    session_ = own.OpenSession(own.FindToken(token_.Label(), token_.Serial()).value()).value();
  }
  void TearDown() override {
    session_.reset();
    path_.reset();
    for (const auto& [reason, count] : not_applicable_) {
      std::cout << "not applicable: " << count << ": " << reason << "\n";
    }
    if (checked_ > 0) std::cout << "agreed: " << checked_ << "\n";
  }

  TokenHandle Plant(pkcs11::KeyType type, const Bytes& value, pkcs11::MechanismType mechanism) {
    using pkcs11::AttributeType;
    pkcs11::Attributes attributes;
    attributes.Add(AttributeType::kClass, pkcs11::ObjectClass::kSecretKey)
        .Add(AttributeType::kKeyType, type)
        .Add(AttributeType::kToken, false)
        .Add(AttributeType::kEncrypt, true)
        .Add(AttributeType::kDecrypt, true)
        .Add(AttributeType::kSign, true)
        .Add(AttributeType::kUnwrap, true)
        .AddMechanisms(AttributeType::kAllowedMechanisms, {mechanism})
        .Add(AttributeType::kValue, ByteView(value));
    const auto key = session_->CreateObject(attributes);
    EXPECT_TRUE(key) << key.error().cause;
    return key.value_or(0);
  }
  static Bytes FromHex(const std::string& text) {
    Bytes out;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
      out.push_back(static_cast<std::uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
    }
    return out;
  }
  bool NotApplicable(const std::string& reason) {
    ++not_applicable_[reason];
    return false;
  }
  fakes::SoftHsmToken token_;
  std::unique_ptr<Pkcs11Token> path_;
  std::optional<pkcs11::Session> session_;
  std::map<std::string, int> not_applicable_;
  int checked_ = 0;
};

}  // namespace coffer::keyring
