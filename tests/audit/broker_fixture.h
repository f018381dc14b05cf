#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "coffer/audit/broker.h"
#include "coffer/audit/verifier.h"
#include "coffer/crypto/digest.h"
#include "coffer/crypto/ecdsa.h"
#include "coffer/crypto/system_random.h"
#include "fakes/faulty_files.h"
#include "fakes/row_codes.h"
#include "fakes/software_signer.h"
#include "fakes/temporary_directory.h"

namespace coffer::audit {

namespace fs = std::filesystem;
using nlohmann::json;

class Signer final : public CheckpointSigner {
 public:
  Result<Bytes> PublicKey() override { return key.PublicKey(); }
  Result<Bytes> Sign(ByteView message) override {
    if (lost) return Fail(Code::kTokenLost, "the token is not reachable");
    Bytes signature = key.Sign(message);
    if (wrong) signature[0] ^= 1;
    return signature;
  }
  fakes::SoftwareSigner key;
  bool lost = false;
  bool wrong = false;
};

class BrokerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(Directory());
    Start();
  }
  void TearDown() override { Stop(); }

  void Start(const std::vector<DeviceSettings>& declared = {}) {
    const auto opened = TryStart(declared);
    ASSERT_TRUE(opened) << opened.error().message << " " << opened.error().cause;
  }
  Status TryStart(const std::vector<DeviceSettings>& declared = {}) {
    const auto schema = Broker::Schema();
    COFFER_ASSIGN(database_,
                  storage::Database::Open({.file = folder_.Path() / "coffer.db"}, schema, logger_));
    COFFER_TRY(fakes::Authenticate(*database_));
    broker_ = std::make_unique<Broker>(Broker::Services{files_, random_, clock_, logger_});
    database_->AddCommitObserver(*broker_);
    Broker::Custody custody;
    custody.signer = &signer_;
    custody.salt = [](std::string_view label) -> Result<SecretBytes> {
      return SecretBytes::CopyOf(crypto::Sha256(AsBytes(label)));
    };
    custody.want_checkpoint = [this] { ++wanted_; };
    return broker_->Open(*database_, std::move(custody), declared, {Directory(), sockets_});
  }
  void Stop() {
    broker_.reset();
    database_.reset();
  }
  fs::path Directory() const { return folder_.Path() / "audit"; }
  fs::path File(const std::string& name = "audit.log") const { return Directory() / name; }

  static DeviceSettings Named(const std::string& path, const std::string& file) {
    DeviceSettings settings;
    settings.path = path;
    settings.file = file;
    return settings;
  }
  Status Record(const std::string& id, bool durable = false) {
    Entry entry;
    entry.request_id = id;
    entry.path = "transit/keys/k";
    entry.token = "hvs.secret";
    entry.request_data = R"({"plaintext":"value"})";
    entry.durable = durable;
    return broker_->Record(entry);
  }
  std::vector<json> Lines(const std::string& name = "audit.log") {
    std::ifstream in(File(name));
    std::vector<json> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
    return lines;
  }
  VerifyReport Check(const std::string& name = "audit.log") {
    const auto key = crypto::EcdsaP256Key::FromPem(broker_->PublicKeyPem());
    return Verify(std::vector{File(name)}, *key, {}).value();
  }
  // Returns the number of the last entry that the database knows of the only device's chain.
  std::int64_t KnownSequence() {
    auto reader = database_->Read();
    auto select = reader->Prepare("SELECT sequence FROM audit_heads");
    return select->Step().value() ? select->Int(0) : -1;
  }
  Status ChangeSomething() {
    COFFER_ASSIGN(storage::Transaction transaction, database_->Begin());
    return transaction.Commit();
  }

  fakes::TemporaryDirectory folder_;
  std::vector<std::string> sockets_;
  fakes::FaultyFiles files_;
  crypto::SystemRandom random_;
  SystemClock clock_;
  NullLogger logger_;
  Signer signer_;
  std::atomic<int> wanted_{0};
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<Broker> broker_;
};

}  // namespace coffer::audit
