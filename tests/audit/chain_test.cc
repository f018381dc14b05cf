#include "coffer/audit/chain.h"

#include <gtest/gtest.h>

#include <string>

#include "coffer/crypto/ecdsa.h"
#include "fakes/software_signer.h"

namespace coffer::audit {
namespace {

// The bytes that docs/formats.md promises.
TEST(Chain, HasItsGoldenOctets) {
  std::string first = R"({"time":"2026-11-24T12:00:00Z","type":"request")";
  const ChainPosition one = SealLine({}, first);
  EXPECT_EQ(first,
            "{\"time\":\"2026-11-24T12:00:00Z\",\"type\":\"request\",\"chain\":{\"seq\":1,\"prev\":"
            "\"0000000000000000000000000000000000000000000000000000000000000000\",\"hash\":"
            "\"89e2b416ca46ac11557383054008cf8cc4c8d482213abda0fbc0123e43112e96\"}}\n");
  std::string second = R"({"type":"response")";
  const ChainPosition two = SealLine(one, second);
  EXPECT_EQ(two.sequence, 2U);
  EXPECT_NE(second.find(ToHex(one.hash) + "\",\"hash\":\"" + ToHex(two.hash)), std::string::npos);
}

TEST(Chain, ABeginningThatWasHashedBeforeChangesNothing) {
  const LineBeginning beginning(R"({"auth":{},"request":{})" + std::string(170, ' '));
  for (const std::string rest : {R"(,"type":"request")", R"(,"type":"response")", ""}) {
    std::string whole = beginning.Text() + rest;
    const ChainPosition expected = SealLine({}, whole);
    HashedLine line(beginning, rest);
    EXPECT_EQ(line.Seal({}), expected);
    EXPECT_EQ(std::string(line.Beginning()) + line.Rest(), whole);
    EXPECT_EQ(line.Octets(), whole.size());
  }
}

TEST(Chain, ReadsBackWhateverItSealed) {
  for (const std::string content : {R"({"type":"request")", "{", ""}) {
    for (const std::uint64_t sequence : {0U, 41U}) {
      const ChainPosition before{sequence, crypto::Sha256(AsBytes("before"))};
      std::string line = content;
      const ChainPosition at = SealLine(before, line);
      line.pop_back();
      SealedLine sealed;
      ASSERT_TRUE(ReadSealedLine(line, sealed)) << line;
      EXPECT_EQ(sealed.at, at);
      EXPECT_EQ(sealed.before, before.hash);
      EXPECT_TRUE(sealed.Intact());
    }
  }
}

TEST(Chain, SeesTheChangeOfAnyOneOctet) {
  std::string line = R"({"type":"request","x":"y")";
  SealLine({}, line);
  line.pop_back();
  for (std::size_t i = 0; i < line.size(); ++i) {
    for (const int flip : {1, 32, 128}) {
      std::string changed = line;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      SealedLine sealed;
      EXPECT_FALSE(ReadSealedLine(changed, sealed) && sealed.Intact()) << i;
    }
  }
}

TEST(Chain, TakesNoLineThatIsNotWhole) {
  std::string line = R"({"type":"request")";
  SealLine({}, line);
  line.pop_back();
  SealedLine sealed;
  for (std::size_t size = 0; size < line.size(); ++size) {
    EXPECT_FALSE(ReadSealedLine(std::string_view(line).substr(0, size), sealed)) << size;
  }
  std::string padded = line;
  padded.replace(padded.find("\"seq\":1"), 7, "\"seq\":01");
  EXPECT_FALSE(ReadSealedLine(padded, sealed));
  padded.replace(padded.find("\"seq\":01"), 8, "\"seq\":99999999999999999999");
  EXPECT_FALSE(ReadSealedLine(padded, sealed));
}

TEST(Chain, CheckpointsComeBackAndTheirSignatureCoversEveryField) {
  const fakes::SoftwareSigner signer;
  const auto key = crypto::EcdsaP256Key::FromDer(signer.PublicKey());
  ASSERT_TRUE(key);
  Checkpoint checkpoint{
      {7, crypto::Sha256(AsBytes("x"))}, "2026-11-24T12:00:00.5Z", KeyId(signer.PublicKey()), {}};
  checkpoint.signature = signer.Sign(SignedOctets(checkpoint));
  std::string line = CheckpointLine(checkpoint);
  SealLine({7, checkpoint.at.hash}, line);
  EXPECT_TRUE(IsCheckpointLine(line));
  Checkpoint read;
  ASSERT_TRUE(ReadCheckpoint(line, read));
  EXPECT_EQ(read.at, checkpoint.at);
  EXPECT_EQ(read.time, checkpoint.time);
  EXPECT_EQ(read.key_id, checkpoint.key_id);
  EXPECT_TRUE(key->Verify(SignedOctets(read), read.signature));
  const auto broken = [&](auto change) {
    Checkpoint other = read;
    change(other);
    return !key->Verify(SignedOctets(other), other.signature);
  };
  EXPECT_TRUE(broken([](Checkpoint& c) { ++c.at.sequence; }));
  EXPECT_TRUE(broken([](Checkpoint& c) { c.at.hash[31] ^= 1; }));
  EXPECT_TRUE(broken([](Checkpoint& c) { c.time[0] = '3'; }));
  EXPECT_TRUE(broken([](Checkpoint& c) { c.key_id[0] ^= 1; }));
}

TEST(Chain, TellsCheckpointsFromEntriesThatSpeakOfThem) {
  EXPECT_FALSE(
      IsCheckpointLine(R"({"time":"2026-11-24T12:00:00Z","type":"request","request":)"
                       R"({"path":"\",\"type\":\"checkpoint\",\"checkpoint\":{\"seq\":"}})"));
  EXPECT_FALSE(IsCheckpointLine(""));
  Checkpoint checkpoint;
  EXPECT_FALSE(ReadCheckpoint("", checkpoint));
  EXPECT_FALSE(
      ReadCheckpoint(R"({"time":"x","type":"checkpoint","checkpoint":{"seq":x)", checkpoint));
}

}  // namespace
}  // namespace coffer::audit
