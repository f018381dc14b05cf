#include "cli/vault_client.h"

#include <curl/curl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>

namespace coffer::cli {
namespace {

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

// Quotes a text as Vault's client does, if that is safe in a shell.
std::string DoubleQuoted(std::string_view text) {
  if (text.find_first_of("\"\\$`!'") != std::string_view::npos) return ShellQuoted(text);
  std::string out = "\"";
  return out.append(text).append("\"");
}

// curl's own sentence for a failure of TLS says only that there was one.
// `names_authorities`: the caller said whom to trust.
std::string Why(CURL* curl, CURLcode code, std::string_view detail, bool names_authorities) {
  long reason = 0;
  switch (code) {
    case CURLE_SSL_CACERT_BADFILE:
      if (!names_authorities) {
        return "this machine has no certificates of authorities: install ca-certificates, or name "
               "those to trust with -ca-cert";
      }
      if (!detail.empty()) return std::string(detail);
      break;
    case CURLE_COULDNT_CONNECT:
      ::curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &reason);
      if (reason != 0) return std::strerror(static_cast<int>(reason));
      break;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_RECV_ERROR:  // an alert after the handshake
    case CURLE_SEND_ERROR:
      if (detail.find("wrong version number") != std::string_view::npos) {
        return "server gave HTTP response to HTTPS client: say http:// where it has no certificate";
      }
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

struct VaultClient::Curl {
  CURL* handle = ::curl_easy_init();
  ~Curl() { ::curl_easy_cleanup(handle); }
};

VaultClient::VaultClient(Target target)
    : target_(std::move(target)), curl_(std::make_unique<Curl>()) {}
VaultClient::~VaultClient() = default;

std::string VaultClient::UrlOf(std::string_view path) const {
  std::string base = target_.SocketPath().empty() ? target_.address : "http://localhost";
  while (base.ends_with('/')) base.pop_back();
  return base + "/v1/" + EscapePath(path);
}

// If the certificate is to have another name than the address, the client connects to the address
// and asks for that name.
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
  if (const std::string socket = target_.SocketPath(); !socket.empty()) {
    ::curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
  }
  ::curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, verb.c_str());
  ::curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  ::curl_easy_setopt(curl, CURLOPT_TIMEOUT, target_.timeout_seconds);
  ::curl_easy_setopt(curl, CURLOPT_PROXY, "");
  ::curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
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
                "failed to reach " + target_.address + ": " +
                    Why(curl, done, detail.data(), !(target_.ca_cert + target_.ca_path).empty()));
  }
  ::curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

std::string VaultClient::CurlCommand(std::string_view method, std::string_view path,
                                     const std::string& body) const {
  std::string line = "curl";
  const auto option = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) line.append(" ").append(name).append(" ").append(ShellQuoted(value));
  };
  if (method != "GET") line.append(" -X ").append(method);
  if (target_.tls_skip_verify) line += " --insecure";
  option("--cacert", target_.ca_cert);
  option("--capath", target_.ca_path);
  option("--cert", target_.client_cert);
  option("--key", target_.client_key);
  option("--unix-socket", target_.SocketPath());
  const Way way = WayTo(path);
  option("--connect-to", way.connect_to);
  Headers headers = HeadersOf(method, body);
  // Vault's client prints the content type for a patch only.
  if (method != "PATCH") {
    std::erase_if(headers, [](const auto& header) { return header.first == "Content-Type"; });
  }
  std::ranges::sort(headers);
  for (const auto& [name, value] : headers) {
    line.append(" -H ").append(DoubleQuoted(HeaderLine(name, value)));
  }
  line += " -H \"X-Vault-Token: $(coffer print token)\"";
  option("-d", body);
  return line + " " + DoubleQuoted(way.url);
}

}  // namespace coffer::cli
