#include "http/tls_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace coffer::http {
namespace {

std::string ReasonOf(const SSL* ssl) {
  const long verdict = SSL_get_verify_result(ssl);
  if (verdict != X509_V_OK) {
    return std::string("client certificate: ") + X509_verify_cert_error_string(verdict);
  }
  const char* const reason = ERR_reason_error_string(ERR_peek_error());
  return reason != nullptr ? reason : "the client hung up";
}

Bytes Der(X509* certificate) {
  unsigned char* encoded = nullptr;
  const int size = i2d_X509(certificate, &encoded);
  if (size <= 0) return {};
  Bytes der(encoded, encoded + size);
  OPENSSL_free(encoded);
  return der;
}

}  // namespace

TlsStream::~TlsStream() { SSL_free(ssl_); }

IoResult TlsStream::Outcome(int returned, std::size_t size) {
  if (returned > 0) return {IoResult::State::kOk, size};
  switch (SSL_get_error(ssl_, returned)) {
    case SSL_ERROR_WANT_READ:
      return {IoResult::State::kWaitRead, 0};
    case SSL_ERROR_WANT_WRITE:
      return {IoResult::State::kWaitWrite, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {IoResult::State::kEnd, 0};
    default:
      usable_ = false;
      return {IoResult::State::kFailed, 0};
  }
}

IoResult TlsStream::Handshake() {
  ERR_clear_error();
  const IoResult result = Outcome(SSL_do_handshake(ssl_), 0);
  if (result.state == IoResult::State::kOk) NoteFacts();
  if (result.state == IoResult::State::kFailed) failure_ = ReasonOf(ssl_);
  return result;
}

void TlsStream::NoteFacts() {
  auto facts = std::make_shared<TlsFacts>();
  facts->protocol = SSL_get_version(ssl_);
  facts->cipher = SSL_get_cipher_name(ssl_);
  if (const STACK_OF(X509)* const chain = SSL_get0_verified_chain(ssl_);
      chain != nullptr && SSL_get_verify_result(ssl_) == X509_V_OK) {
    for (int i = 0; i < sk_X509_num(chain); ++i) {
      facts->client_chain.push_back(Der(sk_X509_value(chain, i)));
    }
  }
  facts_ = std::move(facts);
}

IoResult TlsStream::Read(std::span<char> into) {
  if (!usable_) return {IoResult::State::kFailed, 0};
  ERR_clear_error();
  std::size_t size = 0;
  const int returned = SSL_read_ex(ssl_, into.data(), into.size(), &size);
  return Outcome(returned, size);
}

IoResult TlsStream::Write(std::string_view from) {
  if (!usable_) return {IoResult::State::kFailed, 0};
  ERR_clear_error();
  std::size_t size = 0;
  const int returned = SSL_write_ex(ssl_, from.data(), from.size(), &size);
  return Outcome(returned, size);
}

void TlsStream::EndWriting() {
  if (!usable_ || facts_ == nullptr) return;
  ERR_clear_error();
  static_cast<void>(SSL_shutdown(ssl_));
  ERR_clear_error();
}

// True if a whole record came: the next may be there already, and a client that sends a large body
// is worth asking at once. A rest shorter than a record always shows on the socket.
bool TlsStream::MayHoldMore(std::size_t size) const { return size >= SSL3_RT_MAX_PLAIN_LENGTH; }

}  // namespace coffer::http
