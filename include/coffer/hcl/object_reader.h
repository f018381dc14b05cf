#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/base/result.h"
#include "coffer/hcl/value.h"

namespace coffer::hcl {

// A block, or what JSON writes for one. Points into the document.
struct Block {
  std::vector<Label> labels;
  Position at;
  const Value* body = nullptr;
};

// A sentence for a member that is known from elsewhere and is none here.
struct Hint {
  std::string_view name;
  std::string_view text;
};

// Reads an object's members by name and type, and knows at the end which were never asked for.
// Every error is kInvalid with line and column. The document outlives the reader. One thread.
class ObjectReader {
 public:
  // `what` names the object in errors: "listener \"tcp\""; a literal or longer-lived text.
  ObjectReader(const Value& object, std::string_view what);

  // Nothing where the member is absent.
  Result<std::optional<std::string>> Text(std::string_view name);
  Result<std::optional<bool>> Boolean(std::string_view name);
  // Within [lowest, highest].
  Result<std::optional<std::int64_t>> Integer(std::string_view name, std::int64_t lowest,
                                              std::int64_t highest);
  // "1h30m", "90s" or a number of seconds; within [lowest, highest] seconds.
  Result<std::optional<std::int64_t>> Seconds(std::string_view name, std::int64_t lowest,
                                              std::int64_t highest);
  // A list of strings; one string is a list of one.
  Result<std::optional<std::vector<std::string>>> Texts(std::string_view name);
  // The member as it stands; null where it is absent.
  const Value* Any(std::string_view name);
  // All blocks of this name with exactly `labels` labels. In JSON labels are members:
  // {"listener": {"tcp": {...}}}, or a list of such objects.
  Result<std::vector<Block>> Blocks(std::string_view name, std::size_t labels);

  // The place at which the member of this name begins; the object's own place if it is absent.
  Position At(std::string_view name) const;
  // kInvalid, of a member that must be there and is not: "WHAT has no NAME" at `at`, or the unknown
  // key that was probably meant for it.
  tl::unexpected<Error> Missing(std::string_view name, Position at) const;
  // kInvalid with the first member that nobody asked for, its hint or the name that it resembles.
  Status Finish(std::span<const Hint> hints = {}) const;

 private:
  const Member* Take(std::string_view name);
  tl::unexpected<Error> Unknown(const Member& member) const;
  // The name that was asked for and resembles this one most; empty where none does.
  std::string_view Nearest(std::string_view name) const;
  Result<const Value*> TakeAttribute(std::string_view name, Value::Kind kind,
                                     std::string_view wanted);

  const Value& object_;
  std::string_view what_;
  std::vector<bool> taken_;
  std::vector<std::string> asked_;
};

}  // namespace coffer::hcl
