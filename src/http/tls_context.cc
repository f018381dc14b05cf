#include "http/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "http/tls_stream.h"

namespace coffer::http {
namespace {

// The cipher suites have forward secrecy and AEAD only (RFC 9325, 4.2).
constexpr const char* kTls12Suites =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kTls13Suites =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr const char* kSignatures =
    "ECDSA+SHA256:ed25519:RSA-PSS+SHA256:ECDSA+SHA384:RSA-PSS+SHA384:ECDSA+SHA512:RSA-PSS+SHA512:"
    "RSA+SHA256:RSA+SHA384:RSA+SHA512";
constexpr int kMaxChain = 5;

auto FromOpenSsl(const std::string& what) {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return Fail(Code::kInvalid,
              "failed to " + what + ": " + (reason != nullptr ? reason : "the file is no use"));
}

// Gives no passphrase for a key. Without this function OpenSSL would ask for one at the terminal.
int NoPassphrase(char*, int, int, void*) { return 0; }

Status CheckKeyFile(const std::string& file) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0) {
    return Fail(Code::kInvalid, "failed to read key " + file + ": " + std::strerror(errno));
  }
  if ((found.st_mode & 07U) != 0) {
    return Fail(Code::kInvalid, "key " + file + " is open to everybody: chmod o= it");
  }
  return {};
}

// Only "http/1.1" is spoken here; a client that offers other protocols only is told so (RFC 7301,
// 3.2).
int SelectProtocol(SSL*, const unsigned char** out, unsigned char* out_size,
                   const unsigned char* offered, unsigned int offered_size, void*) {
  static constexpr unsigned char kHttp11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kHttp11, sizeof kHttp11, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

Status Harden(SSL_CTX* context) {
  const bool set = SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
                   SSL_CTX_set_cipher_list(context, kTls12Suites) == 1 &&
                   SSL_CTX_set_ciphersuites(context, kTls13Suites) == 1 &&
                   SSL_CTX_set1_groups_list(context, kGroups) == 1 &&
                   SSL_CTX_set1_sigalgs_list(context, kSignatures) == 1;
  if (!set) return FromOpenSsl("set up TLS");
  SSL_CTX_set_security_level(context, 2);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_CLEANSE_PLAINTEXT |
                                   SSL_OP_NO_TICKET);
  // Sessions are not resumed: every connection verifies its certificate against the present lists,
  // and no ticket from before a reload is accepted.
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  // OpenSSL reads one record at a time: otherwise a client that goes on sending records without
  // data, such as changes of its key, would keep its worker in one call for as long as it likes.
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_alpn_select_cb(context, SelectProtocol, nullptr);
  SSL_CTX_set_default_passwd_cb(context, NoPassphrase);
  return {};
}

Status LoadRevocationLists(SSL_CTX* context, const std::string& file) {
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  X509_LOOKUP* const lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
  if (lookup == nullptr || X509_load_crl_file(lookup, file.c_str(), X509_FILETYPE_PEM) <= 0) {
    return FromOpenSsl("read revocation lists " + file);
  }
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return {};
}

Status AskForClientCertificates(SSL_CTX* context, const TlsOptions& options) {
  if (options.client_certificates == ClientCertificates::kNone) return {};
  const std::string& file = options.client_ca_file;
  if (file.empty()) {
    return Fail(Code::kInvalid, "client certificates need the file of their authorities");
  }
  STACK_OF(X509_NAME)* const names = SSL_load_client_CA_file(file.c_str());
  if (names == nullptr) return FromOpenSsl("read authorities " + file);
  SSL_CTX_set_client_CA_list(context, names);
  if (SSL_CTX_load_verify_file(context, file.c_str()) != 1) {
    return FromOpenSsl("read authorities " + file);
  }
  if (!options.client_crl_file.empty()) {
    COFFER_TRY(LoadRevocationLists(context, options.client_crl_file));
  }
  // The purpose "TLS client" is checked by OpenSSL for every certificate that a server verifies.
  const bool required = options.client_certificates == ClientCertificates::kRequired;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                     nullptr);
  SSL_CTX_set_verify_depth(context, kMaxChain);
  return {};
}

Status LoadCertificate(SSL_CTX* context, const TlsOptions& options) {
  COFFER_TRY(CheckKeyFile(options.key_file));
  if (SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str()) != 1) {
    return FromOpenSsl("read certificate " + options.certificate_file);
  }
  if (SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return FromOpenSsl("use key " + options.key_file);
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::Load(const TlsOptions& options) {
  ERR_clear_error();
  SSL_CTX* const made = SSL_CTX_new(TLS_server_method());
  if (made == nullptr) return FromOpenSsl("set up TLS");
  std::shared_ptr<const TlsContext> context(new TlsContext(made));
  COFFER_TRY(Harden(made));
  COFFER_TRY(LoadCertificate(made, options));
  COFFER_TRY(AskForClientCertificates(made, options));
  return context;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

std::unique_ptr<Stream> TlsContext::MakeStream(int fd) const {
  SSL* const ssl = SSL_new(context_);
  if (ssl == nullptr) return nullptr;
  if (SSL_set_fd(ssl, fd) != 1) {
    SSL_free(ssl);
    return nullptr;
  }
  SSL_set_accept_state(ssl);
  return std::make_unique<TlsStream>(ssl);
}

}  // namespace coffer::http
