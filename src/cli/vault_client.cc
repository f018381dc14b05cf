#include "cli/vault_client.h"

#include <curl/curl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "coffer/base/parse.h"

namespace coffer::cli {
namespace {

constexpr std::string_view kUnixScheme = "unix:";

std::size_t Collect(char* data, std::size_t size, std::size_t count, void* out) {
  static_cast<std::string*>(out)->append(data, size * count);
  return size * count;
}

// Says on a terminal's stderr that we wait, once two seconds have passed.
class Waiting {
 public:
  explicit Waiting(const std::string& address) : address_(address) {}
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() {
    if (shown_) std::fputs("\r\033[K", stderr);
  }
  // curl calls it about once a second.
  static int Look(void* waiting, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    static_cast<Waiting*>(waiting)->Show();
    return 0;
  }

 private:
  void Show() {
    constexpr std::chrono::seconds kPatience{2};
    if (shown_ || std::chrono::steady_clock::now() - begin_ < kPatience) return;
    if (::isatty(STDERR_FILENO) != 1) return;
    shown_ = true;
    std::fprintf(stderr, "waiting for %s ...", address_.c_str());
    std::fflush(stderr);
  }

  const std::string& address_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  bool shown_ = false;
};

// A query that the caller wrote stays as it is.
std::string EscapePath(std::string_view path) {
  const std::size_t mark = path.find('?');
  std::string out = EscapeUrl(path.substr(0, mark), "/");
  if (mark != std::string_view::npos) out += path.substr(mark);
  return out;
}

std::string ShellQuoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

// curl's own sentence for a failure of TLS says only that there was one.
std::string Why(CURLcode code, std::string_view detail) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_RECV_ERROR:  // an alert behind the handshake
    case CURLE_SEND_ERROR:
      if (!detail.empty()) return std::string(detail);
      break;
    default:
      break;
  }
  return ::curl_easy_strerror(code);
}

std::string HeaderLine(const std::string& name, const std::string& value) {
  std::string line = name;
  return line.append(": ").append(value);
}

}  // namespace

std::string Variable(std::string_view name) {
  for (const char* const prefix : {"COFFER_", "VAULT_"}) {
    const char* const value = std::getenv((prefix + std::string(name)).c_str());
    if (value != nullptr && *value != '\0') return value;
  }
  return {};
}

std::string TokenFile() {
  const char* const home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? "" : std::string(home) + "/.vault-token";
}

std::string EscapeUrl(std::string_view text, std::string_view also_plain) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos ||
                       also_plain.find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      const auto octet = static_cast<unsigned char>(c);
      out.append({'%', kHex[octet >> 4], kHex[octet & 15]});
    }
  }
  return out;
}

Result<Target> Target::FromEnvironment() {
  Target target;
  if (std::string address = Variable("ADDR"); !address.empty()) target.address = address;
  target.token = Variable("TOKEN");
  if (target.token.empty()) {
    std::ifstream file(TokenFile());
    std::getline(file, target.token);
  }
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

struct VaultClient::Curl {
  CURL* handle = ::curl_easy_init();
  ~Curl() { ::curl_easy_cleanup(handle); }
};

VaultClient::VaultClient(Target target)
    : target_(std::move(target)), curl_(std::make_unique<Curl>()) {}
VaultClient::~VaultClient() = default;

std::string VaultClient::UrlOf(std::string_view path) const {
  std::string base =
      target_.address.starts_with(kUnixScheme) ? "http://localhost" : target_.address;
  while (base.ends_with('/')) base.pop_back();
  return base + "/v1/" + EscapePath(path);
}

// Another name in the certificate than in the address: connect there, ask for this one.
VaultClient::Way VaultClient::WayTo(std::string_view path) const {
  Way way{UrlOf(path), ""};
  constexpr std::string_view kTls = "https://";
  if (target_.tls_server_name.empty() || !way.url.starts_with(kTls)) return way;
  const std::size_t end = way.url.find('/', kTls.size());
  const std::string host = way.url.substr(kTls.size(), end - kTls.size());
  const std::size_t colon = host.ends_with(']') ? std::string::npos : host.rfind(':');
  const std::string port = colon == std::string::npos ? "443" : host.substr(colon + 1);
  const std::string named = target_.tls_server_name + ":" + port;
  way.url = std::string(kTls) + named + way.url.substr(end);
  way.connect_to = named + ":" + host.substr(0, colon) + ":" + port;
  return way;
}

VaultClient::Headers VaultClient::HeadersOf(std::string_view method,
                                            const std::string& body) const {
  Headers headers{{"X-Vault-Request", "true"}};
  if (!target_.name_space.empty()) headers.emplace_back("X-Vault-Namespace", target_.name_space);
  if (!body.empty()) {
    headers.emplace_back("Content-Type",
                         method == "PATCH" ? "application/merge-patch+json" : "application/json");
  }
  headers.insert(headers.end(), target_.headers.begin(), target_.headers.end());
  return headers;
}

void VaultClient::SetTls() const {
  CURL* const curl = curl_->handle;
  const auto set = [&](CURLoption option, const std::string& value) {
    if (!value.empty()) ::curl_easy_setopt(curl, option, value.c_str());
  };
  set(CURLOPT_CAINFO, target_.ca_cert);
  set(CURLOPT_CAPATH, target_.ca_path);
  set(CURLOPT_SSLCERT, target_.client_cert);
  set(CURLOPT_SSLKEY, target_.client_key);
  if (target_.tls_skip_verify) {
    ::curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    ::curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
  }
}

Result<Answer> VaultClient::Call(std::string_view method, std::string_view path,
                                 const std::string& body) {
  CURL* const curl = curl_->handle;
  ::curl_easy_reset(curl);
  const Way way = WayTo(path);
  const std::string verb(method);
  Answer answer;
  ::curl_easy_setopt(curl, CURLOPT_URL, way.url.c_str());
  if (target_.address.starts_with(kUnixScheme)) {
    ::curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH,
                       target_.address.c_str() + kUnixScheme.size());
  }
  ::curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, verb.c_str());
  ::curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(curl, CURLOPT_TIMEOUT, target_.timeout_seconds);
  ::curl_easy_setopt(curl, CURLOPT_PROXY, "");
  ::curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Collect);
  ::curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
  SetTls();
  ::curl_slist* headers = ::curl_slist_append(nullptr, ("X-Vault-Token: " + target_.token).c_str());
  for (const auto& [name, value] : HeadersOf(method, body)) {
    headers = ::curl_slist_append(headers, HeaderLine(name, value).c_str());
  }
  headers = ::curl_slist_append(headers, "Expect:");
  if (!body.empty()) {
    ::curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
    ::curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  }
  ::curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  ::curl_slist* connect_to = nullptr;
  if (!way.connect_to.empty()) {
    connect_to = ::curl_slist_append(nullptr, way.connect_to.c_str());
    ::curl_easy_setopt(curl, CURLOPT_CONNECT_TO, connect_to);
  }
  std::array<char, CURL_ERROR_SIZE> detail{};
  ::curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail.data());
  CURLcode done = CURLE_OK;
  {
    Waiting waiting(target_.address);
    ::curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    ::curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &Waiting::Look);
    ::curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &waiting);
    done = ::curl_easy_perform(curl);
  }
  ::curl_slist_free_all(headers);
  ::curl_slist_free_all(connect_to);
  if (done != CURLE_OK) {
    return Fail(Code::kUnavailable,
                "failed to reach " + target_.address + ": " + Why(done, detail.data()));
  }
  ::curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

std::string VaultClient::CurlCommand(std::string_view method, std::string_view path,
                                     const std::string& body) const {
  std::string line = "curl -X " + std::string(method) + " -H \"X-Vault-Token: $VAULT_TOKEN\"";
  for (const auto& [name, value] : HeadersOf(method, body)) {
    line.append(" -H ").append(ShellQuoted(HeaderLine(name, value)));
  }
  const auto option = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) line.append(" ").append(name).append(" ").append(ShellQuoted(value));
  };
  if (target_.address.starts_with(kUnixScheme)) {
    option("--unix-socket", target_.address.substr(kUnixScheme.size()));
  }
  option("--cacert", target_.ca_cert);
  option("--capath", target_.ca_path);
  option("--cert", target_.client_cert);
  option("--key", target_.client_key);
  if (target_.tls_skip_verify) line += " --insecure";
  const Way way = WayTo(path);
  option("--connect-to", way.connect_to);
  option("-d", body);
  return line + " " + ShellQuoted(way.url);
}

}  // namespace coffer::cli
