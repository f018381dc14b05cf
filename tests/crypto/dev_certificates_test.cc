#include "coffer/crypto/dev_certificates.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "fakes/temporary_directory.h"

namespace coffer::crypto {
namespace {

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

Certificate Read(const std::filesystem::path& file) {
  std::FILE* const in = std::fopen(file.c_str(), "r");
  Certificate certificate(PEM_read_X509(in, nullptr, nullptr, nullptr), &X509_free);
  std::fclose(in);
  return certificate;
}
std::string TextOf(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

class DevCertificatesTest : public ::testing::Test {
 protected:
  DevCertificates Make(const std::vector<std::string>& names) {
    return MakeDevCertificates(directory_.Path(), names, now_).value();
  }
  const fakes::TemporaryDirectory directory_;
  SystemTime now_ = std::chrono::system_clock::now();
};

TEST_F(DevCertificatesTest, AreForTheirNamesAndSignedByTheAuthority) {
  const auto files = Make({"localhost", "127.0.0.1", "::1"});
  const Certificate server = Read(files.certificate);
  const Certificate authority = Read(files.authority);
  EXPECT_EQ(X509_verify(server.get(), X509_get0_pubkey(authority.get())), 1);
  EXPECT_EQ(X509_check_ip_asc(server.get(), "127.0.0.1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(server.get(), "::1", 0), 1);
  EXPECT_EQ(X509_check_host(server.get(), "localhost", 0, 0, nullptr), 1);
  EXPECT_NE(X509_check_host(server.get(), "example.org", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_purpose(server.get(), X509_PURPOSE_SSL_SERVER, 0), 1);
  EXPECT_NE(X509_check_purpose(server.get(), X509_PURPOSE_SSL_CLIENT, 0), 1);
  EXPECT_EQ(X509_check_ca(server.get()), 0);
  EXPECT_EQ(X509_check_ca(authority.get()), 1);
}

TEST_F(DevCertificatesTest, TheKeyIsForItsOwnerOnlyAndTheAuthoritysIsNotKept) {
  const auto files = Make({"localhost"});
  struct stat found {};
  ASSERT_EQ(::stat(files.key.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
  int keys = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory_.Path())) {
    if (TextOf(entry.path()).find("PRIVATE KEY") != std::string::npos) ++keys;
  }
  EXPECT_EQ(keys, 1);
}

TEST_F(DevCertificatesTest, AreKeptUntilNamesOrTimeAskForNewOnes) {
  const std::string first = TextOf(Make({"localhost"}).certificate);
  EXPECT_EQ(TextOf(Make({"localhost"}).certificate), first);
  const std::string second = TextOf(Make({"localhost", "192.0.2.1"}).certificate);
  EXPECT_NE(second, first);
  now_ += std::chrono::hours(24 * 88);
  EXPECT_EQ(TextOf(Make({"localhost"}).certificate), second);
  now_ += std::chrono::hours(24 * 2);
  EXPECT_NE(TextOf(Make({"localhost"}).certificate), second);
}

}  // namespace
}  // namespace coffer::crypto
