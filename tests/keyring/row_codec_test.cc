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

KeyVersion SampleVersion() {
  KeyVersion version;
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

TEST(RowCodecTest, VersionRowsAreTheseOctets) {
  KeyVersion version = SampleVersion();
  version.spki = {6, 7};
  version.locator = {8};
  version.kdf = Kdf::kAesEcb1;
  EXPECT_EQ(ToHex(EncodeVersionRow(IdOf(0xbb), {KeyType::kAes256Gcm96, true}, version)),
            "00000014636f666665722d76657273696f6e2d726f772d31"  // "coffer-version-row-1"
            "00000010bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"          // key id
            "000000080000000000000002"                          // version
            "000000080000000000000002"                          // type
            "00000006646572697665"                              // "derive"
            "0000000777726170706564"                            // "wrapped"
            "00000013636f666665722d6b64662d61657365636"         // "coffer-kdf-aesecb-1"
            "22d31"
            "000000066165732d7631"        // "aes-v1"
            "0000000817979cfe362a0000"    // created
            "00000004726f6f74"            // created by
            "00000009726571756573746564"  // reason
            "000000020607"                // public key
            "00000003010203"              // blob
            "00000007686d61632d7631"      // "hmac-v1"
            "000000020405"                // HMAC blob
            "0000000108");                // locator
  const auto usage_of = [&](KeyType type) {
    const Bytes row = EncodeVersionRow(IdOf(1), {type}, SampleVersion());
    // The offset of the field after the schema's name, the id and two integers.
    const std::size_t at = 24 + 20 + 12 + 12;
    return std::string(row.begin() + at + 4, row.begin() + at + 4 + row[at + 3]);
  };
  EXPECT_EQ(usage_of(KeyType::kAes256Gcm96), "encrypt-decrypt");
  EXPECT_EQ(usage_of(KeyType::kRsa2048), "decrypt-sign");
  EXPECT_EQ(usage_of(KeyType::kEcdsaP256), "sign");
  EXPECT_EQ(usage_of(KeyType::kEd25519), "sign");
  EXPECT_EQ(usage_of(KeyType::kHmac), "mac");
  EXPECT_EQ(usage_of(KeyType::kAes128Cmac), "mac");
}

TEST(RowCodecTest, EveryFieldOfAVersionRowIsCovered) {
  const std::string before = DigestOf(EncodeVersionRow(IdOf(1), KeySpec{}, SampleVersion()));
  EXPECT_NE(before, DigestOf(EncodeVersionRow(IdOf(2), KeySpec{}, SampleVersion())));
  EXPECT_NE(before,
            DigestOf(EncodeVersionRow(IdOf(1), KeySpec{KeyType::kAes128Gcm96}, SampleVersion())));
  const auto expect_covered = [&](const char* field, auto change) {
    KeyVersion version = SampleVersion();
    change(version);
    EXPECT_NE(before, DigestOf(EncodeVersionRow(IdOf(1), KeySpec{}, version))) << field;
  };
  expect_covered("version", [](KeyVersion& v) { v.info.version = 3; });
  expect_covered("created", [](KeyVersion& v) { v.info.created += std::chrono::seconds(1); });
  expect_covered("created_by", [](KeyVersion& v) { v.info.created_by = "other"; });
  expect_covered("reason", [](KeyVersion& v) { v.info.reason = "other"; });
  expect_covered("master", [](KeyVersion& v) { v.info.master = "aes-v2"; });
  expect_covered("blob", [](KeyVersion& v) { v.blob[0] ^= 1; });
  expect_covered("hmac_master", [](KeyVersion& v) { v.hmac_master = "hmac-v2"; });
  expect_covered("hmac_blob", [](KeyVersion& v) { v.hmac_blob[0] ^= 1; });
  expect_covered("custody", [](KeyVersion& v) { v.custody = Custody::kResident; });
  expect_covered("kdf", [](KeyVersion& v) { v.kdf = Kdf::kAesEcb1; });
  expect_covered("spki", [](KeyVersion& v) { v.spki = {6}; });
  expect_covered("locator", [](KeyVersion& v) { v.locator = {7}; });
  expect_covered("imported", [](KeyVersion& v) { v.imported_through = ImportedThrough::kToken; });
  EXPECT_NE(before, DigestOf(EncodeVersionRow(IdOf(1), KeySpec{.derived = true}, SampleVersion())))
      << "usage";
  // Length prefixes: bytes cannot move from one field to its neighbour.
  expect_covered("boundary", [](KeyVersion& v) {
    v.info.created_by = "rootr";
    v.info.reason = "equested";
  });
}

TEST(RowCodecTest, WhatCameWithTheSecondSchemaIsToldApart) {
  KeyVersion through_token = SampleVersion();
  through_token.imported_through = ImportedThrough::kToken;
  KeyVersion through_process = SampleVersion();
  through_process.imported_through = ImportedThrough::kProcess;
  const Bytes row = EncodeVersionRow(IdOf(1), KeySpec{}, through_process);
  EXPECT_NE(row, EncodeVersionRow(IdOf(1), KeySpec{}, through_token));
  EXPECT_EQ(ToHex(ByteView(row).first(24)), "00000014636f666665722d76657273696f6e2d726f772d32");
  Key key;
  key.versions[1].certificate_chain = "pem";
  key.versions[2];
  Key other = key;
  std::swap(other.versions[1], other.versions[2]);
  EXPECT_NE(EncodeKeyRow(IdOf(3), key), EncodeKeyRow(IdOf(3), other)) << "each with its version";
  other = key;
  other.exportable = true;
  EXPECT_NE(EncodeKeyRow(IdOf(3), key), EncodeKeyRow(IdOf(3), other));
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
  expect_covered("derived", [](Key& k) { k.derived = true; });
  expect_covered("convergent", [](Key& k) { k.convergent = true; });
  expect_covered("hmac size", [](Key& k) { k.hmac_octets = 128; });
  expect_covered("imported", [](Key& k) { k.settings.imported = true; });
  expect_covered("imported rotation", [](Key& k) { k.settings.allow_imported_rotation = true; });
  expect_covered("exportable", [](Key& k) { k.exportable = true; });
  expect_covered("certificates", [](Key& k) { k.versions[1].certificate_chain = "pem"; });
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
