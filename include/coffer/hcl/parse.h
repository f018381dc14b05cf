#pragma once

#include <cstddef>
#include <string_view>

#include "coffer/base/result.h"
#include "coffer/hcl/value.h"

namespace coffer::hcl {

// The bounds of a document. A document beyond a bound is refused, not cut.
struct Bounds {
  std::size_t octets = 1024UL * 1024;
  std::size_t depth = 32;        // of objects, blocks and lists in each other
  std::size_t values = 100'000;  // of all kinds together
};

// Parses a document: an object. A text whose first character is '{' is JSON (RFC 8259, without
// null), anything else the subset of HCL 1 that configuration and policies use: attributes, blocks
// with labels, strings with escapes, heredocs (<<X, <<-X), integers, reals, booleans, lists,
// objects, comments (#, //, /* */). No expressions: "${" is text like any other. Strict: UTF-8, no
// control characters, each attribute on a line of its own or separated by a comma, each name once.
// kInvalid "line L, column C: ..." otherwise. Thread-safe.
Result<Value> Parse(std::string_view text, const Bounds& bounds = {});

}  // namespace coffer::hcl
