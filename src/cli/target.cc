#include "cli/target.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>

#include "coffer/base/ascii.h"
#include "coffer/base/parse.h"

namespace coffer::cli {
namespace {

constexpr std::string_view kUnixScheme = "unix:";

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// A line end in a header would begin another header.
Status CheckText(std::string_view what, std::string_view text) {
  if (std::ranges::none_of(text, IsControl)) return {};
  return Fail(Code::kInvalid, std::string(what) + " has a control character in it");
}

bool IsHeaderName(std::string_view name) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";  // RFC 9110, 5.6.2
  return !name.empty() && std::ranges::all_of(name, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kOthers.find(c) != std::string_view::npos;
  });
}

Status CheckUrl(const std::string& address) {
  const std::unique_ptr<CURLU, decltype(&::curl_url_cleanup)> url(::curl_url(),
                                                                  &::curl_url_cleanup);
  const CURLUcode read = ::curl_url_set(url.get(), CURLUPART_URL, address.c_str(), 0);
  if (read == CURLUE_OK) return {};
  return Fail(Code::kInvalid, "the address " + address + " is none: " + ::curl_url_strerror(read));
}

Status CheckAddress(const Target& target) {
  const std::string& address = target.address;
  if (std::ranges::any_of(address, [](char c) { return IsControl(c); })) {
    return Fail(Code::kInvalid, "the address has a control character in it");
  }
  if (address.starts_with(kUnixScheme)) {
    return target.SocketPath().empty() ? Fail(Code::kInvalid, "the address unix: names no socket")
                                       : Status{};
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!address.starts_with(scheme)) continue;
    const std::string_view rest = std::string_view(address).substr(scheme.size());
    if (rest.empty() || rest.front() == '/' ||
        rest.find_first_of(" \"'`\\<>@?#") != std::string_view::npos) {
      return Fail(Code::kInvalid, "the address " + address + " is not of the form " +
                                      std::string(scheme) + "HOST:PORT");
    }
    return CheckUrl(address);
  }
  return Fail(Code::kInvalid,
              "the address " + address + " does not begin with https://, http:// or unix:");
}

Status CheckReadable(std::string_view what, const std::string& file) {
  if (file.empty()) return {};
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    return Fail(Code::kNotFound, "failed to read the " + std::string(what) + " " + file + ": " +
                                     std::strerror(errno));
  }
  ::close(fd);
  return {};
}

std::string KeptToken() {
  std::ifstream file(TokenFile(), std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return std::string(Trimmed(content));
}

}  // namespace

std::string Variable(std::string_view name) {
  for (const char* const prefix : {"COFFER_", "BAO_", "VAULT_"}) {
    const char* const value = std::getenv((prefix + std::string(name)).c_str());
    if (value != nullptr && *value != '\0') return value;
  }
  return {};
}

std::string TokenFile() {
  const char* const home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? "" : std::string(home) + "/.vault-token";
}

std::string_view Trimmed(std::string_view text) { return Trim(text, " \t\r\n"); }

Result<Target> Target::FromEnvironment() {
  Target target;
  for (const char* const name : {"ADDR", "AGENT_ADDR"}) {
    if (std::string address = Variable(name); !address.empty()) target.address = address;
  }
  target.token = Trimmed(Variable("TOKEN"));
  if (target.token.empty()) target.token = KeptToken();
  target.name_space = Variable("NAMESPACE");
  target.ca_cert = Variable("CACERT");
  target.ca_path = Variable("CAPATH");
  target.client_cert = Variable("CLIENT_CERT");
  target.client_key = Variable("CLIENT_KEY");
  target.tls_server_name = Variable("TLS_SERVER_NAME");
  if (const std::string skip = Variable("SKIP_VERIFY"); !skip.empty()) {
    const auto parsed = ParseBool(skip);
    if (!parsed) return Fail(Code::kInvalid, "VAULT_SKIP_VERIFY is true or false, not " + skip);
    target.tls_skip_verify = *parsed;
  }
  if (const std::string ttl = Variable("WRAP_TTL"); !ttl.empty()) {
    target.headers.emplace_back("X-Vault-Wrap-TTL", ttl);
  }
  if (const std::string timeout = Variable("CLIENT_TIMEOUT"); !timeout.empty()) {
    const auto parsed = ParseDurationSeconds(timeout);
    if (!parsed || *parsed < 1) {
      return Fail(Code::kInvalid,
                  "VAULT_CLIENT_TIMEOUT is a second or more, as 90s or 2m, not " + timeout);
    }
    target.timeout_seconds = static_cast<long>(*parsed);
  }
  return target;
}

Status Target::Check() const {
  COFFER_TRY(CheckAddress(*this));
  COFFER_TRY(CheckText("the token", token));
  COFFER_TRY(CheckText("the namespace", name_space));
  COFFER_TRY(CheckText("the TLS server name", tls_server_name));
  for (const auto& [name, value] : headers) {
    if (!IsHeaderName(name)) return Fail(Code::kInvalid, "a header's name is not one word");
    COFFER_TRY(CheckText("the header " + name, value));
  }
  COFFER_TRY(CheckReadable("CA certificates", ca_cert));
  COFFER_TRY(CheckReadable("directory of CA certificates", ca_path));
  COFFER_TRY(CheckReadable("client certificate", client_cert));
  return CheckReadable("client key", client_key);
}

std::string Target::SocketPath() const {
  if (!address.starts_with(kUnixScheme)) return {};
  const std::string path = address.substr(kUnixScheme.size());
  return path.starts_with("//") ? path.substr(2) : path;  // unix:///run/x.sock
}

}  // namespace coffer::cli
