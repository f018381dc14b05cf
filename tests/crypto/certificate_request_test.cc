#include "coffer/crypto/certificate_request.h"

#include <gtest/gtest.h>

#include "coffer/base/base64.h"

namespace coffer::crypto {
namespace {

// RFC 8410 10.1's public key: one whose private part this test does not have.
PublicKey::Shared Ed25519Key() {
  return *PublicKey::FromPem(
      "-----BEGIN PUBLIC KEY-----\n"
      "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
      "-----END PUBLIC KEY-----\n");
}

TEST(CertificateRequestTest, IsTheseOctetsForAnEmptySubject) {
  const auto request = CertificateRequest::FromTemplate("", *Ed25519Key());
  ASSERT_TRUE(request);
  EXPECT_EQ(ToHex(request->ToBeSigned()),
            "3033"                      // CertificationRequestInfo
            "020100"                    // version 1
            "3000"                      // no subject
            "302a300506032b6570032100"  // Ed25519
            "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"
            "a000");  // no attributes
}

TEST(CertificateRequestTest, DoesNotFinishWithAnotherKeysSignature) {
  for (const std::size_t octets : {0U, 1U, 63U, 64U, 65U}) {
    auto request = CertificateRequest::FromTemplate("", *Ed25519Key());
    ASSERT_TRUE(request);
    const auto finished = request->Finish(Bytes(octets, 7));
    ASSERT_FALSE(finished) << octets;
    EXPECT_EQ(finished.error().message, "signature is not of the request's key");
  }
}

TEST(CertificateRequestTest, RefusesWhatIsNoRequest) {
  for (const std::string& pem :
       {std::string("x"),
        std::string("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"
                    "-----END CERTIFICATE REQUEST-----\n"),
        std::string("-----BEGIN PUBLIC KEY-----\n"
                    "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
                    "-----END PUBLIC KEY-----\n"),
        std::string(65'537, '-')}) {
    const auto request = CertificateRequest::FromTemplate(pem, *Ed25519Key());
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().refusal, Refusal::kCertificateRequestUnreadable);
  }
}

}  // namespace
}  // namespace coffer::crypto
