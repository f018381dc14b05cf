#include "cli/policy_format.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "coffer/auth/policy.h"
#include "coffer/base/ascii.h"

namespace coffer::cli {
namespace {

constexpr std::size_t kNoEquals = std::string::npos;

// A line of the text, without the blanks at its ends.
struct FormatLine {
  std::string text;
  int depth = 0;                   // of the braces and brackets that it stands in
  std::size_t equals = kNoEquals;  // where its attribute's equals sign stands
  bool as_it_is = false;           // a part of a comment or heredoc of several lines
};

// Follows strings and comments through the lines of a text.
class LineScanner {
 public:
  FormatLine Next(std::string_view line) {
    FormatLine made;
    if (!heredoc_.empty() || in_comment_) {
      made.as_it_is = true;
      made.text = line;
      Continue(line);
      return made;
    }
    made.text = Trim(line, " \t\r");
    made.depth = depth_;
    const int before = depth_;
    Scan(made);
    // A closing bracket in front stands as far left as the line that opened it.
    if (!made.text.empty() && (made.text[0] == '}' || made.text[0] == ']')) made.depth = before - 1;
    made.depth = std::max(made.depth, 0);
    return made;
  }

 private:
  void Continue(std::string_view line) {
    if (in_comment_) {
      in_comment_ = line.find("*/") == std::string_view::npos;
    } else if (Trim(line) == heredoc_) {
      heredoc_.clear();
    }
  }
  void Scan(FormatLine& made) {
    const std::string& text = made.text;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (in_string) {
        if (c == '\\') ++i;
        if (c == '"') in_string = false;
        continue;
      }
      if (c == '#' || text.compare(i, 2, "//") == 0) return;
      if (text.compare(i, 2, "/*") == 0) {
        const std::size_t end = text.find("*/", i + 2);
        in_comment_ = end == std::string::npos;
        if (in_comment_) return;
        i = end + 1;
        continue;
      }
      if (text.compare(i, 2, "<<") == 0) {
        heredoc_ = text.substr(i + 2 + (text.compare(i, 3, "<<-") == 0 ? 1 : 0));
        return;
      }
      if (c == '"') in_string = true;
      if (c == '{' || c == '[') ++depth_;
      if (c == '}' || c == ']') --depth_;
      if (c == '=' && made.equals == kNoEquals && depth_ == made.depth) made.equals = i;
    }
  }

  int depth_ = 0;
  bool in_comment_ = false;
  std::string heredoc_;
};

std::vector<FormatLine> LinesOf(std::string_view text) {
  std::vector<FormatLine> lines;
  LineScanner scanner;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(scanner.Next(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// Puts the equals signs of the lines [first, last) below each other.
void Align(std::vector<FormatLine>& lines, std::size_t first, std::size_t last) {
  std::size_t widest = 0;
  for (std::size_t i = first; i < last; ++i) {
    widest =
        std::max(widest, Trim(std::string_view(lines[i].text).substr(0, lines[i].equals)).size());
  }
  for (std::size_t i = first; i < last; ++i) {
    const std::string_view text = lines[i].text;
    std::string name(Trim(text.substr(0, lines[i].equals)));
    const std::string_view value = Trim(text.substr(lines[i].equals + 1));
    name.resize(widest, ' ');
    lines[i].text = name + " = " + std::string(value);
  }
}

void AlignAll(std::vector<FormatLine>& lines) {
  for (std::size_t first = 0; first < lines.size();) {
    std::size_t last = first;
    const auto aligned = [&](const FormatLine& line) {
      return !line.as_it_is && line.equals != kNoEquals && line.depth == lines[first].depth;
    };
    while (last < lines.size() && aligned(lines[last])) ++last;
    if (last > first) Align(lines, first, last);
    first = std::max(last, first + 1);
  }
}

}  // namespace

Result<std::string> FormattedPolicy(std::string_view text) {
  COFFER_TRY(auth::ParsePolicy("formatted", text));
  if (Trim(text, " \t\r\n").starts_with('{')) return std::string(text);
  std::vector<FormatLine> lines = LinesOf(text);
  AlignAll(lines);
  std::string out;
  bool blank = true;  // so that none stands at the beginning
  for (const FormatLine& line : lines) {
    if (line.text.empty() && !line.as_it_is) {
      if (!blank) out += '\n';
      blank = true;
      continue;
    }
    blank = false;
    if (!line.as_it_is) out.append(2 * static_cast<std::size_t>(line.depth), ' ');
    out.append(line.text).append(1, '\n');
  }
  while (out.ends_with("\n\n")) out.pop_back();
  COFFER_TRY(auth::ParsePolicy("formatted", out));
  return out;
}

Status ReplaceFile(const std::string& file, std::string_view content) {
  struct stat former {};
  const mode_t mode = ::stat(file.c_str(), &former) == 0 ? (former.st_mode & 07777) : 0644;
  const std::string fresh = file + ".new";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  bool written = fd >= 0 && ::write(fd, content.data(), content.size()) ==
                                static_cast<ssize_t>(content.size());
  if (fd >= 0) {
    written = ::fsync(fd) == 0 && written;
    written = ::close(fd) == 0 && written;
  }
  if (written && std::rename(fresh.c_str(), file.c_str()) == 0) return {};
  if (fd >= 0) ::unlink(fresh.c_str());
  return Fail(Code::kUnavailable, "failed to write " + file);
}

}  // namespace coffer::cli
