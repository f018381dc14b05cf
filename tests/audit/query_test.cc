#include "coffer/audit/query.h"

#include <gtest/gtest.h>

namespace coffer::audit {
namespace {

TEST(QueryTime, IsADateOrADateWithATime) {
  for (const char* const good :
       {"2026", "2026-11", "2026-11-24", "2026-11-24T12:00", "2026-11-24T12:00Z",
        "2026-11-24T12:00:59", "2026-11-24T12:00:59.123456789Z"}) {
    EXPECT_TRUE(IsQueryTime(good)) << good;
  }
  for (const char* const bad : {"", "garbage", "26", "2026-", "2026-1", "2026-13-01", "2026-11-32",
                                "2026-11-24T", "2026-11-24T24:00", "2026-11-24 12:00",
                                "2026-11-24T12:00+01:00", "2026-11-24T12:00:59.", "24.11.2026"}) {
    EXPECT_FALSE(IsQueryTime(bad)) << bad;
  }
}

}  // namespace
}  // namespace coffer::audit
