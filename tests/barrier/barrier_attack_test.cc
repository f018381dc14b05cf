// Attacks on sealed records: by whoever writes the database, whoever stole a copy of it, and
// whoever has the token's PIN.

#include <openssl/evp.h>

#include "barrier/barrier_fixture.h"
#include "barrier/record_form.h"
#include "coffer/pkcs11/attributes.h"

namespace coffer::barrier {
namespace {

using BarrierAttackTest = BarrierTest;

TEST_F(BarrierAttackTest, ARecordOpensAtNoOtherPlace) {
  const Owner other = Owner::OfRoom("other");
  Must(barrier_->Prepare(other));
  const Bytes sealed = *SealOnCustodian(owner_, "r1", "secret");
  const Place place = PlaceOf("r1");
  EXPECT_EQ(*OpenAt(owner_, place, sealed), "secret");

  EXPECT_EQ(CodeOf(OpenAt(other, place, sealed)), Code::kCorrupt) << "another owner";
  EXPECT_EQ(CodeOf(OpenAt(owner_, PlaceOf("r2"), sealed)), Code::kCorrupt) << "another row";
  Place moved = place;
  moved.table = "others";
  EXPECT_EQ(CodeOf(OpenAt(owner_, moved, sealed)), Code::kCorrupt) << "another table";
  moved = place;
  moved.schema = 2;
  EXPECT_EQ(CodeOf(OpenAt(owner_, moved, sealed)), Code::kCorrupt) << "another schema";
  moved = {.table = "recordsr", .row = AsBytes("1")};
  EXPECT_EQ(CodeOf(OpenAt(owner_, moved, sealed)), Code::kCorrupt)
      << "the same bytes, cut elsewhere";
}

TEST_F(BarrierAttackTest, ARecordWithAnyByteChangedOrMissingDoesNotOpen) {
  const Bytes sealed = *SealOnCustodian(owner_, "r", "secret");
  Must(barrier_->Rotate(owner_));  // so that version 2 is there
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes changed = sealed;
    changed[i] ^= i == 4 ? 3 : 1;  // of the version: 1 becomes 2
    EXPECT_EQ(CodeOf(Open("r", changed)), Code::kCorrupt) << "byte " << i;
  }
  EXPECT_EQ(CodeOf(Open("r", ByteView(sealed).first(sealed.size() - 1))), Code::kCorrupt);
  EXPECT_EQ(CodeOf(Open("r", {})), Code::kCorrupt);
  EXPECT_EQ(*Open("r", sealed), "secret");
}

TEST_F(BarrierAttackTest, ADamagedKeyDisablesItsOwnerAlone) {
  const Owner other = Owner::OfRoom("other");
  const Bytes sealed = *SealOnCustodian(owner_, "r", "x");
  const Bytes others = *SealOnCustodian(other, "r", "y");
  Close();
  Tamper("UPDATE keys SET resident = 0 WHERE name = 'room-test'");
  Must(OpenAnew());
  EXPECT_EQ(CodeOf(Open("r", sealed)), Code::kCorrupt);
  EXPECT_EQ(CodeOf(SealOnCustodian(owner_, "r", "x")), Code::kCorrupt) << "no new key hides it";
  EXPECT_EQ(*OpenAt(other, PlaceOf("r"), others), "y");
  // Its object is destroyed on nobody's word, and the caller is told.
  EXPECT_EQ(CodeOf(barrier_->Destroy(owner_)), Code::kCorrupt);
  EXPECT_EQ(ObjectsInToken().size(), 2U);
  Must(barrier_->Destroy(owner_));
}

TEST_F(BarrierAttackTest, SwappedKeysOfTwoOwnersAreNoticed) {
  const Owner other = Owner::OfRoom("other");
  const Bytes sealed = *SealOnCustodian(owner_, "r", "x");
  Must(barrier_->Prepare(other));
  Close();
  Tamper(
      "UPDATE keys SET name = 'aside' WHERE name = 'room-test';"
      "UPDATE keys SET name = 'room-test' WHERE name = 'room-other';"
      "UPDATE keys SET name = 'room-other' WHERE name = 'aside'");
  Must(OpenAnew());
  EXPECT_EQ(CodeOf(Open("r", sealed)), Code::kCorrupt);
  EXPECT_EQ(CodeOf(SealOnCustodian(other, "r", "x")), Code::kCorrupt);
}

// Somebody with the PIN puts a key of his own at the place of a resident one, to read what is
// sealed from then on.
TEST_F(BarrierAttackTest, AKeyThatWasNotMadeInTheTokenIsNotUsed) {
  Must(barrier_->Prepare(owner_));
  const std::vector<Bytes> objects = ObjectsInToken();
  ASSERT_EQ(objects.size(), 1U);
  {
    const auto module = token_.Load();
    pkcs11::Session session = token_.OpenUserSession(*module);
    using pkcs11::AttributeType;
    pkcs11::Attributes wanted;
    wanted.Add(AttributeType::kId, ByteView(objects.front()));
    const auto found = session.Find(wanted);
    Must(session.DestroyObject(found->front()));
    const Bytes known(32, 0x42);
    pkcs11::Attributes planted;
    planted.Add(AttributeType::kClass, pkcs11::ObjectClass::kSecretKey)
        .Add(AttributeType::kKeyType, pkcs11::KeyType::kAes)
        .Add(AttributeType::kLabel, keyring::ResidentLabel(keys_->DatabaseId()))
        .Add(AttributeType::kId, ByteView(objects.front()))
        .Add(AttributeType::kToken, true)
        .Add(AttributeType::kPrivate, true)
        .Add(AttributeType::kSensitive, true)
        .Add(AttributeType::kExtractable, false)
        .Add(AttributeType::kEncrypt, true)
        .Add(AttributeType::kDecrypt, true)
        .Add(AttributeType::kSign, false)
        .Add(AttributeType::kVerify, false)
        .Add(AttributeType::kWrap, false)
        .Add(AttributeType::kUnwrap, false)
        .Add(AttributeType::kDerive, false)
        .AddMechanisms(AttributeType::kAllowedMechanisms, {pkcs11::MechanismType::kAesGcm})
        .Add(AttributeType::kCopyable, false)
        .Add(AttributeType::kModifiable, false)
        .Add(AttributeType::kValue, ByteView(known));
    Must(session.CreateObject(planted));
  }
  Must(OpenAnew());
  EXPECT_EQ(CodeOf(Seal("r", "secret")), Code::kTokenRefused);
}

// All that stands in a table of the database, one value after another.
std::vector<Bytes> EveryValue(const std::filesystem::path& file) {
  std::vector<Bytes> values;
  ::sqlite3* database = nullptr;
  EXPECT_EQ(::sqlite3_open(file.c_str(), &database), SQLITE_OK);
  std::vector<std::string> tables;
  ::sqlite3_stmt* rows = nullptr;
  ::sqlite3_prepare_v2(database, "SELECT name FROM sqlite_master WHERE type = 'table'", -1, &rows,
                       nullptr);
  while (::sqlite3_step(rows) == SQLITE_ROW) {
    tables.emplace_back(reinterpret_cast<const char*>(::sqlite3_column_text(rows, 0)));
  }
  ::sqlite3_finalize(rows);
  for (const std::string& table : tables) {
    ::sqlite3_prepare_v2(database, ("SELECT * FROM " + table).c_str(), -1, &rows, nullptr);
    while (::sqlite3_step(rows) == SQLITE_ROW) {
      for (int column = 0; column < ::sqlite3_column_count(rows); ++column) {
        const auto* const bytes =
            static_cast<const std::uint8_t*>(::sqlite3_column_blob(rows, column));
        values.emplace_back(bytes, bytes + ::sqlite3_column_bytes(rows, column));
      }
    }
    ::sqlite3_finalize(rows);
  }
  ::sqlite3_close(database);
  return values;
}

bool OpensWith(ByteView key, ByteView nonce, ByteView aad, ByteView sealed) {
  Bytes out(sealed.size());
  int length = 0;
  Bytes tag(sealed.end() - 16, sealed.end());
  EVP_CIPHER_CTX* const context = EVP_CIPHER_CTX_new();
  EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nullptr, key.data(), nonce.data());
  EVP_DecryptUpdate(context, nullptr, &length, aad.data(), static_cast<int>(aad.size()));
  EVP_DecryptUpdate(context, out.data(), &length, sealed.data(),
                    static_cast<int>(sealed.size() - 16));
  EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, 16, tag.data());
  const bool opened = EVP_DecryptFinal_ex(context, out.data() + length, &length) == 1;
  EVP_CIPHER_CTX_free(context);
  return opened;
}

TEST_F(BarrierAttackTest, AStolenDatabaseOpensNothing) {
  keyring::StartPolicy full;
  full.resident_limit = 1;  // one key in the token, one wrapped in the database
  Must(OpenAnew(full));
  const Owner wrapped = Owner::OfRoom("wrapped");
  const Bytes sealed[] = {*SealOnCustodian(owner_, "r", "a known secret"),
                          *SealOnCustodian(wrapped, "r", "a known secret")};
  ASSERT_EQ((*barrier_->Find(LaneOf(0), wrapped))->custody, keyring::Custody::kWrapped);
  Close();
  constexpr std::size_t kKeyBytes = 32;
  for (const Bytes& value : EveryValue(DatabaseFile())) {
    EXPECT_EQ(AsText(value).find("a known secret"), std::string_view::npos);
    for (std::size_t at = 0; at + kKeyBytes <= value.size(); ++at) {
      const ByteView key = ByteView(value).subspan(at, kKeyBytes);
      for (const Bytes& record : sealed) {
        const ByteView body = ByteView(record).subspan(5 + 12);
        const ByteView nonce = ByteView(record).subspan(5, 12);
        for (const std::string_view owner : {owner_.Name(), wrapped.Name()}) {
          ASSERT_FALSE(OpensWith(key, nonce, BoundData(owner, PlaceOf("r"), 1), body));
        }
      }
    }
  }
}

}  // namespace
}  // namespace coffer::barrier
