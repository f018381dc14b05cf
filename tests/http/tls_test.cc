#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "coffer/http/server.h"
#include "fakes/certificate_authority.h"
#include "fakes/temporary_directory.h"
#include "http/json_refusals.h"
#include "http/tls_client.h"

namespace coffer::http {
namespace {

using fakes::CertificateAuthority;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

std::string CommonName(const Bytes& der) {
  const unsigned char* at = der.data();
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      d2i_X509(nullptr, &at, static_cast<long>(der.size())), &X509_free);
  char name[64] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name,
                            sizeof name);
  return name;
}

// Answers "PROTOCOL NAME<ISSUER;", the names of the client's verified chain. Waits in /hold until
// Go(), and remembers the paths that were asked for.
class WhoHandler final : public JsonRefusals {
 public:
  void WaitUntilHeld() const { held_.wait(false); }
  void Go() {
    go_.store(true);
    go_.notify_all();
  }
  std::string Asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

  Admission Admit(const Request&) override {
    Admission known;
    known.owner = 1;
    return known;
  }
  void Handle(const Request& request, Response& response) override {
    {
      const std::lock_guard lock(mutex_);
      asked_ += request.path;
    }
    if (request.path == "/hold") {
      held_.store(true);
      held_.notify_all();
      go_.wait(false);
    }
    response.body = request.tls == nullptr ? "plain" : request.tls->protocol;
    if (request.tls != nullptr) {
      for (const Bytes& der : request.tls->client_chain) response.body += " " + CommonName(der);
    }
    response.body.append(request.body.substr(0, 3)).append(";");
  }

 private:
  std::atomic<bool> held_{false};
  std::atomic<bool> go_{false};
  mutable std::mutex mutex_;
  std::string asked_;
};

class TlsTest : public ::testing::Test {
 protected:
  void Start(ClientCertificates wanted = ClientCertificates::kNone, const std::string& crl = "") {
    Listener listener{Listener::Kind::kTcp, "127.0.0.1:0"};
    listener.tls = TlsOptions{};
    listener.tls->certificate_file = Directory() / "server.crt";
    listener.tls->key_file = Directory() / "server.key";
    listener.tls->client_certificates = wanted;
    if (wanted != ClientCertificates::kNone) listener.tls->client_ca_file = clients_.File();
    listener.tls->client_crl_file = crl;
    options_.listeners = {listener};
    options_.max_body_bytes = 1 << 20;
    auto started = Server::Start(options_, handler_, logger_);
    ASSERT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
    port_ = PortOf(server_->Addresses().front());
  }
  void SetUp() override { serial_ = Install(); }
  // Gives the server a new certificate, and returns its serial number.
  long Install() {
    const auto issued = servers_.Issue({"server", "serverAuth"});
    std::filesystem::rename(issued.certificate, Directory() / "server.crt");
    std::filesystem::rename(issued.key, Directory() / "server.key");
    return issued.serial;
  }
  std::filesystem::path Directory() const { return directory_.Path(); }
  TlsClient::Wish Trusting() const {
    TlsClient::Wish wish;
    wish.authority = servers_.File();
    return wish;
  }
  // The answer that a client with this certificate gets; empty if it is refused.
  std::string AnswerTo(const CertificateAuthority::Issued& issued, int version = TLS1_3_VERSION) {
    TlsClient::Wish wish = Trusting();
    wish.max_version = version;
    wish.certificate = issued.certificate;
    wish.key = issued.key;
    TlsClient client(port_, wish);
    client.Send(kGet);
    const std::string answer = client.Until(";");
    return answer.empty() ? "" : answer.substr(answer.find("\r\n\r\n") + 4);
  }

  const fakes::TemporaryDirectory directory_;
  CertificateAuthority servers_{directory_.Path(), "servers"};
  CertificateAuthority clients_{directory_.Path(), "clients"};
  WhoHandler handler_;
  NullLogger logger_;
  Options options_;
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
  long serial_ = 0;
};

TEST_F(TlsTest, AFloodOfRecordsWithoutDataLeavesOthersTheirTurn) {
  options_.workers = 1;
  Start();
  TlsClient holding(port_, Trusting());
  TlsClient flooding(port_, Trusting());
  TlsClient other(port_, Trusting());
  for (TlsClient* const client : {&flooding, &other}) {
    client->Send(kGet);
    client->Until(";");
  }
  holding.Send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
  handler_.WaitUntilHeld();
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(SSL_key_update(flooding.Raw(), SSL_KEY_UPDATE_NOT_REQUESTED), 1);
    ASSERT_EQ(SSL_do_handshake(flooding.Raw()), 1);
  }
  flooding.Send("GET /flood HTTP/1.1\r\nHost: a\r\n\r\n");
  other.Send("GET /other HTTP/1.1\r\nHost: a\r\n\r\n");
  handler_.Go();
  EXPECT_TRUE(other.Until(";").ends_with(";"));
  EXPECT_TRUE(flooding.Until(";").ends_with(";"));
  EXPECT_EQ(handler_.Asked(), "///hold/other/flood");
}

TEST_F(TlsTest, SpeaksTls13AndTls12) {
  Start();
  for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
    TlsClient::Wish wish = Trusting();
    wish.max_version = version;
    TlsClient client(port_, wish);
    client.Send(kGet);
    const std::string expected = version == TLS1_3_VERSION ? "TLSv1.3;" : "TLSv1.2;";
    EXPECT_TRUE(client.Until(";").ends_with("\r\n\r\n" + expected));
    client.Send(kGet);
    EXPECT_TRUE(client.Until(";").ends_with(expected)) << "keep-alive";
  }
}

TEST_F(TlsTest, RefusesOldVersionsAndWeakSuites) {
  Start();
  TlsClient::Wish old = Trusting();
  old.min_version = TLS1_VERSION;
  old.max_version = TLS1_1_VERSION;
  EXPECT_FALSE(TlsClient(port_, old).Connected());
  for (const char* const suite :
       {"ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "AES128-GCM-SHA256", "NULL",
        "DHE-RSA-AES128-GCM-SHA256", "PSK", "aNULL"}) {
    TlsClient::Wish weak = Trusting();
    weak.max_version = TLS1_2_VERSION;
    weak.suites = std::string(suite) + ":@SECLEVEL=0";
    EXPECT_FALSE(TlsClient(port_, weak).Connected()) << suite;
  }
}

TEST_F(TlsTest, OffersNoResumptionAndNoRenegotiation) {
  Start();
  TlsClient::Wish wish = Trusting();
  wish.max_version = TLS1_2_VERSION;
  TlsClient client(port_, wish);
  client.Send(kGet);
  client.Until(";");
  EXPECT_EQ(SSL_SESSION_is_resumable(SSL_get0_session(client.Raw())), 0);
  EXPECT_FALSE(SSL_renegotiate(client.Raw()) == 1 && SSL_do_handshake(client.Raw()) == 1);
  TlsClient newer(port_, Trusting());
  newer.Send(kGet);
  newer.Until(";");
  EXPECT_EQ(SSL_SESSION_is_resumable(SSL_get0_session(newer.Raw())), 0);
}

TEST_F(TlsTest, SpeaksHttp11OnlyToThoseWhoAskForIt) {
  Start();
  TlsClient::Wish both = Trusting();
  both.protocols = "\x02h2\x08http/1.1";
  TlsClient client(port_, both);
  ASSERT_TRUE(client.Connected());
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(client.Raw(), &chosen, &size);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(chosen), size), "http/1.1");
  TlsClient::Wish other = Trusting();
  other.protocols = "\x02h2";
  EXPECT_FALSE(TlsClient(port_, other).Connected());
}

TEST_F(TlsTest, ReadsABodyOfManyRecordsAndPipelinedRequests) {
  Start();
  TlsClient client(port_, Trusting());
  const std::string body(900'000, 'b');
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n" + body +
              std::string(kGet) + std::string(kGet));
  EXPECT_TRUE(client.Until("TLSv1.3bbb;").ends_with("TLSv1.3bbb;"));
  EXPECT_TRUE(client.Until("TLSv1.3;").ends_with("TLSv1.3;"));
  EXPECT_TRUE(client.Until("TLSv1.3;").ends_with("TLSv1.3;"));
}

TEST_F(TlsTest, PlainHttpOnATlsPortIsToldSoInPlain) {
  Start();
  for (const char* method : {"GET", "LIST", "POST"}) {
    Client client(port_);
    client.Send(std::string(method) + " / HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string answer = client.UntilClosed();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
    EXPECT_TRUE(
        answer.ends_with("{\"errors\":[\"client sent an HTTP request to an HTTPS server\"]}\n"))
        << answer;
  }
}

TEST_F(TlsTest, WhatIsNeitherTlsNorHttpGetsNoAnswerInPlain) {
  Start();
  for (const char* text : {"\x15\x03\x01\r\n\r\n", "get / HTTP/1.1\r\n\r\n", "\x80\x2e"}) {
    Client client(port_);
    client.Send(text);
    ::shutdown(client.Fd(), SHUT_WR);
    EXPECT_EQ(client.UntilClosed().find("HTTP/"), std::string::npos);
  }
}

TEST_F(TlsTest, AVerifiedChainReachesTheRequest) {
  Start(ClientCertificates::kRequired, clients_.Revoke({}));
  EXPECT_EQ(AnswerTo(clients_.Issue({"alice"})), "TLSv1.3 alice clients;");
  EXPECT_EQ(AnswerTo(clients_.Issue({"bob"}), TLS1_2_VERSION), "TLSv1.2 bob clients;");
}

TEST_F(TlsTest, RefusesEveryOtherClientCertificate) {
  const auto revoked = clients_.Issue({"revoked"});
  CertificateAuthority strangers(Directory(), "strangers");
  const std::vector<std::pair<std::string, CertificateAuthority::Issued>> cases{
      {"revoked", revoked},
      {"expired", clients_.Issue({"expired", "clientAuth", -7200, -3600})},
      {"not yet valid", clients_.Issue({"early", "clientAuth", 3600, 7200})},
      {"wrong purpose", clients_.Issue({"server", "serverAuth"})},
      {"unknown authority", strangers.Issue({"stranger"})},
      {"the server's own authority", servers_.Issue({"other"})},
  };
  for (const auto wanted : {ClientCertificates::kRequired, ClientCertificates::kOptional}) {
    Start(wanted, clients_.Revoke({revoked.serial}));
    for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
      for (const auto& [what, issued] : cases) EXPECT_EQ(AnswerTo(issued, version), "") << what;
      EXPECT_NE(AnswerTo(clients_.Issue({"good"}), version), "");
    }
  }
}

TEST_F(TlsTest, AnAuthorityWithoutARevocationListOrWithAnOldOneIsRefused) {
  CertificateAuthority others(Directory(), "others");
  Start(ClientCertificates::kRequired, others.Revoke({}));
  EXPECT_EQ(AnswerTo(clients_.Issue({"alice"})), "");
  Start(ClientCertificates::kRequired, clients_.Revoke({}, -60));
  EXPECT_EQ(AnswerTo(clients_.Issue({"alice"})), "");
}

TEST_F(TlsTest, ARequiredCertificateMustBeThereAnOptionalOneNeedNot) {
  Start(ClientCertificates::kRequired);
  EXPECT_EQ(AnswerTo({}), "");
  Start(ClientCertificates::kOptional);
  EXPECT_EQ(AnswerTo({}), "TLSv1.3;");
}

TEST_F(TlsTest, AClientThatHasSaidAllIsAnsweredAll) {
  options_.turn = std::chrono::milliseconds{0};  // over with each request
  Start();
  constexpr int kMany = 10;
  std::string many;
  for (int i = 1; i < kMany; ++i) many += "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  many += "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  many += std::string(SSL3_RT_MAX_PLAIN_LENGTH - 4 - many.size(), 'x') + "\r\n\r\n";
  TlsClient client(port_, Trusting());
  // A whole record and the end after it go in one segment, so that the server reads both at once.
  const int fd = SSL_get_fd(client.Raw());
  int cork = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_CORK, &cork, sizeof cork);
  client.Send(many);
  SSL_shutdown(client.Raw());
  cork = 0;
  ::setsockopt(fd, IPPROTO_TCP, TCP_CORK, &cork, sizeof cork);
  int answers = 0;
  while (client.Until(";").ends_with("TLSv1.3;")) ++answers;
  EXPECT_EQ(answers, kMany);
}

TEST_F(TlsTest, AReloadServesTheNewCertificateToNewConnectionsAndKeepsTheOld) {
  Start();
  TlsClient before(port_, Trusting());
  before.Send(kGet);
  before.Until(";");
  const long renewed = Install();
  const auto read = server_->ReadTls();
  ASSERT_TRUE(read);
  EXPECT_EQ(TlsClient(port_, Trusting()).ServerSerial(), serial_) << "reading changes nothing";
  (*read)();
  TlsClient after(port_, Trusting());
  EXPECT_EQ(before.ServerSerial(), serial_);
  EXPECT_EQ(after.ServerSerial(), renewed);
  before.Send(kGet);
  EXPECT_TRUE(before.Until(";").ends_with("TLSv1.3;"));
}

TEST_F(TlsTest, ReloadsUnderLoadDropNoRequest) {
  Start();
  constexpr int kThreads = 3;
  std::atomic<bool> stop{false};
  std::atomic<int> served{0};
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        TlsClient client(port_, Trusting());
        for (int k = 0; k < 5; ++k) {
          client.Send(kGet);
          (client.Until(";").ends_with("TLSv1.3;") ? served : failed) += 1;
        }
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    Install();
    server_->ReadTls().value()();
    const int before = served;
    while (served < before + 10 && failed == 0) std::this_thread::yield();
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
}

TEST_F(TlsTest, ARevocationTakesEffectAtTheReload) {
  const auto alice = clients_.Issue({"alice"});
  Start(ClientCertificates::kRequired, clients_.Revoke({}));
  EXPECT_NE(AnswerTo(alice), "");
  clients_.Revoke({alice.serial});
  EXPECT_NE(AnswerTo(alice), "");
  server_->ReadTls().value()();
  EXPECT_EQ(AnswerTo(alice), "");
}

TEST_F(TlsTest, AReloadOfFilesThatAreNoUseKeepsWhatWas) {
  Start();
  std::ofstream(Directory() / "server.crt", std::ios::trunc) << "no certificate";
  const auto done = server_->ReadTls();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::kInvalid);
  TlsClient client(port_, Trusting());
  EXPECT_EQ(client.ServerSerial(), serial_);
}

class TlsFilesTest : public TlsTest {
 protected:
  std::string Refusal() {
    const auto started = Server::Start(options_, handler_, logger_);
    return started ? "" : started.error().message;
  }
  void SetUp() override {
    TlsTest::SetUp();
    Start();
    server_.reset();
  }
};

TEST_F(TlsFilesTest, AreCheckedAtTheStartWithTheirNames) {
  TlsOptions& tls = *options_.listeners.front().tls;
  const std::string key = tls.key_file;
  tls.key_file = Directory() / "absent";
  EXPECT_EQ(Refusal(), "failed to read key " + tls.key_file + ": No such file or directory");
  tls.key_file = servers_.Issue({"another"}).key;
  EXPECT_EQ(Refusal(), "failed to use key " + tls.key_file + ": key values mismatch");
  std::filesystem::permissions(key, std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  tls.key_file = key;
  EXPECT_EQ(Refusal(), "key " + key + " is open to everybody: chmod o= it");
}

TEST_F(TlsFilesTest, AnEncryptedKeyIsRefusedInsteadOfAskingAtTheTerminal) {
  TlsOptions& tls = *options_.listeners.front().tls;
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"),
                                                                &EVP_PKEY_free);
  tls.key_file = Directory() / "encrypted";
  std::FILE* const out = std::fopen(tls.key_file.c_str(), "w");
  PEM_write_PrivateKey(out, key.get(), EVP_aes_128_cbc(), nullptr, 0, nullptr,
                       const_cast<char*>("pass"));
  std::fclose(out);
  std::filesystem::permissions(tls.key_file, std::filesystem::perms::owner_read);
  EXPECT_TRUE(Refusal().starts_with("failed to use key " + tls.key_file)) << Refusal();
}

}  // namespace
}  // namespace coffer::http
