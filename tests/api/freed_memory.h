#pragma once

#include <string_view>

namespace coffer::api {

// From now on counts the blocks given back with operator delete that hold `text`, which lives as
// long as the program. Any thread.
void WatchFreedMemory(std::string_view text);
long FreedWithText();

}  // namespace coffer::api
