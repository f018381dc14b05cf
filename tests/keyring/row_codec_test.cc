#include "keyring/row_codec.h"

#include <gtest/gtest.h>

#include "coffer/crypto/digest.h"

namespace coffer::keyring {
namespace {

Id IdOf(std::uint8_t octet) {
  Id id;
  id.octets.fill(octet);
  return id;
}

WrappedVersion SampleVersion() {
  WrappedVersion version;
  version.info = {2, FromUnixNanoseconds(1'700'000'000'000'000'000), "root", "requested", "aes-v1"};
  version.blob = {1, 2, 3};
  version.hmac_master = "hmac-v1";
  version.hmac_blob = {4, 5};
  return version;
}

std::string DigestOf(const Bytes& encoding) { return ToHex(crypto::Sha256(encoding)); }

TEST(RowCodecTest, StateRowIsTheseOctets) {
  StateRow state;
  state.database = IdOf(0xaa);
  state.epoch = 0x0102;
  state.keys = 3;
  state.sum[31] = 9;
  EXPECT_EQ(ToHex(EncodeStateRow(state)),
            "00000012636f666665722d73746174652d726f772d31"  // "coffer-state-row-1"
            "00000010aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"      // database id
            "000000080000000000000102"                      // epoch
            "000000080000000000000003"                      // keys
            "000000200000000000000000000000000000000000000000000000000000000000000009");
}

TEST(RowCodecTest, EveryFieldOfAVersionRowIsCovered) {
  const std::string before =
      DigestOf(EncodeVersionRow(IdOf(1), KeyType::kAes256Gcm96, SampleVersion()));
  EXPECT_NE(before, DigestOf(EncodeVersionRow(IdOf(2), KeyType::kAes256Gcm96, SampleVersion())));
  EXPECT_NE(before, DigestOf(EncodeVersionRow(IdOf(1), KeyType::kAes128Gcm96, SampleVersion())));
  const auto expect_covered = [&](const char* field, auto change) {
    WrappedVersion version = SampleVersion();
    change(version);
    EXPECT_NE(before, DigestOf(EncodeVersionRow(IdOf(1), KeyType::kAes256Gcm96, version))) << field;
  };
  expect_covered("version", [](WrappedVersion& v) { v.info.version = 3; });
  expect_covered("created", [](WrappedVersion& v) { v.info.created += std::chrono::seconds(1); });
  expect_covered("created_by", [](WrappedVersion& v) { v.info.created_by = "other"; });
  expect_covered("reason", [](WrappedVersion& v) { v.info.reason = "other"; });
  expect_covered("master", [](WrappedVersion& v) { v.info.master = "aes-v2"; });
  expect_covered("blob", [](WrappedVersion& v) { v.blob[0] ^= 1; });
  expect_covered("hmac_master", [](WrappedVersion& v) { v.hmac_master = "hmac-v2"; });
  expect_covered("hmac_blob", [](WrappedVersion& v) { v.hmac_blob[0] ^= 1; });
  // Length prefixes: octets cannot move from one field to its neighbour.
  expect_covered("boundary", [](WrappedVersion& v) {
    v.info.created_by = "rootr";
    v.info.reason = "equested";
  });
}

TEST(RowCodecTest, EveryFieldOfAKeyRowIsCovered) {
  const auto sample = [] {
    Key key;
    key.id = IdOf(1);
    key.mount = IdOf(2);
    key.name = "orders";
    key.versions[1].mac = Bytes(32, 7);
    return key;
  };
  const std::string before = DigestOf(EncodeKeyRow(IdOf(3), sample()));
  EXPECT_NE(before, DigestOf(EncodeKeyRow(IdOf(4), sample())));
  const auto expect_covered = [&](const char* field, auto change) {
    Key key = sample();
    change(key);
    EXPECT_NE(before, DigestOf(EncodeKeyRow(IdOf(3), key))) << field;
  };
  expect_covered("id", [](Key& k) { k.id = IdOf(9); });
  expect_covered("mount", [](Key& k) { k.mount = IdOf(9); });
  expect_covered("name", [](Key& k) { k.name = "order"; });
  expect_covered("type", [](Key& k) { k.type = KeyType::kAes128Gcm96; });
  expect_covered("created", [](Key& k) { k.created += std::chrono::seconds(1); });
  expect_covered("generation", [](Key& k) { ++k.generation; });
  expect_covered("latest", [](Key& k) { ++k.latest_version; });
  expect_covered("min_dec", [](Key& k) { ++k.settings.min_decryption_version; });
  expect_covered("min_enc", [](Key& k) { ++k.settings.min_encryption_version; });
  expect_covered("min_avail", [](Key& k) { ++k.settings.min_available_version; });
  expect_covered("deletion", [](Key& k) { k.settings.deletion_allowed = true; });
  expect_covered("backup", [](Key& k) { k.settings.allow_plaintext_backup = true; });
  expect_covered("soft", [](Key& k) { k.settings.soft_deleted = true; });
  expect_covered("rotation", [](Key& k) { k.settings.rotation_required = true; });
  expect_covered("period", [](Key& k) { ++k.settings.auto_rotate_period_seconds; });
  expect_covered("version mac", [](Key& k) { k.versions[1].mac[0] ^= 1; });
  expect_covered("missing version", [](Key& k) { k.versions.clear(); });
}

TEST(RowCodecTest, SumWrapsAroundAndComesBack) {
  Sum sum{};
  Sum one{};
  one[31] = 1;
  SubtractFrom(sum, one);
  EXPECT_EQ(sum[0], 0xff);
  EXPECT_EQ(sum[31], 0xff);
  AddTo(sum, one);
  EXPECT_EQ(sum, Sum{});
  const Sum a = KeyContribution(IdOf(1), 1, Bytes(32, 1));
  const Sum b = KeyContribution(IdOf(2), 1, Bytes(32, 1));
  EXPECT_NE(a, b);
  EXPECT_NE(a, KeyContribution(IdOf(1), 2, Bytes(32, 1)));
  AddTo(sum, a);
  AddTo(sum, b);
  SubtractFrom(sum, a);
  EXPECT_EQ(sum, b);
}

}  // namespace
}  // namespace coffer::keyring
