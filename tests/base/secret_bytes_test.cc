#include "coffer/base/secret_bytes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <type_traits>
#include <utility>

namespace coffer {
namespace {

static_assert(!std::is_copy_constructible_v<SecretBytes>);
static_assert(!std::is_copy_assignable_v<SecretBytes>);
static_assert(std::is_nothrow_move_constructible_v<SecretBytes>);

template <typename T>
concept Streamable = requires(std::ostream& out, const T& value) {
  out << value;
};
static_assert(!Streamable<SecretBytes>);

SecretBytes Pin(std::string_view text) { return SecretBytes::CopyOf(AsBytes(text)); }

TEST(SecretBytes, HandsItsContentOnAndIsEmptyAfterAMove) {
  SecretBytes from = Pin("1234");
  const SecretBytes to = std::move(from);
  EXPECT_EQ(AsText(to.Reveal()), "1234");
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): the promise under test
}

TEST(SecretBytes, TakesABufferOverWithoutACopy) {
  Bytes buffer(100, 7);
  const std::uint8_t* const address = buffer.data();
  const SecretBytes secret(std::move(buffer));
  EXPECT_EQ(secret.Reveal().data(), address);
}

TEST(SecretBytes, WipesWhatTruncateCutsOff) {
  SecretBytes secret = Pin("0123456789");
  const std::uint8_t* const octets = secret.Reveal().data();
  secret.Truncate(4);
  EXPECT_EQ(AsText(secret.Reveal()), "0123");
#if !defined(__SANITIZE_ADDRESS__)
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
  return;  // ASan forbids reading after the end of a vector
#endif
#endif
  // The vector keeps its capacity: the bytes after its size still belong to it.
  EXPECT_TRUE(std::all_of(octets + 4, octets + 10, [](std::uint8_t octet) { return octet == 0; }));
#endif
}

TEST(SecretBytes, TruncateToMoreThanThereIsChangesNothing) {
  SecretBytes secret = Pin("0123");
  secret.Truncate(4);
  secret.Truncate(5);
  EXPECT_EQ(AsText(secret.Reveal()), "0123");
}

TEST(SecretBytes, SurvivesAssignmentToItself) {
  SecretBytes secret = Pin("0123");
  SecretBytes& same = secret;
  secret = std::move(same);
  EXPECT_EQ(AsText(secret.Reveal()), "0123");
}

TEST(SecretBytes, ComparesContent) {
  EXPECT_TRUE(Pin("1234") == Pin("1234"));
  EXPECT_FALSE(Pin("1234") == Pin("1235"));
  EXPECT_FALSE(Pin("1234") == Pin("0234"));
  EXPECT_FALSE(Pin("1234") == Pin("123"));
  EXPECT_TRUE(SecretBytes() == SecretBytes());
}

TEST(SecureWipe, ZeroesExactlyWhatItIsGiven) {
  Bytes bytes(8, 0xff);
  SecureWipe(bytes.data() + 2, 4);
  EXPECT_EQ(bytes, (Bytes{0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff}));
  SecureWipe(nullptr, 0);
}

}  // namespace
}  // namespace coffer
