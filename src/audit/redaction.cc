#include "audit/redaction.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "audit/json_text.h"
#include "coffer/base/bytes.h"
#include "coffer/base/json_text.h"
#include "coffer/base/secret_bytes.h"

namespace coffer::audit {

std::string ValueHasher::Hash(std::string_view value) const {
  std::string out;
  AppendQuoted(value, out);
  return out.substr(1, out.size() - 2);
}

void ValueHasher::AppendQuoted(std::string_view value, std::string& out) const {
  out += "\"hmac-sha256:";
  AppendHex(hash_.Of(AsBytes(value)), out);
  out += '"';
}

namespace {

unsigned char ToOctet(char c) { return static_cast<unsigned char>(c); }

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool Contains(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

enum class Treatment { kUsual, kPlain, kSecret };

// True for a number, true, false or null. No other bare word may be copied, since it may be secret.
bool IsWord(std::string_view word) {
  if (word == "true" || word == "false" || word == "null") return true;
  if (word.empty() || (word.front() != '-' && std::isdigit(ToOctet(word.front())) == 0)) {
    return false;
  }
  return word.find_first_not_of("0123456789+-.eE", 1) == std::string_view::npos;
}

// True if the text may stand in the clear in a plain field: it is a name such as "aes256-gcm96".
// A text that is no name is hashed in such a field, too.
bool IsName(std::string_view text) {
  constexpr std::size_t kLongest = 64;
  return text.size() <= kLongest &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") ==
             std::string_view::npos;
}

// Writes the redacted form of a JSON value, up to a limit.
class Writer {
 public:
  Writer(const ValueHasher& hasher, std::size_t limit, std::string& out)
      : hasher_(hasher), out_(out), begin_(out.size()), limit_(limit) {}
  void Structure(char c) { out_ += c; }
  void Name(std::string_view name) {
    if (Fits(name)) AppendJsonString(name, out_);
  }
  void Text(std::string_view text, Treatment treatment) {
    if (treatment == Treatment::kPlain) {
      AppendJsonString(text, out_);
    } else {
      hasher_.AppendQuoted(text, out_);
    }
  }
  void Word(std::string_view word, Treatment treatment) {
    if (treatment == Treatment::kSecret) {
      hasher_.AppendQuoted(word, out_);
    } else if (Fits(word)) {
      out_.append(word);
    }
  }
  bool InBounds() const { return !full_ && out_.size() - begin_ <= limit_; }

 private:
  bool Fits(std::string_view text) {
    full_ = full_ || text.size() > limit_;
    return !full_;
  }

  const ValueHasher& hasher_;
  std::string& out_;
  const std::size_t begin_;
  const std::size_t limit_;
  bool full_ = false;
};

// Walks through a JSON text and tells its parts to the writer. Strict in what stands where, so that
// no value is ever taken for a name.
class Walker {
 public:
  Walker(std::string_view text, const RedactionRules& rules, Writer& writer)
      : json_(text), rules_(rules), writer_(writer) {}

  // False where the text is not one whole value, or the writer has had enough.
  bool Walk() {
    while (true) {
      while (at_ < json_.size() && IsBlank(json_[at_])) ++at_;
      if (at_ == json_.size()) return wanted_ == Wanted::kNothing;
      if (!Step(json_[at_]) || !writer_.InBounds()) return false;
    }
  }

 private:
  static constexpr std::size_t kMaxDepth = 512;
  enum class Wanted { kValue, kValueOrEnd, kName, kNameOrEnd, kColon, kCommaOrEnd, kNothing };

  bool Step(char c) {
    switch (c) {
      case '{':
      case '[':
        return Open(c);
      case '}':
      case ']':
        return Close(c);
      case ',':
        if (wanted_ != Wanted::kCommaOrEnd) return false;
        wanted_ = open_.back() == '{' ? Wanted::kName : Wanted::kValue;
        return Structure(c);
      case ':':
        if (wanted_ != Wanted::kColon) return false;
        wanted_ = Wanted::kValue;
        return Structure(c);
      case '"':
        return String();
      default:
        return Word();
    }
  }

  bool Structure(char c) {
    writer_.Structure(c);
    ++at_;
    return true;
  }

  bool WantsValue() const { return wanted_ == Wanted::kValue || wanted_ == Wanted::kValueOrEnd; }
  void HadValue() { wanted_ = open_.empty() ? Wanted::kNothing : Wanted::kCommaOrEnd; }

  bool Open(char c) {
    if (!WantsValue() || open_.size() == kMaxDepth) return false;
    open_.push_back(c);
    wanted_ = c == '{' ? Wanted::kNameOrEnd : Wanted::kValueOrEnd;
    return Structure(c);
  }

  bool Close(char c) {
    const bool may = wanted_ == Wanted::kCommaOrEnd || wanted_ == Wanted::kNameOrEnd ||
                     wanted_ == Wanted::kValueOrEnd;
    if (!may || open_.back() != (c == '}' ? '{' : '[')) return false;
    open_.pop_back();
    HadValue();
    return Structure(c);
  }

  bool String() {
    const std::size_t begin = at_ + 1;
    std::size_t end = json_.find('"', begin);
    if (end == std::string_view::npos) return false;
    const bool escaped = json_.substr(begin, end - begin).find('\\') != std::string_view::npos;
    if (escaped) {
      end = begin;
      while (end < json_.size() && json_[end] != '"') end += json_[end] == '\\' ? 2 : 1;
      if (end >= json_.size()) return false;
    }
    const std::string_view raw = json_.substr(begin, end - begin);
    at_ = end + 1;
    if (!escaped) return Text(raw);
    std::string text = UnescapeJson(raw);
    const bool fine = Text(text);
    SecureWipe(text.data(), text.size());
    return fine;
  }

  bool Text(std::string_view text) {
    if (wanted_ == Wanted::kName || wanted_ == Wanted::kNameOrEnd) {
      if (open_.size() == 1) {
        treatment_ = Contains(rules_.secret, text)  ? Treatment::kSecret
                     : Contains(rules_.plain, text) ? Treatment::kPlain
                                                    : Treatment::kUsual;
      }
      wanted_ = Wanted::kColon;
      writer_.Name(text);
      return true;
    }
    if (!WantsValue()) return false;
    HadValue();
    const bool shown = treatment_ == Treatment::kPlain && open_.size() == 1 && IsName(text);
    writer_.Text(text, shown ? Treatment::kPlain : Treatment::kUsual);
    return true;
  }

  bool Word() {
    const std::size_t begin = at_;
    while (at_ < json_.size() && (std::isalnum(ToOctet(json_[at_])) != 0 || json_[at_] == '-' ||
                                  json_[at_] == '+' || json_[at_] == '.')) {
      ++at_;
    }
    const std::string_view word = json_.substr(begin, at_ - begin);
    if (!WantsValue() || !IsWord(word)) return false;
    HadValue();
    writer_.Word(word, treatment_);
    return true;
  }

  std::string_view json_;
  const RedactionRules& rules_;
  Writer& writer_;
  std::size_t at_ = 0;
  std::vector<char> open_;
  Wanted wanted_ = Wanted::kValue;
  Treatment treatment_ = Treatment::kUsual;
};

}  // namespace

void AppendRedacted(std::string_view text, const RedactionRules& rules, const ValueHasher& hasher,
                    std::size_t limit, std::string& out) {
  const std::size_t begin = out.size();
  Writer writer(hasher, limit, out);
  if (Walker(text, rules, writer).Walk()) return;
  out.resize(begin);
  out += R"({"elided":{"octets":)";
  AppendNumber(text.size(), out);
  out += R"(,"hash":)";
  hasher.AppendQuoted(text, out);
  out += "}}";
}

}  // namespace coffer::audit
