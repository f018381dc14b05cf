#include "coffer/hcl/object_reader.h"

#include <algorithm>
#include <utility>

#include "coffer/base/parse.h"

namespace coffer::hcl {
namespace {

std::string Quoted(std::string_view name) { return "\"" + std::string(name) + "\""; }

Status CheckRange(const Value& value, std::string_view name, std::int64_t number,
                  std::int64_t lowest, std::int64_t highest, std::string_view unit) {
  if (number >= lowest && number <= highest) return {};
  return FailAt(value.at, Quoted(name) + " must be from " + std::to_string(lowest) + " to " +
                              std::to_string(highest) + std::string(unit));
}

// How many characters must be changed, put in, left out or swapped with the next to make one of the
// other. Names are short.
std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1,
                             cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

// JSON's form of blocks: each missing label is one level of members.
Status Unfold(const Value& value, std::string_view name, std::size_t labels,
              const std::vector<Label>& outer, Position at, std::vector<Block>& blocks) {
  if (value.kind == Value::Kind::kList) {
    for (const Value& item : value.items) {
      if (item.kind == Value::Kind::kList) return FailAt(item.at, "expected an object");
      COFFER_TRY(Unfold(item, name, labels, outer, item.at, blocks));
    }
    return {};
  }
  if (value.kind != Value::Kind::kObject) {
    return FailAt(value.at,
                  Quoted(name) + " must be a block, not " + std::string(KindName(value.kind)));
  }
  if (labels == outer.size()) {
    blocks.push_back({outer, at, &value});
    return {};
  }
  for (const Member& member : value.members) {
    std::vector<Label> inner = outer;
    inner.push_back({member.name, member.at});
    inner.insert(inner.end(), member.labels.begin(), member.labels.end());
    if (inner.size() > labels) return FailAt(member.at, Quoted(name) + " has too many labels");
    COFFER_TRY(Unfold(member.value, name, labels, inner, member.at, blocks));
  }
  return {};
}

}  // namespace

ObjectReader::ObjectReader(const Value& object, std::string_view what)
    : object_(object), what_(what), taken_(object.members.size()) {}

const Member* ObjectReader::Take(std::string_view name) {
  asked_.emplace_back(name);
  for (std::size_t i = 0; i < taken_.size(); ++i) {
    if (object_.members[i].name != name) continue;
    taken_[i] = true;
    return &object_.members[i];
  }
  return nullptr;
}

Result<const Value*> ObjectReader::TakeAttribute(std::string_view name, Value::Kind kind,
                                                 std::string_view wanted) {
  const Member* const member = Take(name);
  if (member == nullptr) return nullptr;
  if (member->block) return FailAt(member->at, Quoted(name) + " is an attribute: write it with =");
  if (member->value.kind != kind) {
    return FailAt(member->value.at, Quoted(name) + " must be " + std::string(wanted) + ", not " +
                                        std::string(KindName(member->value.kind)));
  }
  return &member->value;
}

Result<std::optional<std::string>> ObjectReader::Text(std::string_view name) {
  COFFER_ASSIGN(const Value* value, TakeAttribute(name, Value::Kind::kText, "a string"));
  if (value == nullptr) return std::nullopt;
  return value->text;
}

Result<std::optional<bool>> ObjectReader::Boolean(std::string_view name) {
  COFFER_ASSIGN(const Value* value, TakeAttribute(name, Value::Kind::kBool, "true or false"));
  if (value == nullptr) return std::nullopt;
  return value->boolean;
}

Result<std::optional<std::int64_t>> ObjectReader::Integer(std::string_view name,
                                                          std::int64_t lowest,
                                                          std::int64_t highest) {
  COFFER_ASSIGN(const Value* value, TakeAttribute(name, Value::Kind::kInteger, "an integer"));
  if (value == nullptr) return std::nullopt;
  COFFER_TRY(CheckRange(*value, name, value->integer, lowest, highest, ""));
  return value->integer;
}

Result<std::optional<std::int64_t>> ObjectReader::Seconds(std::string_view name,
                                                          std::int64_t lowest,
                                                          std::int64_t highest) {
  const Member* const member = Take(name);
  if (member == nullptr) return std::nullopt;
  const Value& value = member->value;
  std::int64_t seconds = value.integer;
  if (value.kind == Value::Kind::kText) {
    const auto parsed = ParseDurationSeconds(value.text);
    if (!parsed) return FailAt(value.at, Quoted(name) + " is not a duration such as \"30s\"");
    seconds = *parsed;
  } else if (value.kind != Value::Kind::kInteger) {
    return FailAt(value.at, Quoted(name) + " must be a duration such as \"30s\", not " +
                                std::string(KindName(value.kind)));
  }
  COFFER_TRY(CheckRange(value, name, seconds, lowest, highest, " seconds"));
  return seconds;
}

Result<std::optional<std::vector<std::string>>> ObjectReader::Texts(std::string_view name) {
  const Member* const member = Take(name);
  if (member == nullptr) return std::nullopt;
  const Value& value = member->value;
  std::vector<std::string> texts;
  if (value.kind == Value::Kind::kText) {
    texts.push_back(value.text);
    return texts;
  }
  if (value.kind != Value::Kind::kList) {
    return FailAt(value.at, Quoted(name) + " must be a list of strings, not " +
                                std::string(KindName(value.kind)));
  }
  for (const Value& item : value.items) {
    if (item.kind != Value::Kind::kText) {
      return FailAt(item.at,
                    Quoted(name) + " must hold strings, not " + std::string(KindName(item.kind)));
    }
    texts.push_back(item.text);
  }
  return texts;
}

const Value* ObjectReader::Any(std::string_view name) {
  const Member* const member = Take(name);
  return member == nullptr ? nullptr : &member->value;
}

Result<std::vector<Block>> ObjectReader::Blocks(std::string_view name, std::size_t labels) {
  asked_.emplace_back(name);
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < taken_.size(); ++i) {
    const Member& member = object_.members[i];
    if (member.name != name) continue;
    taken_[i] = true;
    if (member.labels.size() > labels) {
      return FailAt(member.labels[labels].at,
                    Quoted(name) + " takes " + std::to_string(labels) + " labels");
    }
    if (member.block && member.labels.size() < labels) {
      return FailAt(member.at, Quoted(name) + " needs " + std::to_string(labels) +
                                   (labels == 1 ? " label" : " labels") + " in quotes");
    }
    COFFER_TRY(Unfold(member.value, name, labels, member.labels, member.at, blocks));
  }
  return blocks;
}

Position ObjectReader::At(std::string_view name) const {
  for (const Member& member : object_.members) {
    if (member.name == name) return member.at;
  }
  return object_.at;
}

std::string_view ObjectReader::Nearest(std::string_view name) const {
  constexpr std::size_t kLongest = 64;
  if (name.size() < 2 || name.size() > kLongest) return {};
  std::size_t least = 1 + std::max<std::size_t>(1, name.size() / 4);
  std::string_view nearest;
  for (const std::string& asked : asked_) {
    const std::size_t distance = Distance(name, asked);
    if (distance >= least) continue;
    least = distance;
    nearest = asked;
  }
  return nearest;
}

Status ObjectReader::Finish(std::span<const Hint> hints) const {
  const auto left = std::find(taken_.begin(), taken_.end(), false);
  if (left == taken_.end()) return {};
  const Member& member = object_.members[static_cast<std::size_t>(left - taken_.begin())];
  const auto hint = std::find_if(hints.begin(), hints.end(),
                                 [&](const Hint& each) { return each.name == member.name; });
  if (hint != hints.end()) {
    return FailAt(member.at, Quoted(member.name) + " has no place in " + std::string(what_) + ": " +
                                 std::string(hint->text));
  }
  return Unknown(member);
}

tl::unexpected<Error> ObjectReader::Missing(std::string_view name, Position at) const {
  for (std::size_t i = 0; i < taken_.size(); ++i) {
    const Member& member = object_.members[i];
    if (!taken_[i] && Nearest(member.name) == name) return Unknown(member);
  }
  return FailAt(at, std::string(what_) + " has no " + Quoted(name));
}

tl::unexpected<Error> ObjectReader::Unknown(const Member& member) const {
  const std::string_view nearest = Nearest(member.name);
  return FailAt(member.at, "unknown key " + Quoted(member.name) + " in " + std::string(what_) +
                               (nearest.empty() ? "" : "; did you mean " + Quoted(nearest) + "?"));
}

}  // namespace coffer::hcl
