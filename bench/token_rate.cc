// Measures the token alone: AES-GCM encryptions, ECDSA signatures and HMACs per second through the
// PKCS#11 library, by two threads that each own a copy of the module, as the server's workers do.
// Also measures the verifications per second of OpenSSL alone.
//   token_rate [SECONDS [MODULE]]    MODULE stands before SoftHSM; prints one line of JSON

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>
#include <thread>
#include <vector>

#include "coffer/base/bytes.h"
#include "coffer/base/result.h"
#include "coffer/crypto/public_key.h"
#include "coffer/pkcs11/attributes.h"
#include "coffer/pkcs11/module.h"
#include "coffer/pkcs11/session.h"
#include "fakes/softhsm_token.h"

namespace coffer {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kThreads = 2;
constexpr std::size_t kTagOctets = 16;

struct Worker {
  std::unique_ptr<pkcs11::Module> module;
  pkcs11::Session session;
  pkcs11::ObjectHandle key = pkcs11::kNoObject;
  pkcs11::ObjectHandle mac_key = pkcs11::kNoObject;
  pkcs11::ObjectHandle signing_key = pkcs11::kNoObject;  // ECDSA on P-256
  crypto::PublicKey::Shared public_key;                  // its
};

Result<pkcs11::ObjectHandle> MakeKey(pkcs11::Session& session) {
  using pkcs11::AttributeType;
  pkcs11::Attributes attributes;
  attributes.Add(AttributeType::kClass, pkcs11::ObjectClass::kSecretKey)
      .Add(AttributeType::kKeyType, pkcs11::KeyType::kAes)
      .Add(AttributeType::kToken, false)
      .Add(AttributeType::kPrivate, true)
      .Add(AttributeType::kSensitive, true)
      .Add(AttributeType::kExtractable, false)
      .Add(AttributeType::kEncrypt, true)
      .Add(AttributeType::kDecrypt, true)
      .Add(AttributeType::kValueLen, 32UL);
  return session.GenerateKey(pkcs11::MechanismType::kAesKeyGen, attributes);
}

Result<pkcs11::ObjectHandle> MakeMacKey(pkcs11::Session& session) {
  using pkcs11::AttributeType;
  pkcs11::Attributes attributes;
  attributes.Add(AttributeType::kClass, pkcs11::ObjectClass::kSecretKey)
      .Add(AttributeType::kKeyType, pkcs11::KeyType::kGenericSecret)
      .Add(AttributeType::kToken, false)
      .Add(AttributeType::kPrivate, true)
      .Add(AttributeType::kSensitive, true)
      .Add(AttributeType::kExtractable, false)
      .Add(AttributeType::kSign, true)
      .Add(AttributeType::kValueLen, 64UL);
  return session.GenerateKey(pkcs11::MechanismType::kGenericSecretKeyGen, attributes);
}

Status MakeSigningKey(Worker& worker) {
  pkcs11::Session& session = worker.session;
  using pkcs11::AttributeType;
  static constexpr std::array<std::uint8_t, 10> kP256{0x06, 0x08, 0x2a, 0x86, 0x48,
                                                      0xce, 0x3d, 0x03, 0x01, 0x07};
  pkcs11::Attributes public_key;
  public_key.Add(AttributeType::kToken, false)
      .Add(AttributeType::kPrivate, false)
      .Add(AttributeType::kEcParams, ByteView(kP256));
  pkcs11::Attributes private_key;
  private_key.Add(AttributeType::kToken, false)
      .Add(AttributeType::kPrivate, true)
      .Add(AttributeType::kSensitive, true)
      .Add(AttributeType::kExtractable, false)
      .Add(AttributeType::kSign, true);
  COFFER_ASSIGN(
      const pkcs11::KeyPair pair,
      session.GenerateKeyPair(pkcs11::MechanismType::kEcKeyPairGen, public_key, private_key));
  worker.signing_key = pair.private_key;
  COFFER_ASSIGN(const Bytes point, session.GetBytes(pair.public_key, AttributeType::kEcPoint));
  COFFER_ASSIGN(worker.public_key, crypto::PublicKey::FromEcPoint(crypto::Curve::kP256, point));
  return {};
}

constexpr std::array<std::uint8_t, 32> kDigest{0x5a};

Result<std::array<std::uint8_t, 64>> Sign(Worker& worker) {
  std::array<std::uint8_t, 64> signature{};
  COFFER_TRY(
      worker.session.Sign(pkcs11::MechanismType::kEcdsa, worker.signing_key, kDigest, signature));
  return signature;
}

// ECDSA signatures over 32 bytes until `deadline`.
Result<std::uint64_t> SignUntil(Clock::time_point deadline, Worker& worker) {
  std::uint64_t done = 0;
  for (; Clock::now() < deadline; ++done) COFFER_TRY(Sign(worker));
  return done;
}

Result<std::uint64_t> VerifyUntil(Clock::time_point deadline, Worker& worker) {
  COFFER_ASSIGN(const auto signature, Sign(worker));
  const Bytes der = crypto::EcdsaToDer(signature);
  std::uint64_t done = 0;
  for (; Clock::now() < deadline; ++done) {
    if (!worker.public_key->VerifyEcdsa(kDigest, der)) {
      return Fail(Code::kTokenFailed, "a signature does not verify");
    }
  }
  return done;
}

// HMAC-SHA-256 of 64 bytes until `deadline`.
Result<std::uint64_t> MacUntil(Clock::time_point deadline, Worker& worker) {
  const Bytes message(64, 0x5a);
  std::array<std::uint8_t, 32> mac{};
  std::uint64_t done = 0;
  for (; Clock::now() < deadline; ++done) {
    COFFER_TRY(
        worker.session.Sign(pkcs11::MechanismType::kSha256Hmac, worker.mac_key, message, mac));
  }
  return done;
}

// Encryptions of `octets` each until `deadline`, every one under an IV of its own.
Result<std::uint64_t> EncryptUntil(Clock::time_point deadline, std::size_t octets, Worker& worker) {
  const Bytes plaintext(octets, 0x5a);
  Bytes ciphertext(octets + kTagOctets);
  std::array<std::uint8_t, 12> iv{};
  std::uint64_t done = 0;
  while (Clock::now() < deadline) {
    ++done;
    for (std::size_t i = 0; i < sizeof(done); ++i) {
      iv[i] = static_cast<std::uint8_t>(done >> (8 * i));
    }
    COFFER_TRY(worker.session.EncryptGcm(worker.key, {.iv = iv, .aad = {}}, plaintext, ciphertext));
  }
  return done;
}

// Operations per second of all workers together.
template <typename Operation>
Result<double> Measure(std::vector<Worker>& workers, std::chrono::duration<double> length,
                       const Operation& until) {
  std::vector<Result<std::uint64_t>> counts(workers.size());
  std::vector<std::thread> threads;
  const auto start = Clock::now();
  const auto deadline = start + std::chrono::duration_cast<Clock::duration>(length);
  for (std::size_t i = 0; i < workers.size(); ++i) {
    threads.emplace_back([&, i]() noexcept { counts[i] = until(deadline, workers[i]); });
  }
  for (auto& thread : threads) thread.join();
  const std::chrono::duration<double> took = Clock::now() - start;
  double total = 0;
  for (const auto& count : counts) {
    if (!count) return Fail(count.error());
    total += static_cast<double>(*count);
  }
  return total / took.count();
}

Status Run(std::chrono::duration<double> length, const std::filesystem::path& library) {
  const fakes::SoftHsmToken token("coffer-bench");
  std::vector<Worker> workers;
  for (std::size_t i = 0; i < kThreads; ++i) {
    COFFER_ASSIGN(auto module,
                  pkcs11::Module::Load(library, pkcs11::Threading::kSingle, token.NewCopyPath()));
    auto session = token.OpenUserSession(*module);
    COFFER_ASSIGN(const auto key, MakeKey(session));
    COFFER_ASSIGN(const auto mac_key, MakeMacKey(session));
    Worker worker{std::move(module), std::move(session), key, mac_key, pkcs11::kNoObject, nullptr};
    COFFER_TRY(MakeSigningKey(worker));
    workers.push_back(std::move(worker));
  }
  const auto encrypting = [](std::size_t octets) {
    return [octets](Clock::time_point deadline, Worker& worker) {
      return EncryptUntil(deadline, octets, worker);
    };
  };
  COFFER_ASSIGN(const double small, Measure(workers, length, encrypting(64)));
  COFFER_ASSIGN(const double large, Measure(workers, length, encrypting(1024)));
  COFFER_ASSIGN(const double signing, Measure(workers, length, SignUntil));
  COFFER_ASSIGN(const double verifying, Measure(workers, length, VerifyUntil));
  COFFER_ASSIGN(const double macs, Measure(workers, length, MacUntil));
  const auto whole = [](double rate) { return static_cast<std::uint64_t>(rate); };
  std::cout << "{\"threads\":" << kThreads << ",\"gcm_64\":" << whole(small)
            << ",\"gcm_1024\":" << whole(large) << ",\"ecdsa_p256\":" << whole(signing)
            << ",\"ecdsa_p256_verify\":" << whole(verifying) << ",\"hmac_sha256\":" << whole(macs)
            << "}\n";
  return {};
}

}  // namespace
}  // namespace coffer

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? ::atof(argv[1]) : 2.0;
  try {
    const std::filesystem::path library =
        argc > 2 ? argv[2] : coffer::fakes::SoftHsmToken::Library();
    if (const auto run = coffer::Run(std::chrono::duration<double>(seconds), library); !run) {
      std::cerr << run.error().message << " | " << run.error().cause << "\n";
      return 1;
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
  return 0;
}
