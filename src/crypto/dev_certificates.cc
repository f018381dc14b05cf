#include "coffer/crypto/dev_certificates.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include "openssl_scope.h"

namespace coffer::crypto {
namespace {

namespace fs = std::filesystem;

constexpr long kDay = 24L * 60 * 60;
constexpr long kGoodFor = 90 * kDay;

using FileBio = std::unique_ptr<BIO, FreeWith<::BIO_free_all>>;
using Certificate = std::unique_ptr<X509, FreeWith<::X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, FreeWith<::EVP_PKEY_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, FreeWith<::X509_EXTENSION_free>>;

auto FromOpenSsl(const std::string& what) {
  const char* const reason = ERR_reason_error_string(ERR_get_error());
  ERR_clear_error();
  return Fail(Code::kInternal, "failed to " + what, reason != nullptr ? reason : "");
}

struct Subject {
  std::string name;
  std::vector<std::pair<int, std::string>> extensions;
};

bool AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool SetRandomSerial(X509* certificate) {
  std::uint8_t octets[16];
  if (RAND_bytes(octets, sizeof octets) != 1) return false;
  octets[0] &= 0x7f;  // positive
  const std::unique_ptr<BIGNUM, FreeWith<::BN_free>> number(
      BN_bin2bn(octets, sizeof octets, nullptr));
  return number != nullptr &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

// `issuer` null: signs itself.
Result<Certificate> Issue(const Subject& subject, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key,
                          SystemTime now) {
  Certificate certificate(X509_new());
  X509* const raw = certificate.get();
  if (raw == nullptr) return FromOpenSsl("make a certificate");
  X509* const signer = issuer != nullptr ? issuer : raw;
  X509_NAME* const name = X509_get_subject_name(raw);
  const std::time_t begin = UnixSeconds(now) - 60;  // clocks of clients that are a little behind
  bool good = X509_set_version(raw, X509_VERSION_3) == 1 && SetRandomSerial(raw) &&
              X509_NAME_add_entry_by_txt(
                  name, "CN", MBSTRING_UTF8,
                  reinterpret_cast<const unsigned char*>(subject.name.c_str()), -1, -1, 0) == 1 &&
              X509_set_issuer_name(raw, X509_get_subject_name(signer)) == 1 &&
              ASN1_TIME_set(X509_getm_notBefore(raw), begin) != nullptr &&
              ASN1_TIME_set(X509_getm_notAfter(raw), begin + kGoodFor) != nullptr &&
              X509_set_pubkey(raw, key) == 1;
  for (const auto& [nid, value] : subject.extensions) {
    good = good && AddExtension(raw, signer, nid, value);
  }
  if (!good || X509_sign(raw, issuer_key, EVP_sha256()) == 0) {
    return FromOpenSsl("make a certificate");
  }
  return certificate;
}

bool IsIpAddress(const std::string& name) {
  const std::unique_ptr<ASN1_OCTET_STRING, FreeWith<::ASN1_OCTET_STRING_free>> address(
      a2i_IPADDRESS(name.c_str()));
  ERR_clear_error();
  return address != nullptr;
}

std::string AlternativeNames(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += ',';
    text += (IsIpAddress(name) ? "IP:" : "DNS:") + name;
  }
  return text;
}

Status WriteFile(const fs::path& file, BIO* content, mode_t mode) {
  const char* octets = nullptr;
  const auto size = static_cast<std::size_t>(BIO_get_mem_data(content, &octets));
  const fs::path fresh = file.string() + ".new";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  bool done = fd >= 0;
  std::size_t at = 0;
  while (done && at < size) {
    const ssize_t wrote = ::write(fd, octets + at, size - at);
    done = wrote > 0;
    if (done) at += static_cast<std::size_t>(wrote);
  }
  if (fd >= 0) ::close(fd);
  if (!done || ::rename(fresh.c_str(), file.c_str()) != 0) {
    return Fail(Code::kUnavailable,
                "failed to write " + file.string() + ": " + std::strerror(errno));
  }
  return {};
}

Status WriteCertificate(const fs::path& file, X509* certificate) {
  const FileBio out(BIO_new(BIO_s_mem()));
  if (out == nullptr || PEM_write_bio_X509(out.get(), certificate) != 1) {
    return FromOpenSsl("write " + file.string());
  }
  return WriteFile(file, out.get(), 0644);
}

Status WriteKey(const fs::path& file, EVP_PKEY* key) {
  const FileBio out(BIO_new(BIO_s_secmem()));  // wiped when freed
  if (out == nullptr ||
      PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return FromOpenSsl("write " + file.string());
  }
  return WriteFile(file, out.get(), 0600);
}

Certificate ReadCertificate(const fs::path& file) {
  const FileBio in(BIO_new_file(file.c_str(), "r"));
  Certificate certificate(in == nullptr ? nullptr
                                        : PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  return certificate;
}

bool Names(X509* certificate, const std::string& name) {
  return IsIpAddress(name) ? X509_check_ip_asc(certificate, name.c_str(), 0) == 1
                           : X509_check_host(certificate, name.c_str(), 0, 0, nullptr) == 1;
}

bool StillGood(const DevCertificates& files, const std::vector<std::string>& names,
               SystemTime now) {
  const Certificate certificate = ReadCertificate(files.certificate);
  const Certificate authority = ReadCertificate(files.authority);
  std::error_code error;
  if (certificate == nullptr || authority == nullptr || !fs::exists(files.key, error)) return false;
  std::time_t tomorrow = UnixSeconds(now) + kDay;
  return X509_verify(certificate.get(), X509_get0_pubkey(authority.get())) == 1 &&
         X509_cmp_time(X509_get0_notAfter(certificate.get()), &tomorrow) > 0 &&
         std::all_of(names.begin(), names.end(),
                     [&](const std::string& name) { return Names(certificate.get(), name); });
}

}  // namespace

Result<DevCertificates> MakeDevCertificates(const fs::path& directory,
                                            const std::vector<std::string>& names, SystemTime now) {
  DevCertificates files{directory / "tls-ca.pem", directory / "tls-cert.pem",
                        directory / "tls-key.pem"};
  if (StillGood(files, names, now)) return files;
  ERR_clear_error();
  const PrivateKey authority_key(EVP_EC_gen("P-256"));
  const PrivateKey key(EVP_EC_gen("P-256"));
  if (authority_key == nullptr || key == nullptr) return FromOpenSsl("make a key");
  const Subject authority_subject{"Coffer development authority",
                                  {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                   {NID_key_usage, "critical,keyCertSign,cRLSign"},
                                   {NID_subject_key_identifier, "hash"}}};
  COFFER_ASSIGN(const Certificate authority,
                Issue(authority_subject, authority_key.get(), nullptr, authority_key.get(), now));
  const Subject subject{"Coffer development server",
                        {{NID_basic_constraints, "critical,CA:FALSE"},
                         {NID_key_usage, "critical,digitalSignature"},
                         {NID_ext_key_usage, "serverAuth"},
                         {NID_subject_key_identifier, "hash"},
                         {NID_authority_key_identifier, "keyid:always"},
                         {NID_subject_alt_name, AlternativeNames(names)}}};
  COFFER_ASSIGN(const Certificate certificate,
                Issue(subject, key.get(), authority.get(), authority_key.get(), now));
  COFFER_TRY(WriteKey(files.key, key.get()));
  COFFER_TRY(WriteCertificate(files.certificate, certificate.get()));
  COFFER_TRY(WriteCertificate(files.authority, authority.get()));
  return files;
}

}  // namespace coffer::crypto
