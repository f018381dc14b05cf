#include "coffer/base/address_set.h"

#include <gtest/gtest.h>

namespace coffer {
namespace {

AddressSet Set(const std::vector<std::string>& texts) { return AddressSet::Parse(texts).value(); }

TEST(CanonicalAddress, WritesOneAddressOneWay) {
  EXPECT_EQ(CanonicalAddress("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(CanonicalAddress("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(CanonicalAddress("2001:DB8:0:0:0:0:0:1"), "2001:db8::1");
  for (const char* const text : {"", "a", "1.2.3", "1.2.3.4.5", "1.2.3.4:80", "[::1]", "::1%lo",
                                 " 1.2.3.4", "01.2.3.4", "1.2.3.256"}) {
    EXPECT_EQ(CanonicalAddress(text), "") << text;
  }
  EXPECT_EQ(CanonicalAddress(std::string_view("1.2.3.4\0", 8)), "");
}

TEST(AddressSet, HoldsNetworksAddressesAndUnixSockets) {
  const AddressSet set = Set({"10.0.0.0/8", "192.0.2.7", "2001:db8::/33", "::1", "unix"});
  for (const char* const inside :
       {"10.255.0.1", "192.0.2.7", "::ffff:10.0.0.1", "2001:db8:7fff::1", "::1", "@"}) {
    EXPECT_TRUE(set.Contains(inside)) << inside;
  }
  for (const char* const outside :
       {"11.0.0.1", "192.0.2.8", "2001:db8:8000::1", "::2", "", "x", "9.255.255.255"}) {
    EXPECT_FALSE(set.Contains(outside)) << outside;
  }
  EXPECT_FALSE(Set({"10.0.0.0/8"}).Contains("@"));
  EXPECT_TRUE(Set({"0.0.0.0/0"}).Contains("203.0.113.9"));
  EXPECT_FALSE(Set({"0.0.0.0/0"}).Contains("2001:db8::1"));
  EXPECT_TRUE(Set({}).empty());
}

TEST(AddressSet, RefusesWhatIsNoNetwork) {
  for (const char* const text : {"", "a", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/8x", "/8",
                                 "10.0.0.0/-1", "10.0.0.0/8/8", "localhost"}) {
    EXPECT_FALSE(AddressSet::Parse({text})) << text;
  }
}

TEST(ForwardedClient, IsTheLastThatNoTrustedProxyIs) {
  const AddressSet trusted = Set({"10.0.0.0/8"});
  EXPECT_EQ(ForwardedClient("203.0.113.9", trusted), "203.0.113.9");
  EXPECT_EQ(ForwardedClient("1.1.1.1, 203.0.113.9, 10.0.0.2", trusted), "203.0.113.9");
  EXPECT_EQ(ForwardedClient("10.0.0.3,10.0.0.2", trusted), "10.0.0.3");
  EXPECT_EQ(ForwardedClient("nonsense, 203.0.113.9", trusted), "203.0.113.9")
      << "what a client wrote before an address that can be believed does not matter";
}

TEST(ForwardedClient, IsNobodyWhereAPartIsNoAddress) {
  const AddressSet trusted = Set({"10.0.0.0/8"});
  for (const char* const header : {"", ",", "unknown", "203.0.113.9,", "203.0.113.9, unknown",
                                   "nonsense, 10.0.0.2", "1.2.3.4:80", "\"1.2.3.4\""}) {
    EXPECT_EQ(ForwardedClient(header, trusted), "") << header;
  }
}

}  // namespace
}  // namespace coffer
