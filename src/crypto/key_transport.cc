#include "coffer/crypto/key_transport.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>

#include "openssl_scope.h"

namespace coffer::crypto {
namespace {

using Key = std::unique_ptr<EVP_PKEY, FreeWith<::EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, FreeWith<::BIO_free>>;

constexpr std::size_t kMaxFile = 64 * 1024;

// Answers OpenSSL's question for a passphrase with none, so that it does not ask on the terminal.
int RefusePassphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Key ReadPem(ByteView file, bool& encrypted) {
  const Bio in(::BIO_new_mem_buf(file.data(), static_cast<int>(file.size())));
  return Key(::PEM_read_bio_PrivateKey(in.get(), nullptr, &RefusePassphrase, &encrypted));
}

Key ReadDer(ByteView file) {
  const std::uint8_t* at = file.data();
  Key key(::d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(file.size())));
  const bool whole = at == file.data() + file.size();
  return whole ? std::move(key) : Key();
}

}  // namespace

Result<SecretBytes> PrivateKeyAsPkcs8(const SecretBytes& file) {
  const ErrorMark mark;
  if (file.size() > kMaxFile) return Fail(Code::kNotFound, "not a private key");
  bool encrypted = false;
  Key key = ReadPem(file.Reveal(), encrypted);
  if (encrypted) {
    return Fail(Code::kInvalid,
                "the private key is behind a passphrase: take that away first, "
                "with openssl pkey for example");
  }
  if (!key) key = ReadDer(file.Reveal());
  if (!key) return Fail(Code::kNotFound, "not a private key");
  const std::unique_ptr<PKCS8_PRIV_KEY_INFO, FreeWith<::PKCS8_PRIV_KEY_INFO_free>> info(
      ::EVP_PKEY2PKCS8(key.get()));
  const int size = info ? ::i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr) : -1;
  if (size <= 0) return Fail(Code::kInvalid, "the key has no private part that could be imported");
  SecretBytes der(static_cast<std::size_t>(size));
  std::uint8_t* out = der.RevealMutable().data();
  ::i2d_PKCS8_PRIV_KEY_INFO(info.get(), &out);
  return der;
}

Result<Bytes> WrapForImport(const PublicKey& wrapping_key, HashAlgorithm hash,
                            const SecretBytes& key, Random& random) {
  constexpr std::size_t kAesKey = 32;
  constexpr std::size_t kMostMore = 16;  // of AES-KWP: an integrity block and padding
  const ErrorMark mark;
  SecretBytes ephemeral(kAesKey);
  random.Fill(ephemeral.RevealMutable());
  COFFER_ASSIGN(Bytes wrapped, wrapping_key.EncryptOaep(hash, ephemeral.Reveal()));
  const std::unique_ptr<EVP_CIPHER_CTX, FreeWith<::EVP_CIPHER_CTX_free>> context(
      ::EVP_CIPHER_CTX_new());
  ::EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  Bytes sealed(key.size() + kMostMore);
  int size = 0;
  const bool done = key.size() <= kMaxFile &&
                    ::EVP_EncryptInit_ex(context.get(), ::EVP_aes_256_wrap_pad(), nullptr,
                                         ephemeral.Reveal().data(), nullptr) == 1 &&
                    ::EVP_EncryptUpdate(context.get(), sealed.data(), &size, key.Reveal().data(),
                                        static_cast<int>(key.size())) == 1;
  if (!done) return Fail(Code::kInvalid, "failed to wrap the key");
  wrapped.insert(wrapped.end(), sealed.begin(), sealed.begin() + size);
  return wrapped;
}

}  // namespace coffer::crypto
