#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

#include "server/config/config_file.h"

namespace coffer::server {
namespace {

constexpr std::size_t kMaxSocketPath = 107;  // sockaddr_un

Result<unsigned> ReadMode(const std::string& text, hcl::Position at) {
  unsigned mode = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, mode, 8);
  if (error != std::errc{} || stopped != end || mode > 0777) {
    return hcl::FailAt(at, "\"socket_mode\" must be octal digits such as \"0660\"");
  }
  return mode;
}

// Which name is free or resolves is known only at the start.
Status CheckHostPort(const std::string& address, hcl::Position at) {
  const std::size_t colon = address.rfind(':');
  unsigned port = 0;
  if (colon != std::string::npos && colon > 0) {
    const char* const end = address.data() + address.size();
    const auto [stopped, error] = std::from_chars(address.data() + colon + 1, end, port);
    const bool bracketed = address.front() == '[' && address[colon - 1] == ']';
    const bool plain = address.find(':') == colon;
    if (error == std::errc{} && stopped == end && port <= 65535 && (bracketed || plain)) return {};
  }
  return hcl::FailAt(at, "\"address\" must be HOST:PORT");
}

// Hints for settings of a listener in Vault that have another name here, or none.
constexpr std::array kListenerHints{
    hcl::Hint{"cluster_address", "this server is alone"},
    hcl::Hint{"tls_min_version", "TLS 1.2 and 1.3 are spoken, nothing older"},
    hcl::Hint{"tls_require_and_verify_client_cert", "write tls_client_certificates = \"required\""},
    hcl::Hint{"tls_disable_client_certs", "write tls_client_certificates = \"none\""},
    hcl::Hint{"x_forwarded_for_authorized_addrs", "write trusted_proxies"},
    hcl::Hint{"proxy_protocol_behavior", "write proxy_protocol and trusted_proxies"},
};

struct TlsFile {
  std::string_view name;
  std::string http::TlsOptions::*member;
};
constexpr std::array kTlsFiles{
    TlsFile{"tls_cert_file", &http::TlsOptions::certificate_file},
    TlsFile{"tls_key_file", &http::TlsOptions::key_file},
    TlsFile{"tls_client_ca_file", &http::TlsOptions::client_ca_file},
    TlsFile{"tls_client_crl_file", &http::TlsOptions::client_crl_file},
};

struct Wanted {
  std::string_view name;
  http::ClientCertificates value;
};
constexpr std::array kWanted{
    Wanted{"none", http::ClientCertificates::kNone},
    Wanted{"optional", http::ClientCertificates::kOptional},
    Wanted{"required", http::ClientCertificates::kRequired},
};

Status ReadClientCertificates(hcl::ObjectReader& reader, http::TlsOptions& tls) {
  constexpr std::string_view kName = "tls_client_certificates";
  COFFER_ASSIGN(const auto text, reader.Text(kName));
  if (!text) return {};
  const auto found = std::find_if(kWanted.begin(), kWanted.end(),
                                  [&](const Wanted& wanted) { return wanted.name == *text; });
  if (found == kWanted.end()) {
    return hcl::FailAt(reader.At(kName),
                       "\"tls_client_certificates\" is \"none\", \"optional\" or \"required\"");
  }
  tls.client_certificates = found->value;
  return {};
}

Status ReadTls(hcl::ObjectReader& reader, hcl::Position at, http::Listener& listener) {
  http::TlsOptions tls;
  for (const TlsFile& file : kTlsFiles) {
    COFFER_ASSIGN(const auto text, reader.Text(file.name));
    if (!text) continue;
    COFFER_TRY(AbsolutePath(file.name, *text, reader.At(file.name)));
    tls.*file.member = *text;
  }
  COFFER_TRY(ReadClientCertificates(reader, tls));
  const bool asks = tls.client_certificates != http::ClientCertificates::kNone;
  if (tls.certificate_file.empty() != tls.key_file.empty()) {
    return hcl::FailAt(at, "\"tls_cert_file\" and \"tls_key_file\" go together");
  }
  if (asks != !tls.client_ca_file.empty() || (asks && tls.key_file.empty())) {
    return hcl::FailAt(at,
                       "client certificates need \"tls_client_certificates\", "
                       "\"tls_client_ca_file\", and a certificate of the server's own");
  }
  if (!tls.client_crl_file.empty() && !asks) {
    return hcl::FailAt(at, "\"tls_client_crl_file\" without client certificates has no effect");
  }
  if (!tls.key_file.empty()) listener.tls = std::move(tls);
  COFFER_ASSIGN(const auto disabled, reader.Boolean("tls_disable"));
  if (disabled.value_or(false) && listener.tls) {
    return hcl::FailAt(reader.At("tls_disable"), "\"tls_disable\" beside a certificate");
  }
  listener.plain_anywhere = disabled.value_or(false);
  return {};
}

Status ReadProxies(hcl::ObjectReader& reader, hcl::Position at, http::Listener& listener) {
  COFFER_ASSIGN(const auto trusted, reader.Texts("trusted_proxies"));
  if (trusted) listener.trusted_proxies = *trusted;
  COFFER_ASSIGN(const auto proxy, reader.Boolean("proxy_protocol"));
  listener.proxy_protocol = proxy.value_or(false);
  if (listener.proxy_protocol && listener.trusted_proxies.empty()) {
    return hcl::FailAt(at, "\"proxy_protocol\" needs \"trusted_proxies\"");
  }
  return {};
}

void PrintTls(const http::TlsOptions& tls, std::string& out) {
  for (const TlsFile& file : kTlsFiles) {
    if (!(tls.*file.member).empty()) PrintText(file.name, tls.*file.member, out);
  }
  for (const Wanted& wanted : kWanted) {
    if (wanted.value == tls.client_certificates) {
      PrintText("tls_client_certificates", wanted.name, out);
    }
  }
}

void PrintOne(const http::Listener& listener, bool health, bool open_metrics, std::string& out) {
  const bool tcp = listener.kind == http::Listener::Kind::kTcp;
  out += tcp ? "listener \"tcp\" {\n" : "listener \"unix\" {\n";
  PrintText("address", listener.address, out);
  if (!tcp) {
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", listener.mode);
    PrintText("socket_mode", mode, out);
  }
  if (listener.tls) PrintTls(*listener.tls, out);
  if (listener.plain_anywhere) PrintBoolean("tls_disable", true, out);
  if (!listener.trusted_proxies.empty()) {
    out += "  trusted_proxies = [";
    for (std::size_t i = 0; i < listener.trusted_proxies.size(); ++i) {
      out += (i > 0 ? ", " : "") + hcl::Quote(listener.trusted_proxies[i]);
    }
    out += "]\n";
    PrintBoolean("proxy_protocol", listener.proxy_protocol, out);
  }
  if (health) PrintBoolean("health_only", true, out);
  if (open_metrics) out += "  telemetry {\n    unauthenticated_metrics_access = true\n  }\n";
  out += "}\n";
}

}  // namespace

Status ReadListener(const hcl::Block& block, Config& config) {
  const hcl::Label& kind = block.labels.front();
  const bool tcp = kind.text == "tcp";
  if (!tcp && kind.text != "unix") {
    return hcl::FailAt(kind.at, "a listener is \"tcp\" or \"unix\", not \"" + kind.text + "\"");
  }
  hcl::ObjectReader reader(*block.body, tcp ? "listener \"tcp\"" : "listener \"unix\"");
  http::Listener listener;
  listener.kind = tcp ? http::Listener::Kind::kTcp : http::Listener::Kind::kUnix;
  COFFER_ASSIGN(const auto address, reader.Text("address"));
  if (!address) return reader.Missing("address", block.at);
  listener.address = *address;
  const hcl::Position at = reader.At("address");
  if (tcp) {
    COFFER_TRY(CheckHostPort(*address, at));
  } else {
    COFFER_TRY(AbsolutePath("address", *address, at));
    if (address->size() > kMaxSocketPath) {
      return hcl::FailAt(at, "the path of a unix socket has at most 107 bytes");
    }
    COFFER_ASSIGN(const auto mode, reader.Text("socket_mode"));
    if (mode) {
      COFFER_ASSIGN(listener.mode, ReadMode(*mode, reader.At("socket_mode")));
    }
  }
  COFFER_TRY(ReadTls(reader, block.at, listener));
  COFFER_TRY(ReadProxies(reader, block.at, listener));
  COFFER_ASSIGN(const auto health, reader.Boolean("health_only"));
  COFFER_ASSIGN(const bool open_metrics, ReadListenerTelemetry(reader));
  COFFER_TRY(reader.Finish(kListenerHints));
  const bool apart = health.value_or(false);
  (apart ? config.health_listeners : config.http.listeners).push_back(std::move(listener));
  (apart ? config.health_open_metrics : config.open_metrics).push_back(open_metrics);
  return {};
}

void PrintListeners(const Config& config, std::string& out) {
  const auto print = [&](const std::vector<http::Listener>& listeners,
                         const std::vector<bool>& open_metrics, bool health) {
    for (std::size_t i = 0; i < listeners.size(); ++i) {
      PrintOne(listeners[i], health, i < open_metrics.size() && open_metrics[i], out);
    }
  };
  print(config.http.listeners, config.open_metrics, false);
  print(config.health_listeners, config.health_open_metrics, true);
}

}  // namespace coffer::server
