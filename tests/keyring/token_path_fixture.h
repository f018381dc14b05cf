#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "coffer/crypto/system_random.h"
#include "coffer/keyring/token_setup.h"
#include "fakes/softhsm_token.h"
#include "keyring/pkcs11_token.h"

namespace coffer::keyring {

// A token with masters, the server's own path to it, and a session beside that path.
class TokenPathTest : public ::testing::Test {
 protected:
  void SetUp() override {
    TokenLocation location;
    location.module = token_.Library();
    location.label = token_.Label();
    location.copies_directory = token_.Directory();
    location.objects_directory = token_.TokenDirectory();
    crypto::SystemRandom random;
    NullLogger logger;
    database_ = Id::Generate(random);
    ASSERT_TRUE(CompleteToken(location, token_.UserPin(), database_, logger));
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
  }

  fakes::SoftHsmToken token_;
  Id database_;
  std::unique_ptr<Pkcs11Token> path_;
  std::optional<pkcs11::Session> session_;
};

}  // namespace coffer::keyring
