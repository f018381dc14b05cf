#include "coffer/keyring/backup_manifest.h"

#include <gtest/gtest.h>

#include "keyring/key_ring_fixture.h"

namespace coffer::keyring {
namespace {

BackupManifest Example() {
  BackupManifest manifest;
  for (std::size_t i = 0; i < manifest.database.octets.size(); ++i) {
    manifest.database.octets[i] = static_cast<std::uint8_t>(i);
  }
  manifest.epoch = 7;
  manifest.keys = 3;
  manifest.made = FromUnixNanoseconds(1'800'000'000'000'000'000);
  manifest.token_serial = "0123456789abcdef";
  manifest.token_check = Bytes(16, 0xcc);
  manifest.schema = "audit 1, keyring 1";
  manifest.octets = 4096;
  manifest.sha256.fill(0xaa);
  return manifest;
}

TEST(BackupManifest, HasTheOctetsOfTheFormat) {
  EXPECT_EQ(ToHex(EncodeManifest(Example())),
            "0000000f636f666665722d6261636b75702d31"
            "00000010000102030405060708090a0b0c0d0e0f"
            "000000080000000000000007"
            "000000080000000000000003"
            "0000000818fae27693b40000"
            "0000001030313233343536373839616263646566"
            "00000010cccccccccccccccccccccccccccccccc"
            "0000001261756469742031"
            "2c206b657972696e672031"
            "000000080000000000001000"
            "00000020aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}

TEST(BackupManifest, ComesBackAsItWas) {
  const auto back = DecodeManifest(EncodeManifest(Example()));
  ASSERT_TRUE(back);
  EXPECT_EQ(EncodeManifest(*back), EncodeManifest(Example()));
  EXPECT_EQ(back->epoch, 7U);
  EXPECT_EQ(back->schema, "audit 1, keyring 1");
}

TEST(BackupManifest, IsRefusedTruncatedAnywhereOrExtended) {
  const Bytes whole = EncodeManifest(Example());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(DecodeManifest(ByteView(whole).first(size))) << size;
  }
  Bytes longer = whole;
  longer.push_back(0);
  EXPECT_FALSE(DecodeManifest(longer));
}

TEST(BackupManifest, IsRefusedWithALengthThatIsTooLong) {
  Bytes encoded = EncodeManifest(Example());
  encoded[0] = 0xff;
  EXPECT_FALSE(DecodeManifest(encoded));
}

TEST(BackupManifest, IsRefusedWithTextThatATerminalWouldObey) {
  BackupManifest manifest = Example();
  manifest.token_serial = "\x1b[2J";
  EXPECT_FALSE(DecodeManifest(EncodeManifest(manifest)));
}

class ManifestMacTest : public KeyRingTest {
 protected:
  // Runs `work` on the custodian's thread, with its token instance.
  Status WithToken(const std::function<Status(Token&)>& work) { return custodian_->Run(work); }
  Status Verify(const BackupManifest& manifest, const Bytes& encoded, const Mac& mac) {
    return WithToken([&](Token& token) { return VerifyManifest(token, manifest, encoded, mac); });
  }
};

TEST_F(ManifestMacTest, HoldsForWhatTheTokenSignedAndForNoBitLess) {
  BackupManifest manifest = Example();
  Bytes encoded;
  Mac mac{};
  Must(WithToken([&](Token& token) -> Status {
    COFFER_ASSIGN(manifest.token_check, TokenCheck(token));
    encoded = EncodeManifest(manifest);
    COFFER_ASSIGN(mac, ManifestMac(token, encoded));
    return {};
  }));
  Must(Verify(manifest, encoded, mac));
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    encoded[i] ^= 1;
    const Status refused = Verify(manifest, encoded, mac);
    ASSERT_FALSE(refused) << i;
    EXPECT_EQ(refused.error().code, Code::kCorrupt);
    encoded[i] ^= 1;
  }
  mac[31] ^= 1;
  EXPECT_FALSE(Verify(manifest, encoded, mac));
}

TEST_F(ManifestMacTest, NamesAForeignToken) {
  const Status refused = Verify(Example(), EncodeManifest(Example()), Mac{});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kPermissionDenied);
  EXPECT_NE(refused.error().message.find("another token (serial 0123456789abcdef)"),
            std::string::npos);
}

TEST_F(ManifestMacTest, ReadsTheStateOfTheSnapshot) {
  Create("a");
  BackupManifest manifest;
  auto reader = database_->Read();
  Must(ReadForManifest(*reader, manifest));
  EXPECT_EQ(manifest.database, keys_->DatabaseId());
  EXPECT_EQ(manifest.keys, 1);
  EXPECT_EQ(manifest.schema, "keyring 4, storage 1");
  const std::uint64_t before = manifest.epoch;
  Must(keys_->Rotate(mount_, "a", actor_));
  Must(ReadForManifest(*reader, manifest));
  EXPECT_EQ(manifest.epoch, before);
}

}  // namespace
}  // namespace coffer::keyring
