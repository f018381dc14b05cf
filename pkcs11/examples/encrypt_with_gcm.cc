// Makes an AES key that never leaves the token, and encrypts and decrypts with it.
#include <array>
#include <cstdio>

#include "example_token.h"

namespace {

using namespace coffer::pkcs11;

coffer::Status EncryptAndDecrypt(Session& session) {
  Attributes attributes;
  attributes.Add(AttributeType::kClass, ObjectClass::kSecretKey)
      .Add(AttributeType::kKeyType, KeyType::kAes)
      .Add(AttributeType::kToken, false)  // gone with the session
      .Add(AttributeType::kPrivate, true)
      .Add(AttributeType::kSensitive, true)
      .Add(AttributeType::kExtractable, false)
      .Add(AttributeType::kEncrypt, true)
      .Add(AttributeType::kDecrypt, true)
      .AddMechanisms(AttributeType::kAllowedMechanisms, {MechanismType::kAesGcm})
      .Add(AttributeType::kValueLen, 32UL);
  COFFER_ASSIGN(const ObjectHandle key, session.GenerateKey(MechanismType::kAesKeyGen, attributes));

  // The caller's, and never twice under one key: the token does not check.
  std::array<std::uint8_t, 12> iv{};
  COFFER_TRY(session.GenerateRandom(iv));
  const AeadParameters parameters{iv, coffer::AsBytes("record 17")};
  const coffer::ByteView plaintext = coffer::AsBytes("attack at dawn");

  coffer::Bytes sealed(plaintext.size() + 16);
  COFFER_TRY(session.EncryptGcm(key, parameters, plaintext, sealed));
  std::printf("ciphertext and tag: %s\n", coffer::ToHex(sealed).c_str());

  coffer::Bytes opened(sealed.size());
  COFFER_ASSIGN(const std::size_t size, session.DecryptGcm(key, parameters, sealed, opened));
  opened.resize(size);
  std::printf("decrypted: %s\n", std::string(coffer::AsText(opened)).c_str());

  sealed.back() ^= 1;
  const auto forged = session.DecryptGcm(key, parameters, sealed, opened);
  std::printf("with one bit changed: %s\n", forged ? "accepted" : "refused");
  return {};
}

}  // namespace

int main(int argc, char** argv) { return example::Run(argc, argv, EncryptAndDecrypt); }
