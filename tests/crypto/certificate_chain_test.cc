#include "coffer/crypto/certificate_chain.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "coffer/crypto/public_key.h"
#include "fakes/certificate_authority.h"
#include "fakes/temporary_directory.h"

namespace coffer::crypto {
namespace {

std::string ContentOf(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

class CertificateChainTest : public ::testing::Test {
 protected:
  std::string Refused(const std::string& pem) {
    const auto chain = CertificateChain::FromPem(pem);
    EXPECT_FALSE(chain);
    return chain ? "" : chain.error().message;
  }

  fakes::TemporaryDirectory directory_;
  fakes::CertificateAuthority authority_{directory_.Path(), "authority"};
  fakes::CertificateAuthority stranger_{directory_.Path(), "stranger"};
  const fakes::CertificateAuthority::Issued issued_ = authority_.Issue({});
  const std::string leaf_ = ContentOf(issued_.certificate);
  const std::string root_ = ContentOf(authority_.File());
};

TEST_F(CertificateChainTest, CertificatesInOrderAreKeptAsTheyAre) {
  const auto chain = CertificateChain::FromPem("a comment\n" + leaf_ + "another\n" + root_);
  ASSERT_TRUE(chain) << chain.error().message;
  EXPECT_EQ(chain->Pem(), leaf_ + root_);
  EXPECT_TRUE(PublicKey::FromSpki(chain->Spki()));
  EXPECT_EQ(CertificateChain::FromPem(leaf_)->Pem(), leaf_);
}

TEST_F(CertificateChainTest, WhatIsNoChainIsRefusedAndNamed) {
  const std::string about = "the certificate chain cannot be kept: ";
  EXPECT_EQ(Refused(""), about + "it has no certificate in PEM");
  EXPECT_EQ(Refused("no PEM at all"), about + "it has no certificate in PEM");
  EXPECT_EQ(Refused(root_ + leaf_),
            about + "its first certificate is an authority's and not the key's own");
  EXPECT_EQ(Refused(leaf_ + leaf_), about + "its certificate number 2 is not an authority's");
  EXPECT_EQ(Refused(leaf_ + ContentOf(stranger_.File())),
            about + "its certificate number 2 did not sign the one before it");
  std::string torn = leaf_ + root_;
  torn.resize(torn.size() - 40);
  EXPECT_EQ(Refused(torn), about + "a certificate cannot be read");
  std::string many;
  for (int i = 0; i < 17; ++i) many += leaf_;
  EXPECT_EQ(Refused(many), about + "it has more than 16 certificates");
  EXPECT_EQ(Refused(std::string(65'537, 'x')), about + "it is longer than 65536 bytes");
}

}  // namespace
}  // namespace coffer::crypto
