#include "coffer/hcl/parse.h"

#include <set>
#include <string>
#include <utility>

#include "hcl/scanner.h"

namespace coffer::hcl {
namespace {

class Parser {
 public:
  Parser(std::string_view text, const Bounds& bounds) : scanner_(text), bounds_(bounds) {}

  Result<Value> Document();

 private:
  Status Count(Position at);
  Result<bool> Skip() { return scanner_.SkipBlanks(true, !json_); }
  Result<Value> AnyValue(std::size_t depth);
  Result<Value> WordValue();
  Result<Value> List(std::size_t depth);
  // Members up to '}', or to the end of the document.
  Status HclBody(Value& object, std::size_t depth, bool document);
  Result<Member> HclMember(std::size_t depth);
  Status JsonBody(Value& object, std::size_t depth);
  Result<std::string> Name();
  static Status CheckUnique(const Member& member, std::set<std::string, std::less<>>& attributes,
                            std::set<std::string, std::less<>>& blocks);

  Scanner scanner_;
  const Bounds& bounds_;
  bool json_ = false;
  std::size_t values_ = 0;
};

Status Parser::Count(Position at) {
  if (++values_ <= bounds_.values) return {};
  return FailAt(at, "the document has more than " + std::to_string(bounds_.values) + " values");
}

Result<Value> Parser::Document() {
  COFFER_TRY(scanner_.CheckCharacters());
  COFFER_TRY(scanner_.SkipBlanks(true, false));
  Value object;
  object.at = scanner_.At();
  json_ = scanner_.Peek() == '{';
  if (!json_) {
    COFFER_TRY(HclBody(object, 1, true));
    return object;
  }
  scanner_.Take();
  COFFER_TRY(JsonBody(object, 1));
  COFFER_TRY(Skip());
  if (!scanner_.AtEnd()) return FailAt(scanner_.At(), "nothing may follow the document's object");
  return object;
}

// An attribute's name once among attributes, and not as a block too.
Status Parser::CheckUnique(const Member& member, std::set<std::string, std::less<>>& attributes,
                           std::set<std::string, std::less<>>& blocks) {
  const bool other = (member.block ? attributes : blocks).contains(member.name);
  const bool again = !(member.block ? blocks : attributes).insert(member.name).second;
  if (other || (again && !member.block)) {
    return FailAt(member.at, "\"" + member.name + "\" was set before");
  }
  return {};
}

Status Parser::HclBody(Value& object, std::size_t depth, bool document) {
  std::set<std::string, std::less<>> attributes;
  std::set<std::string, std::less<>> blocks;
  bool separated = true;
  while (true) {
    COFFER_ASSIGN(const bool new_line, Skip());
    if (scanner_.AtEnd()) {
      if (document) return {};
      return FailAt(object.at, "the block has no end");
    }
    if (scanner_.Peek() == '}' && !document) {
      scanner_.Take();
      return {};
    }
    if (!separated && !new_line) {
      return FailAt(scanner_.At(), "expected a new line or a comma");
    }
    COFFER_ASSIGN(Member member, HclMember(depth));
    COFFER_TRY(CheckUnique(member, attributes, blocks));
    separated = member.block;  // policies are often written as blocks on one line
    object.members.push_back(std::move(member));
    COFFER_TRY(scanner_.SkipBlanks(false, true));
    if (scanner_.Peek() == ',') {
      scanner_.Take();
      separated = true;
    }
  }
}

Result<std::string> Parser::Name() {
  const Position at = scanner_.At();
  if (scanner_.Peek() == '"') {
    COFFER_ASSIGN(std::string name, scanner_.QuotedString(json_));
    if (name.empty()) return FailAt(at, "a name may not be empty");
    return name;
  }
  std::string name = json_ ? "" : scanner_.Word();
  if (name.empty()) return FailAt(at, "expected a name");
  return name;
}

Result<Member> Parser::HclMember(std::size_t depth) {
  Member member;
  member.at = scanner_.At();
  COFFER_ASSIGN(member.name, Name());
  COFFER_TRY(scanner_.SkipBlanks(false, true));
  while (scanner_.Peek() == '"') {
    Label label;
    label.at = scanner_.At();
    COFFER_TRY(Count(label.at));
    COFFER_ASSIGN(label.text, scanner_.QuotedString(false));
    member.labels.push_back(std::move(label));
    COFFER_TRY(scanner_.SkipBlanks(false, true));
  }
  if (scanner_.Peek() == '=' && member.labels.empty()) {
    scanner_.Take();
    COFFER_TRY(scanner_.SkipBlanks(false, true));
    COFFER_ASSIGN(member.value, AnyValue(depth));
    return member;
  }
  if (scanner_.Peek() != '{') {
    const Position at = scanner_.At();
    const bool bare = !scanner_.Word().empty();
    return FailAt(
        at, (member.labels.empty() ? "expected = or { after \"" + member.name + "\""
                                   : "expected { after the labels of \"" + member.name + "\"") +
                (bare ? "; a label stands in quotes" : ""));
  }
  member.block = true;
  COFFER_ASSIGN(member.value, AnyValue(depth));
  return member;
}

Status Parser::JsonBody(Value& object, std::size_t depth) {
  std::set<std::string, std::less<>> attributes;
  std::set<std::string, std::less<>> blocks;
  COFFER_TRY(Skip());
  if (scanner_.Peek() == '}') {
    scanner_.Take();
    return {};
  }
  while (true) {
    COFFER_TRY(Skip());
    Member member;
    member.at = scanner_.At();
    COFFER_ASSIGN(member.name, Name());
    COFFER_TRY(CheckUnique(member, attributes, blocks));
    COFFER_TRY(Skip());
    if (scanner_.Peek() != ':') return FailAt(scanner_.At(), "expected :");
    scanner_.Take();
    COFFER_TRY(Skip());
    COFFER_ASSIGN(member.value, AnyValue(depth));
    object.members.push_back(std::move(member));
    COFFER_TRY(Skip());
    const char next = scanner_.Peek();
    if (next != ',' && next != '}') return FailAt(scanner_.At(), "expected , or }");
    scanner_.Take();
    if (next == '}') return {};
  }
}

Result<Value> Parser::List(std::size_t depth) {
  Value list;
  list.kind = Value::Kind::kList;
  list.at = scanner_.At();
  scanner_.Take();
  bool after_comma = false;
  while (true) {
    COFFER_TRY(Skip());
    if (scanner_.Peek() == ']' && !(json_ && after_comma)) {
      scanner_.Take();
      return list;
    }
    COFFER_ASSIGN(Value item, AnyValue(depth));
    list.items.push_back(std::move(item));
    COFFER_TRY(Skip());
    if (scanner_.Peek() != ',' && scanner_.Peek() != ']') {
      return FailAt(scanner_.At(), "expected , or ]");
    }
    after_comma = scanner_.Peek() == ',';
    if (after_comma) scanner_.Take();
  }
}

Result<Value> Parser::WordValue() {
  Value value;
  value.at = scanner_.At();
  const std::string word = scanner_.Word();
  if (word == "true" || word == "false") {
    value.kind = Value::Kind::kBool;
    value.boolean = word == "true";
    return value;
  }
  return FailAt(value.at, word.empty()
                              ? "expected a value"
                              : "expected a value; a string stands in quotes: \"" + word + "\"");
}

Result<Value> Parser::AnyValue(std::size_t depth) {
  const Position at = scanner_.At();
  COFFER_TRY(Count(at));
  const char first = scanner_.Peek();
  Value value;
  value.at = at;
  if (first == '"' || (!json_ && scanner_.LooksAt("<<"))) {
    value.kind = Value::Kind::kText;
    COFFER_ASSIGN(value.text, first == '"' ? scanner_.QuotedString(json_) : scanner_.Heredoc());
    return value;
  }
  if (first == '-' || (first >= '0' && first <= '9')) return scanner_.Number();
  if (first != '[' && first != '{') return WordValue();
  if (depth >= bounds_.depth) {
    return FailAt(at, "nested more than " + std::to_string(bounds_.depth) + " deep");
  }
  if (first == '[') return List(depth + 1);
  scanner_.Take();
  COFFER_TRY(json_ ? JsonBody(value, depth + 1) : HclBody(value, depth + 1, false));
  return value;
}

}  // namespace

Result<Value> Parse(std::string_view text, const Bounds& bounds) {
  if (text.size() > bounds.octets) {
    return FailAt({}, "the document is larger than " + std::to_string(bounds.octets) + " bytes");
  }
  return Parser(text, bounds).Document();
}

}  // namespace coffer::hcl
