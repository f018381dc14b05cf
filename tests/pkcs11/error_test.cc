#include "coffer/pkcs11/error.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <vector>

namespace coffer::pkcs11 {
namespace {

// PKCS#11 numbers, written out here so that the table is held by something other than its header.
const std::map<Code, std::vector<unsigned long>>& Expected() {
  static const std::map<Code, std::vector<unsigned long>> kExpected = {
      {Code::kTokenLost,
       {0x03, 0x30, 0x32, 0x60, 0x82, 0xb0, 0xb3, 0xe0, 0xe1, 0xf0, 0x101, 0x113, 0x190}},
      {Code::kPinIncorrect, {0xa0}},
      {Code::kPinLocked, {0xa4}},
      {Code::kTokenRefused,
       {0x07, 0x10, 0x11,  0x12,  0x13,  0x1b,  0x20,  0x21,  0x54,  0x62,  0x63, 0x68,
        0x69, 0x6a, 0x70,  0x71,  0xa1,  0xa2,  0xa3,  0xb5,  0xb6,  0xd0,  0xd1, 0xe2,
        0xf1, 0xf2, 0x102, 0x104, 0x110, 0x112, 0x114, 0x115, 0x130, 0x140, 0x150}},
      {Code::kAuthenticationFailed, {0x40, 0x41, 0x42, 0xc0, 0xc1}},
      {Code::kUnavailable, {0x02, 0x31, 0xb1}},
      {Code::kTokenFailed, {0x05, 0x06, 0x50, 0x90, 0x91, 0x191, 0x7fff, 0x80000001}},
  };
  return kExpected;
}

TEST(FromCkRv, PutsEachReturnValueIntoItsGroup) {
  for (const auto& [code, values] : Expected()) {
    for (const unsigned long rv : values) {
      EXPECT_EQ(FromCkRv(rv, "C_Sign").code, code) << std::hex << "0x" << rv;
    }
  }
}

TEST(FromCkRv, NamesFunctionAndValueInTheCause) {
  EXPECT_EQ(FromCkRv(0xd1, "C_UnwrapKey").cause, "C_UnwrapKey: CKR_TEMPLATE_INCONSISTENT (0xd1)");
  EXPECT_EQ(FromCkRv(0x42, "C_Decrypt").cause, "C_Decrypt: CKR_AEAD_DECRYPT_FAILED (0x42)");
  EXPECT_EQ(FromCkRv(0x7fff, "C_Sign").cause, "C_Sign: unknown (0x7fff)");
  EXPECT_EQ(FromCkRv(0x80000001, "C_Sign").cause, "C_Sign: vendor-defined (0x80000001)");
}

TEST(FromCkRv, GivesAMessageFitForAnyClient) {
  for (const auto& [code, values] : Expected()) {
    for (const unsigned long rv : values) {
      const std::string message = FromCkRv(rv, "C_Sign").message;
      ASSERT_FALSE(message.empty());
      EXPECT_TRUE(std::none_of(message.begin(), message.end(), [](unsigned char c) {
        return std::isupper(c) || c == '_';
      })) << message;
      EXPECT_NE(message.back(), '.');
    }
  }
}

}  // namespace
}  // namespace coffer::pkcs11
