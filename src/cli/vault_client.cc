#include "cli/vault_client.h"

#include <curl/curl.h>

#include <cstdlib>
#include <fstream>
#include <utility>

namespace coffer::cli {
namespace {

std::string FirstOf(const char* ours, const char* vaults) {
  for (const char* name : {ours, vaults}) {
    const char* const value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return {};
}

std::size_t Collect(char* data, std::size_t size, std::size_t count, void* out) {
  static_cast<std::string*>(out)->append(data, size * count);
  return size * count;
}

// Everything but unreserved characters and '/' is escaped; '?' begins a query that the caller
// wrote.
std::string EscapePath(std::string_view path) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  bool query = false;
  for (const char c : path) {
    query = query || c == '?';
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos || query;
    if (plain && c > ' ') {
      out.push_back(c);
    } else {
      const auto octet = static_cast<unsigned char>(c);
      out.append({'%', kHex[octet >> 4], kHex[octet & 15]});
    }
  }
  return out;
}

}  // namespace

Target Target::FromEnvironment() {
  Target target;
  if (std::string address = FirstOf("COFFER_ADDR", "VAULT_ADDR"); !address.empty()) {
    target.address = std::move(address);
  }
  target.token = FirstOf("COFFER_TOKEN", "VAULT_TOKEN");
  const char* const home = std::getenv("HOME");
  if (target.token.empty() && home != nullptr) {
    std::ifstream file(std::string(home) + "/.vault-token");
    std::getline(file, target.token);
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

Result<Answer> VaultClient::Call(std::string_view method, std::string_view path,
                                 const std::string& body) {
  CURL* const curl = curl_->handle;
  ::curl_easy_reset(curl);
  const bool over_socket = target_.address.starts_with("unix:");
  std::string base = over_socket ? "http://localhost" : target_.address;
  while (base.ends_with('/')) base.pop_back();
  const std::string url = base + "/v1/" + EscapePath(path);
  const std::string verb(method);
  Answer answer;
  ::curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  if (over_socket) {
    ::curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, target_.address.c_str() + 5);
  }
  ::curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, verb.c_str());
  ::curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(curl, CURLOPT_PROXY, "");
  ::curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Collect);
  ::curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
  ::curl_slist* headers = ::curl_slist_append(nullptr, ("X-Vault-Token: " + target_.token).c_str());
  headers = ::curl_slist_append(headers, "X-Vault-Request: true");
  headers = ::curl_slist_append(headers, "Expect:");
  if (!body.empty()) {
    headers = ::curl_slist_append(headers, "Content-Type: application/json");
    ::curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
    ::curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  }
  ::curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  const CURLcode done = ::curl_easy_perform(curl);
  ::curl_slist_free_all(headers);
  if (done != CURLE_OK) {
    return Fail(Code::kUnavailable,
                "failed to reach " + target_.address + ": " + ::curl_easy_strerror(done));
  }
  ::curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

}  // namespace coffer::cli
