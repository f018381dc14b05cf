#include "http/proxy_header.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>

namespace coffer::http {
namespace {

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kShortestV1 = 15;  // "PROXY UNKNOWN\r\n"
constexpr std::size_t kLongestV1 = 107;
constexpr std::size_t kFixedV2 = 16;
constexpr std::size_t kLongestV2 = 2048;

ProxyHeader Bad() { return {ProxyHeader::State::kBad, 0, {}, 0}; }
ProxyHeader More(std::size_t octets) { return {ProxyHeader::State::kNeedMore, octets, {}, 0}; }
ProxyHeader Done(std::string address = {}, std::uint16_t port = 0) {
  return {ProxyHeader::State::kDone, 0, std::move(address), port};
}

bool ParsePort(std::string_view text, std::uint16_t& port) {
  if (text.empty() || text.size() > 5 || (text.front() == '0' && text.size() > 1)) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size();
}

bool ParseAddress(int family, std::string_view text, std::string& out) {
  const std::string copy(text);
  std::array<std::uint8_t, 16> octets{};
  std::array<char, INET6_ADDRSTRLEN> canonical{};
  if (copy.find('\0') != std::string::npos || ::inet_pton(family, copy.c_str(), octets.data()) != 1)
    return false;
  if (::inet_ntop(family, octets.data(), canonical.data(), canonical.size()) == nullptr)
    return false;
  out = canonical.data();
  return true;
}

std::uint16_t BigEndian(std::string_view octets) {
  return static_cast<std::uint16_t>(static_cast<std::uint8_t>(octets[0]) << 8U |
                                    static_cast<std::uint8_t>(octets[1]));
}

// "PROXY TCP4 source destination source-port destination-port"
ProxyHeader ParseLine(std::string_view line) {
  std::array<std::string_view, 6> words;
  std::size_t count = 0;
  while (true) {
    const std::size_t blank = line.find(' ');
    if (count == words.size()) return Bad();
    words[count++] = line.substr(0, blank);
    if (blank == std::string_view::npos) break;
    line.remove_prefix(blank + 1);
  }
  if (count != words.size() || (words[1] != "TCP4" && words[1] != "TCP6")) return Bad();
  const int family = words[1] == "TCP4" ? AF_INET : AF_INET6;
  std::string source;
  std::string destination;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  const bool good = ParseAddress(family, words[2], source) &&
                    ParseAddress(family, words[3], destination) &&
                    ParsePort(words[4], source_port) && ParsePort(words[5], destination_port);
  return good ? Done(std::move(source), source_port) : Bad();
}

ProxyHeader ParseV1(std::string_view octets) {
  constexpr std::string_view kStart = "PROXY ";
  constexpr std::string_view kUnknown = "PROXY UNKNOWN";
  if (!octets.starts_with(kStart)) return Bad();
  const std::size_t newline = octets.find('\n');
  if (newline == std::string_view::npos) return octets.size() < kLongestV1 ? More(1) : Bad();
  if (newline + 1 != octets.size() || octets[newline - 1] != '\r') return Bad();
  const std::string_view line = octets.substr(0, newline - 1);
  if (line == kUnknown || line.starts_with("PROXY UNKNOWN ")) return Done();
  return ParseLine(line);
}

std::string TextOf(int family, std::string_view octets) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(family, octets.data(), text.data(), text.size());
  return text.data();
}

ProxyHeader ParseV2(std::string_view octets) {
  if (octets.size() < kFixedV2) return More(kFixedV2 - octets.size());
  const auto version_command = static_cast<std::uint8_t>(octets[12]);
  const auto family = static_cast<std::uint8_t>(octets[13]);
  const std::size_t length = BigEndian(octets.substr(14));
  if (version_command >> 4U != 2 || (version_command & 0x0fU) > 1 || length > kLongestV2) {
    return Bad();
  }
  const std::size_t total = kFixedV2 + length;
  if (octets.size() < total) return More(total - octets.size());
  if (octets.size() > total) return Bad();
  const std::string_view rest = octets.substr(kFixedV2);
  constexpr std::uint8_t kUnspecified = 0x00;
  constexpr std::uint8_t kTcp4 = 0x11;
  constexpr std::uint8_t kTcp6 = 0x21;
  if ((version_command & 0x0fU) == 0 || family == kUnspecified) return Done();
  // source, destination, source port, destination port
  if (family == kTcp4 && length >= 12)
    return Done(TextOf(AF_INET, rest), BigEndian(rest.substr(8)));
  if (family == kTcp6 && length >= 36) {
    return Done(TextOf(AF_INET6, rest), BigEndian(rest.substr(32)));
  }
  return Bad();
}

}  // namespace

ProxyHeader ParseProxyHeader(std::string_view octets) {
  if (octets.size() < kShortestV1) {
    const std::string_view known = octets.substr(0, kSignature.size());
    const bool may_be_v2 = kSignature.starts_with(known);
    const bool may_be_v1 = std::string_view("PROXY ").starts_with(octets.substr(0, 6));
    return may_be_v1 || may_be_v2 ? More(kShortestV1 - octets.size()) : Bad();
  }
  return octets.starts_with(kSignature) ? ParseV2(octets) : ParseV1(octets);
}

}  // namespace coffer::http
