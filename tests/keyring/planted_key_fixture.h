#pragma once

#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <string>

#include "fakes/vectors.h"
#include "keyring/token_path_fixture.h"

namespace coffer::keyring {

// Published vectors for secret keys, through the key ring's own token path: a key is planted as a
// session object, the operation is Token's. What does not apply is counted by reason and printed.
class PlantedKeyTest : public TokenPathTest {
 protected:
  void TearDown() override {
    TokenPathTest::TearDown();
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
  bool NotApplicable(const std::string& reason) {
    ++not_applicable_[reason];
    return false;
  }
  std::map<std::string, int> not_applicable_;
  int checked_ = 0;
};

}  // namespace coffer::keyring
