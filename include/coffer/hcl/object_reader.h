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

// A block of HCL, or the object that JSON has in its place. It points into the document.
struct Block {
  std::vector<Label> labels;
  Position at;
  const Value* body = nullptr;
};

// A sentence for a member that other programs know and this one does not.
struct Hint {
  std::string_view name;
  std::string_view text;
};

// Reads the members of an object by name and type. Finish() then refuses members that the caller
// never asked for. The caller owns the reader, and the document must outlive it. One thread. Every
// error is kInvalid with line and column.
class ObjectReader {
 public:
  // `what` names the object in errors: "listener \"tcp\""; a literal or longer-lived text.
  ObjectReader(const Value& object, std::string_view what);

  // Nothing where the member is absent.
  Result<std::optional<std::string>> Text(std::string_view name);
  Result<std::optional<bool>> Boolean(std::string_view name);
  // An integer within [lowest, highest].
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
  // The error for a member that must be there and is not, kInvalid: "WHAT has no NAME" at `at`, or
  // the name of the unknown member that was probably meant.
  tl::unexpected<Error> Missing(std::string_view name, Position at) const;
  // kInvalid if there is a member that was never asked for: the error names the first, with its
  // hint or the name that it resembles.
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
