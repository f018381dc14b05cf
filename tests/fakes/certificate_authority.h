#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace coffer::fakes {

// A certificate authority for tests, which issues whatever it is asked for. Throws where OpenSSL
// fails.
class CertificateAuthority {
 public:
  struct Wish {
    std::string name = "client";
    std::string usage = "clientAuth";  // extended key usage; empty: none
    long begins = -3600;               // seconds from now
    long ends = 3600;
  };
  struct Issued {
    std::filesystem::path certificate;
    std::filesystem::path key;
    long serial = 0;
  };

  CertificateAuthority(std::filesystem::path directory, std::string name)
      : directory_(std::move(directory)), name_(std::move(name)) {
    key_.reset(EVP_EC_gen("P-256"));
    certificate_.reset(X509_new());
    Fill(certificate_.get(), key_.get(), {name_, "", -3600, 86400}, "critical,CA:TRUE", 1);
    Require(X509_sign(certificate_.get(), key_.get(), EVP_sha256()) > 0);
    Write(File(), [&](std::FILE* out) { return PEM_write_X509(out, certificate_.get()); });
  }

  std::filesystem::path File() const { return directory_ / (name_ + ".pem"); }

  Issued Issue(const Wish& wish) {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"),
                                                                  &EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> made(X509_new(), &X509_free);
    Issued issued;
    issued.serial = ++last_serial_;
    const std::string stem = name_ + "-" + std::to_string(issued.serial);
    issued.certificate = directory_ / (stem + ".crt");
    issued.key = directory_ / (stem + ".key");
    Fill(made.get(), key.get(), wish, "critical,CA:FALSE", issued.serial);
    Require(X509_sign(made.get(), key_.get(), EVP_sha256()) > 0);
    Write(issued.certificate, [&](std::FILE* out) { return PEM_write_X509(out, made.get()); });
    Write(issued.key, [&](std::FILE* out) {
      return PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
    std::filesystem::permissions(issued.key, std::filesystem::perms::owner_read);
    return issued;
  }

  // A revocation list with these serial numbers, good until `ends` seconds from now.
  std::filesystem::path Revoke(const std::vector<long>& serials, long ends = 3600) {
    const std::unique_ptr<X509_CRL, decltype(&X509_CRL_free)> list(X509_CRL_new(), &X509_CRL_free);
    const std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> time(ASN1_TIME_new(),
                                                                     &ASN1_TIME_free);
    X509_CRL_set_version(list.get(), 1);
    X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(certificate_.get()));
    X509_CRL_set1_lastUpdate(list.get(), X509_gmtime_adj(time.get(), -7200));
    X509_CRL_set1_nextUpdate(list.get(), X509_gmtime_adj(time.get(), ends));
    X509_gmtime_adj(time.get(), -60);
    for (const long serial : serials) {
      X509_REVOKED* const revoked = X509_REVOKED_new();
      const std::unique_ptr<ASN1_INTEGER, decltype(&ASN1_INTEGER_free)> number(ASN1_INTEGER_new(),
                                                                               &ASN1_INTEGER_free);
      ASN1_INTEGER_set(number.get(), serial);
      X509_REVOKED_set_serialNumber(revoked, number.get());
      X509_REVOKED_set_revocationDate(revoked, time.get());
      X509_CRL_add0_revoked(list.get(), revoked);
    }
    X509_CRL_sort(list.get());
    Require(X509_CRL_sign(list.get(), key_.get(), EVP_sha256()) > 0);
    const std::filesystem::path file = directory_ / (name_ + ".crl");
    Write(file, [&](std::FILE* out) { return PEM_write_X509_CRL(out, list.get()); });
    return file;
  }

 private:
  static void Require(bool done) {
    if (!done) throw std::runtime_error("OpenSSL failed");
  }
  template <typename Writer>
  static void Write(const std::filesystem::path& file, Writer writer) {
    std::filesystem::remove(file);
    std::FILE* const out = std::fopen(file.c_str(), "w");
    Require(out != nullptr && writer(out) == 1);
    std::fclose(out);
  }
  void Extend(X509* certificate, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate_.get(), certificate, nullptr, nullptr, 0);
    X509_EXTENSION* const made = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    Require(made != nullptr && X509_add_ext(certificate, made, -1) == 1);
    X509_EXTENSION_free(made);
  }
  void Fill(X509* certificate, EVP_PKEY* key, const Wish& wish, const std::string& constraints,
            long serial) {
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), wish.begins);
    X509_gmtime_adj(X509_getm_notAfter(certificate), wish.ends);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(wish.name.c_str()), -1, -1,
                               0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate_.get()));
    Extend(certificate, NID_basic_constraints, constraints);
    Extend(certificate, NID_subject_key_identifier, "hash");
    if (!wish.usage.empty()) Extend(certificate, NID_ext_key_usage, wish.usage);
    if (certificate != certificate_.get()) {
      Extend(certificate, NID_authority_key_identifier, "keyid:always");
      Extend(certificate, NID_subject_alt_name, "IP:127.0.0.1");
    }
  }

  const std::filesystem::path directory_;
  const std::string name_;
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_{nullptr, &EVP_PKEY_free};
  std::unique_ptr<X509, decltype(&X509_free)> certificate_{nullptr, &X509_free};
  long last_serial_ = 100;
};

}  // namespace coffer::fakes
