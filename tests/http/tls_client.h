#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

#include "http/client.h"

namespace coffer::http {

// A blocking TLS client that checks the server's certificate and may show one of its own.
class TlsClient {
 public:
  struct Wish {
    std::string authority;    // empty: any server will do
    std::string certificate;  // empty: none
    std::string key;
    int min_version = TLS1_2_VERSION;
    int max_version = TLS1_3_VERSION;
    std::string suites = "DEFAULT:@SECLEVEL=0";
    std::string protocols;  // ALPN, in its wire form
  };

  TlsClient(std::uint16_t port, const Wish& wish)
      : socket_(port), context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free) {
    SSL_CTX* const context = context_.get();
    SSL_CTX_set_min_proto_version(context, wish.min_version);
    SSL_CTX_set_max_proto_version(context, wish.max_version);
    SSL_CTX_set_cipher_list(context, wish.suites.c_str());
    if (!wish.authority.empty()) {
      SSL_CTX_load_verify_file(context, wish.authority.c_str());
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    }
    if (!wish.certificate.empty()) {
      SSL_CTX_use_certificate_chain_file(context, wish.certificate.c_str());
      SSL_CTX_use_PrivateKey_file(context, wish.key.c_str(), SSL_FILETYPE_PEM);
    }
    ssl_.reset(SSL_new(context));
    if (!wish.protocols.empty()) {
      SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(wish.protocols.data()),
                          static_cast<unsigned>(wish.protocols.size()));
    }
    SSL_set_fd(ssl_.get(), socket_.Fd());
    ERR_clear_error();
    connected_ = SSL_connect(ssl_.get()) == 1;
    ERR_clear_error();
  }

  // True if the handshake succeeded here. In TLS 1.3 a server that refuses the client's certificate
  // says so only afterwards.
  bool Connected() const { return connected_; }
  void Send(std::string_view text) {
    if (connected_) SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
  }
  // Reads until `end` has come or the server has closed, and returns all of it.
  std::string Until(std::string_view end) {
    std::string text;
    char c = 0;
    while (connected_ && !text.ends_with(end) && SSL_read(ssl_.get(), &c, 1) == 1) {
      text.push_back(c);
    }
    ERR_clear_error();
    return text;
  }
  std::string Protocol() const { return SSL_get_version(ssl_.get()); }
  long ServerSerial() const {
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        SSL_get1_peer_certificate(ssl_.get()), &X509_free);
    return ASN1_INTEGER_get(X509_get0_serialNumber(certificate.get()));
  }
  SSL* Raw() { return ssl_.get(); }

 private:
  Client socket_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, &SSL_free};
  bool connected_ = false;
};

}  // namespace coffer::http
