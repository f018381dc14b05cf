#include "coffer/pkcs11/uri.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace coffer::pkcs11 {
namespace {

TEST(ParseTokenUri, ReadsTheTokenAndTheWayToIt) {
  const auto uri = ParseTokenUri(
      "pkcs11:model=SoftHSM%20v2;manufacturer=SoftHSM%20project;serial=f7abd0b1;token=my%20token"
      "?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/coffer/pin");
  ASSERT_TRUE(uri) << uri.error().message;
  EXPECT_EQ(uri->token, "my token");
  EXPECT_EQ(uri->serial, "f7abd0b1");
  EXPECT_EQ(uri->manufacturer, "SoftHSM project");
  EXPECT_EQ(uri->model, "SoftHSM v2");
  EXPECT_EQ(uri->module_path, "/usr/lib/softhsm/libsofthsm2.so");
  EXPECT_EQ(uri->pin_source, "file:/etc/coffer/pin");
}

TEST(ParseTokenUri, LeavesWhatIsNotSaidEmpty) {
  const auto uri = ParseTokenUri("pkcs11:token=t");
  ASSERT_TRUE(uri);
  EXPECT_EQ(uri->token, "t");
  EXPECT_EQ(uri->serial + uri->manufacturer + uri->model + uri->module_path + uri->pin_source, "");
}

TEST(ParseTokenUri, TakesALabelOfFullLength) {
  const std::string label(32, 'x');
  const auto uri = ParseTokenUri("pkcs11:token=" + label);
  ASSERT_TRUE(uri);
  EXPECT_EQ(uri->token, label);
}

TEST(ParseTokenUri, RefusesOtherTextsAndParts) {
  for (const std::string_view text :
       {"", "token=t", "pkcs12:token=t", "pkcs11:token=%zz", "pkcs11:token=t;object=k",
        "pkcs11:token=t;id=%01", "pkcs11:token=t;slot-id=0", "pkcs11:token=t?module-name=softhsm2",
        "pkcs11:token=t;wonder=1"}) {
    const auto uri = ParseTokenUri(text);
    ASSERT_FALSE(uri) << text;
    EXPECT_EQ(uri.error().code, Code::kInvalid);
  }
  EXPECT_FALSE(ParseTokenUri("pkcs11:token=" + std::string(5000, 'x')));
}

TEST(ParseTokenUri, RefusesAPinInTheTextWithoutRepeatingIt) {
  const auto uri = ParseTokenUri("pkcs11:token=t?pin-value=31337");
  ASSERT_FALSE(uri);
  EXPECT_NE(uri.error().message.find("pin-source"), std::string::npos);
  EXPECT_EQ((uri.error().message + uri.error().cause).find("31337"), std::string::npos);
}

TEST(PinSourceFile, NamesAFile) {
  EXPECT_EQ(PinSourceFile("/etc/pin").value(), "/etc/pin");
  EXPECT_EQ(PinSourceFile("file:/etc/pin").value(), "/etc/pin");
  EXPECT_EQ(PinSourceFile("file:///etc/my%20pin").value(), "/etc/my pin");
}

TEST(PinSourceFile, RefusesAnythingElse) {
  for (const std::string_view text : {"", "pin", "file:", "file:pin", "file://host/pin", "|cat pin",
                                      "http://x/pin", "file:/a%2", "file:/a%00b", "file:/a%zz"}) {
    EXPECT_FALSE(PinSourceFile(text)) << text;
  }
}

}  // namespace
}  // namespace coffer::pkcs11
