#include "http/proxy_header.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace coffer::http {
namespace {

using namespace std::string_literals;

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

// Parses as a connection does: it takes from `input` only bytes that certainly belong to the
// header.
struct ParsedHeader {
  ProxyHeader header;
  std::size_t taken = 0;
};
ParsedHeader Read(const std::string& input) {
  ParsedHeader outcome;
  while (true) {
    outcome.header = ParseProxyHeader(std::string_view(input).substr(0, outcome.taken));
    if (outcome.header.state != ProxyHeader::State::kNeedMore) return outcome;
    EXPECT_GT(outcome.header.more, 0U);
    if (outcome.taken + outcome.header.more > input.size()) return outcome;
    outcome.taken += outcome.header.more;
  }
}

std::string V2(char version_command, char family, const std::string& rest) {
  return kSignature + version_command + family + static_cast<char>(rest.size() >> 8U) +
         static_cast<char>(rest.size()) + rest;
}
const std::string kFour = "\xcb\x00\x71\x09\x0a\x00\x00\x01\x12\x34\x00\x50"s;

struct Good {
  std::string header;
  std::string address;
  std::uint16_t port = 0;
};

std::vector<Good> GoodHeaders() {
  const std::string six = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01" +
                          std::string(16, '\0') + "\x12\x34\x00\x50"s;
  return {
      {"PROXY TCP4 203.0.113.9 10.0.0.1 4660 80\r\n", "203.0.113.9", 4660},
      {"PROXY TCP6 2001:DB8::1 ::1 65535 0\r\n", "2001:db8::1", 65535},
      {"PROXY UNKNOWN\r\n", "", 0},
      {"PROXY UNKNOWN whatever 1 2\r\n", "", 0},
      {V2('\x21', '\x11', kFour), "203.0.113.9", 4660},
      {V2('\x21', '\x11', kFour + "\x04\x00\x01x"s), "203.0.113.9", 4660},
      {V2('\x21', '\x21', six), "2001:db8::1", 4660},
      {V2('\x20', '\x00', ""), "", 0},
      {V2('\x20', '\x11', kFour), "", 0},
      {V2('\x21', '\x00', ""), "", 0},
  };
}

TEST(ProxyHeader, NamesTheClientAndNeverReadsBehindItself) {
  for (const Good& good : GoodHeaders()) {
    const ParsedHeader outcome = Read(good.header + "GET / HTTP/1.1\r\n");
    EXPECT_EQ(outcome.header.state, ProxyHeader::State::kDone) << good.header;
    EXPECT_EQ(outcome.taken, good.header.size()) << good.header;
    EXPECT_EQ(outcome.header.address, good.address);
    EXPECT_EQ(outcome.header.port, good.port);
  }
}

TEST(ProxyHeader, EveryPrefixWaitsForMore) {
  for (const Good& good : GoodHeaders()) {
    for (std::size_t size = 0; size < good.header.size(); ++size) {
      EXPECT_EQ(Read(good.header.substr(0, size)).header.state, ProxyHeader::State::kNeedMore)
          << size;
    }
  }
}

TEST(ProxyHeader, RefusesWhatIsNone) {
  const std::vector<std::string> bad{
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "\x16\x03\x01 a client hello, say",
      "proxy TCP4 1.1.1.1 2.2.2.2 1 2\r\n",
      "PROXY TCP5 1.1.1.1 2.2.2.2 1 2\r\n",
      "PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n",
      "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n",
      "PROXY TCP4 1.1.1.1  2.2.2.2 1 2\r\n",
      "PROXY TCP4 1.1.1.1 2.2.2.2 65536 2\r\n",
      "PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n",
      "PROXY TCP4 1.1.1.1 2.2.2.2 +1 2\r\n",
      "PROXY TCP4 ::1 ::1 1 2\r\n",
      "PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n",
      "PROXY TCP4 1.1.1 2.2.2.2 1 2\r\n",
      "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n",
      "PROXY TCP4 1.1.1.1\0 2.2.2.2 1 2\r\n"s,
      "PROXY UNKNOWNX\r\n",
      "PROXY " + std::string(200, 'x'),
      V2('\x11', '\x11', kFour),
      V2('\x31', '\x11', kFour),
      V2('\x22', '\x11', kFour),
      V2('\x21', '\x12', kFour),
      V2('\x21', '\x11', kFour.substr(1)),
      V2('\x21', '\x21', kFour),
      V2('\x21', '\x31', std::string(216, 'u')),
      V2('\x21', '\x11', std::string(2049, 'x')),
  };
  for (const std::string& header : bad) {
    EXPECT_EQ(Read(header).header.state, ProxyHeader::State::kBad) << header;
  }
}

}  // namespace
}  // namespace coffer::http
