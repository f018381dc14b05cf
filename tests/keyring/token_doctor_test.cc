#include "coffer/keyring/token_doctor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "fakes/faulty_pkcs11_module.h"
#include "fakes/softhsm_token.h"

namespace coffer::keyring {
namespace {

class TokenDoctorTest : public ::testing::Test {
 protected:
  TokenDoctorTest() {
    location_.module = fakes::SoftHsmToken::Library();
    location_.label = token_.Label();
    location_.copies_directory = token_.Directory();
  }
  Diagnosis Examine(std::chrono::milliseconds window = {}) {
    auto diagnosis = ExamineToken(location_, token_.UserPin(),
                                  {.window = window, .token_objects = false, .progress = {}});
    EXPECT_TRUE(diagnosis) << diagnosis.error().message << " | " << diagnosis.error().cause;
    return diagnosis ? *std::move(diagnosis) : Diagnosis{};
  }
  static const Finding& Of(const Diagnosis& diagnosis, std::string_view type,
                           std::string_view operation) {
    static const Finding none;
    const auto found = std::ranges::find_if(diagnosis.findings, [&](const Finding& finding) {
      return finding.key_type == type && finding.operation == operation;
    });
    EXPECT_NE(found, diagnosis.findings.end()) << type << " " << operation;
    return found == diagnosis.findings.end() ? none : *found;
  }
  // Only a module that is loaded can be told to misbehave.
  fakes::FaultyPkcs11Module UseFaultyModule() {
    location_.module = COFFER_FAULTY_MODULE;
    location_.copies_directory.clear();
    EXPECT_TRUE(pkcs11::Module::Load(location_.module, pkcs11::Threading::kOsLocking));
    return fakes::FaultyPkcs11Module(COFFER_FAULTY_MODULE);
  }
  std::set<std::string> TokenFiles() const {
    std::set<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(token_.TokenDirectory()))
      files.insert(entry.path().string());
    return files;
  }

  fakes::SoftHsmToken token_;
  TokenLocation location_;
};

TEST_F(TokenDoctorTest, FindsOutWhatSoftHsmDoesWithEveryTypeAndLeavesNothingThere) {
  const auto before = TokenFiles();
  const Diagnosis diagnosis = Examine();
  EXPECT_EQ(TokenFiles(), before);
  EXPECT_EQ(diagnosis.left_behind, 0U);
  EXPECT_FALSE(diagnosis.keeps_session_objects);
  EXPECT_EQ(diagnosis.token.serial, token_.Serial());
  EXPECT_EQ(diagnosis.key_wrap, "0x210a");
  EXPECT_EQ(diagnosis.unwrap_template, "enforced");
  EXPECT_TRUE(diagnosis.keeps_epoch);
  EXPECT_EQ(diagnosis.missing, std::vector<std::string>{});

  for (const auto& [type, operation] :
       {std::pair{"aes128-gcm96", "encrypt"}, std::pair{"aes256-gcm96", "decrypt"},
        std::pair{"aes256-gcm96", "refuse a changed tag"}, std::pair{"aes256-gcm96", "derive"},
        std::pair{"rsa-2048", "decrypt"}, std::pair{"rsa-3072", "sign pkcs1v15"},
        std::pair{"rsa-4096", "sign pss"}, std::pair{"ecdsa-p256", "sign"},
        std::pair{"ecdsa-p384", "create"}, std::pair{"ecdsa-p521", "sign"},
        std::pair{"hmac", "hmac"}, std::pair{"aes192-cmac", "cmac"}, std::pair{"hmac", "load"}}) {
    const Finding& finding = Of(diagnosis, type, operation);
    EXPECT_EQ(finding.way, Way::kWrapped) << type << " " << operation << ": " << finding.note;
    EXPECT_EQ(finding.per_second, 0);
  }
  EXPECT_EQ(Of(diagnosis, "rsa-2048", "encrypt").way, Way::kPublicOutside);
  EXPECT_EQ(Of(diagnosis, "ecdsa-p256", "verify").way, Way::kPublicOutside);
  EXPECT_EQ(Of(diagnosis, "rsa-2048", "decrypt").note,
            "raw RSA in the token, OAEP's padding outside");
  const Finding& edwards = Of(diagnosis, "ed25519", "sign");
  EXPECT_EQ(edwards.way, Way::kResident) << edwards.note;
  EXPECT_TRUE(Of(diagnosis, "ed25519", "create").note.starts_with("not wrapped: "));
  const Finding& refused = Of(diagnosis, "chacha20-poly1305", "create");
  EXPECT_EQ(refused.way, Way::kRefused);
  EXPECT_NE(refused.note.find("CKR_MECHANISM_INVALID"), std::string::npos) << refused.note;
}

TEST_F(TokenDoctorTest, MeasuresSpeedsOfWhatWorksOnly) {
  std::vector<std::string> types;
  const auto diagnosis =
      ExamineToken(location_, token_.UserPin(),
                   {.window = std::chrono::milliseconds(1),
                    .token_objects = false,
                    .progress = [&](std::string_view type) { types.emplace_back(type); }});
  ASSERT_TRUE(diagnosis);
  for (const Finding& finding : diagnosis->findings) {
    EXPECT_EQ(finding.per_second > 0, finding.way != Way::kRefused)
        << finding.key_type << " " << finding.operation;
  }
  EXPECT_EQ(types.size(), KeyTypes().size());
}

TEST_F(TokenDoctorTest, KeepsNothingWrappedInATokenThatIgnoresUnwrapTemplates) {
  fakes::FaultyPkcs11Module faulty = UseFaultyModule();
  faulty.Set(fakes::Pkcs11Fault::kNoUnwrapTemplates);
  const Diagnosis diagnosis = Examine();
  EXPECT_EQ(diagnosis.unwrap_template, "ignored");
  EXPECT_EQ(diagnosis.missing, std::vector<std::string>{"an unwrap template that is enforced"});
  EXPECT_TRUE(std::ranges::none_of(
      diagnosis.findings, [](const Finding& finding) { return finding.way == Way::kWrapped; }));
  EXPECT_EQ(Of(diagnosis, "aes256-gcm96", "encrypt").way, Way::kResident);
  EXPECT_EQ(Of(diagnosis, "aes256-gcm96", "create").note,
            "not wrapped: the token ignores unwrap templates: its PIN would unwrap every key in "
            "the clear");
}

TEST_F(TokenDoctorTest, TriesAWrongPinOnceAndFindsNoAbsentToken) {
  fakes::FaultyPkcs11Module faulty = UseFaultyModule();
  const int before = faulty.Logins();
  const auto wrong = ExamineToken(location_, fakes::SoftHsmToken::RandomPin(), {});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Code::kPinIncorrect);
  EXPECT_EQ(faulty.Logins(), before + 1);
  location_.label = "elsewhere";
  const auto absent = ExamineToken(location_, token_.UserPin(), {});
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, Code::kNotFound);
}

}  // namespace
}  // namespace coffer::keyring
