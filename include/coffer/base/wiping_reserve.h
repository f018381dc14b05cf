#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include "coffer/base/secret_bytes.h"

namespace coffer {

// Makes room for `size` bytes in all, without leaving a copy of what `text` holds in memory that
// is given back.
inline void ReserveWiping(std::string& text, std::size_t size) {
  if (size <= text.capacity()) return;
  std::string larger;
  larger.reserve(std::max(size, 2 * text.capacity()));
  larger.append(text);
  SecureWipe(text.data(), text.size());
  text.swap(larger);
}

}  // namespace coffer
