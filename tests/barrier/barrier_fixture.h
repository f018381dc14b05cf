#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/barrier/barrier.h"
#include "coffer/keyring/token_admin.h"
#include "keyring/key_ring_fixture.h"

namespace coffer::barrier {

// A barrier over a real SoftHSM token and a real database.
class BarrierTest : public keyring::KeyRingTest {
 protected:
  void SetUp() override {
    KeyRingTest::SetUp();
    mount_ = *Id::FromBytes(AsBytes("coffer-barrier-1"));
    MakeBarrier();
  }
  void MakeBarrier() { barrier_ = std::make_unique<Barrier>(*keys_, logger_); }
  Status OpenAnew(const keyring::StartPolicy& policy = {}) {
    COFFER_TRY(Reopen(policy));
    MakeBarrier();
    return barrier_->Start(*custodian_);
  }

  static Place PlaceOf(std::string_view row) {
    return {.table = "records", .row = AsBytes(row), .schema = 1};
  }
  Result<Bytes> Seal(std::string_view row, std::string_view plaintext, std::size_t worker = 0) {
    return barrier_->Seal(LaneOf(worker), owner_, PlaceOf(row), AsBytes(plaintext));
  }
  Result<Bytes> SealOnCustodian(const Owner& owner, std::string_view row,
                                std::string_view plaintext) {
    Result<Bytes> sealed;
    Status ran = custodian_->Run([&](keyring::CustodianTurn& turn) -> Status {
      sealed = barrier_->Seal(keys_->GetLanes().OfCustodian(turn), owner, PlaceOf(row),
                              AsBytes(plaintext));
      return {};
    });
    if (!ran) return Fail(ran.error());
    return sealed;
  }
  Result<std::string> Open(std::string_view row, ByteView sealed, std::size_t worker = 0) {
    return OpenAt(owner_, PlaceOf(row), sealed, worker);
  }
  Result<std::string> OpenAt(const Owner& owner, const Place& place, ByteView sealed,
                             std::size_t worker = 0) {
    COFFER_ASSIGN(const SecretBytes opened, barrier_->Open(LaneOf(worker), owner, place, sealed));
    return std::string(AsText(opened.Reveal()));
  }
  template <typename T>
  static Code CodeOf(const Result<T>& result) {
    EXPECT_FALSE(result) << "it should have failed";
    return result ? Code::kInternal : result.error().code;
  }
  OwnerKey KeyNow() {
    const auto found = barrier_->Find(LaneOf(0), owner_);
    EXPECT_TRUE(found && *found);
    return found && *found ? **found : OwnerKey();
  }

  // Objects that somebody with the PIN sees at the place of resident secret keys.
  std::vector<Bytes> ObjectsInToken() {
    const auto module = token_.Load();
    pkcs11::Session session = token_.OpenUserSession(*module);
    pkcs11::Attributes wanted;
    wanted.Add(pkcs11::AttributeType::kClass, pkcs11::ObjectClass::kSecretKey)
        .Add(pkcs11::AttributeType::kLabel, keyring::ResidentLabel(keys_->DatabaseId()));
    const auto objects = session.Find(wanted);
    Must(objects);
    std::vector<Bytes> ids;
    for (const auto object : *objects) {
      ids.push_back(*session.GetBytes(object, pkcs11::AttributeType::kId));
    }
    return ids;
  }

  const Owner owner_ = Owner::OfRoom("test");
  std::unique_ptr<Barrier> barrier_;
};

}  // namespace coffer::barrier
