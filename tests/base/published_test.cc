#include "coffer/base/published.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace coffer {
namespace {

TEST(Published, GivesReadersTheNewestValueAndLeavesTheirsAlone) {
  Published<std::string> published(std::make_shared<const std::string>("first"));
  const auto held = published.Current();
  published.Publish(std::make_shared<const std::string>("second"));
  EXPECT_EQ(*held, "first");
  EXPECT_EQ(*published.Current(), "second");
}

TEST(Published, BeginsWithAnEmptyValueWhereNoneIsGiven) {
  const Published<std::vector<int>> published;
  ASSERT_NE(published.Current(), nullptr);
  EXPECT_TRUE(published.Current()->empty());
}

TEST(Published, CountsItsChanges) {
  Published<int> published;
  const std::uint64_t before = published.Change();
  published.Publish(std::make_shared<const int>(1));
  EXPECT_EQ(published.Change(), before + 1);
}

TEST(Published, DropsALoadedValueThatAChangeHasOvertaken) {
  Published<int> published;
  published.Publish(std::make_shared<const int>(1));
  EXPECT_FALSE(published.PublishLoaded(std::make_shared<const int>(7), published.Change()));
  EXPECT_EQ(*published.Current(), 1);
  EXPECT_TRUE(published.PublishLoaded(std::make_shared<const int>(9), published.Change() + 5));
  EXPECT_EQ(*published.Current(), 9);
  EXPECT_FALSE(published.PublishLoaded(std::make_shared<const int>(8), published.Change() - 1));
}

TEST(Published, DestroysTheFormerValueOutsideItsLock) {
  struct AsksAgain {
    const Published<AsksAgain>* published = nullptr;
    ~AsksAgain() {
      if (published != nullptr) static_cast<void>(published->Change());  // hangs under the lock
    }
  };
  Published<AsksAgain> published;
  published.Publish(std::make_shared<const AsksAgain>(AsksAgain{&published}));
  published.Publish(std::make_shared<const AsksAgain>());
  EXPECT_EQ(published.Change(), 2U);
}

TEST(Published, IsSafeForReadersWhileItChanges) {
  Published<std::vector<int>> published;
  std::thread writer([&] {
    for (int i = 1; i <= 1000; ++i) {
      published.Publish(std::make_shared<const std::vector<int>>(10, i));
    }
  });
  int last = 0;
  while (last < 1000) {
    const auto seen = published.Current();
    if (seen->empty()) continue;
    ASSERT_EQ(seen->front(), seen->back());
    ASSERT_GE(seen->front(), last);
    last = seen->front();
  }
  writer.join();
}

}  // namespace
}  // namespace coffer
