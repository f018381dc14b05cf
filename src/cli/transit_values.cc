#include "cli/transit_values.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/key_values.h"
#include "coffer/base/base64.h"
#include "coffer/base/standard_output.h"

namespace coffer::cli {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

// The file that the flags or words name, "-" for standard input; empty for another word.
Result<std::string> FileNamed(const Invocation& call) {
  if (call.Has("in") && call.words.size() > 1) {
    return Fail(Code::kInvalid, "give one of -in and " + call.words[1]);
  }
  if (call.Has("in")) return call.Get("in");
  if (call.words.size() < 2 || call.words[1] == "-") return "-";
  return call.words[1].starts_with('@') ? call.words[1].substr(1) : std::string();
}

bool WriteAll(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// The field of the answer; decoded, it is what was encrypted.
Result<std::string> ValueOf(const std::string& answer, std::string_view field, bool decoded) {
  COFFER_ASSIGN(std::string text, RenderField(answer, Format::kTable, std::string(field)));
  if (!decoded) return text;
  COFFER_ASSIGN(const Bytes plaintext, Base64Decode(text));
  return std::string(AsText(plaintext));
}

bool WantsWhole(const Invocation& call) {
  return call.format != Format::kTable || !call.field.empty();
}

}  // namespace

std::string TransitMount(const Invocation& call) {
  const std::string mount = PathOf(call.Get("mount"));
  return mount.empty() ? "transit" : mount;
}

std::string TransitPath(const Invocation& call, std::string_view operation) {
  return TransitMount(call) + "/" + std::string(operation) + "/" + call.words.front();
}

Result<std::string> SecretInput(const Invocation& call, std::string_view what) {
  COFFER_ASSIGN(const std::string file, FileNamed(call));
  if (file.empty()) {
    return Fail(Code::kInvalid,
                std::string(what) + " on the command line is seen by others: give - or @FILE");
  }
  return ReadAll(file);
}

Result<std::string> PublicInput(const Invocation& call) {
  COFFER_ASSIGN(const std::string file, FileNamed(call));
  if (file.empty()) return call.words[1];
  COFFER_ASSIGN(const std::string content, ReadAll(file));
  return std::string(Trimmed(content));
}

void AddEncoded(const Invocation& call, std::initializer_list<std::string_view> flags, json& body) {
  for (const std::string_view flag : flags) {
    if (call.Has(flag)) body[UnderScored(flag)] = Base64Encode(AsBytes(call.Get(flag)));
  }
}

Status WriteFile(const std::string& name, std::string_view content) {
  const auto failed = [&](int why) {
    return Fail(Code::kUnavailable, "failed to write " + name + ": " + std::strerror(why));
  };
  std::error_code error;
  // A link stays one; a device or a pipe is written to and never replaced.
  const fs::path resolved = fs::canonical(name, error);
  const std::string file = error ? name : resolved.string();
  const bool in_place = fs::exists(file, error) && !fs::is_regular_file(file, error);
  std::string fresh = in_place ? file : file + ".XXXXXX";
  const int fd = in_place ? ::open(file.c_str(), O_WRONLY | O_CLOEXEC)
                          : ::mkostemp(fresh.data(), O_CLOEXEC);  // mode 0600
  if (fd < 0) return failed(errno);
  int why = WriteAll(fd, content) && (in_place || ::fsync(fd) == 0) ? 0 : errno;
  if (::close(fd) != 0 && why == 0) why = errno;
  if (in_place) return why == 0 ? Status{} : failed(why);
  if (why == 0 && std::rename(fresh.c_str(), file.c_str()) == 0) return {};
  if (why == 0) why = errno;
  ::unlink(fresh.c_str());
  return failed(why);
}

int RefuseWholeInFile(const Invocation& call) {
  if (!call.Has("out") || !WantsWhole(call)) return kDone;
  return Complain("-out writes the value alone: give -format or -field without it", kLocalFailure);
}

int ShowValue(Invocation& call, const std::string& answer, std::string_view field, bool decoded) {
  if (!decoded && !call.Has("out")) {
    call.field = field;
    return Show(call, answer);
  }
  std::fputs(WarningsText(answer).c_str(), stderr);
  const auto value = ValueOf(answer, field, decoded);
  if (!value) return Complain(value.error().message, kLocalFailure);
  if (call.Has("out")) {
    const Status written = WriteFile(call.Get("out"), *value);
    return written ? kDone : Complain(written.error().message, kLocalFailure);
  }
  PrintOutput(*value);
  return kDone;
}

int ExchangeValue(Invocation& call, const Request& request, std::string_view field, bool decoded) {
  if (const int refused = RefuseWholeInFile(call); refused != kDone) return refused;
  if (WantsWhole(call)) return Exchange(call, request, "");
  int code = kDone;
  const auto answer = Ask(call, request, code);
  return answer ? ShowValue(call, answer->body, field, decoded) : code;
}

}  // namespace coffer::cli
