#include "server/token/token_files.h"

#include <fstream>
#include <iterator>
#include <string>

#include "coffer/base/bytes.h"
#include "server/token/secret_file.h"

namespace coffer::server {
namespace {

namespace fs = std::filesystem;

// The content of the file; empty if there is none.
std::string Content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

Status KeepTokenFiles(const fs::path& objects_directory, Logger& logger) {
  if (objects_directory.empty()) return {};
  std::error_code error;
  for (fs::directory_iterator it(objects_directory, error), end; !error && it != end;
       it.increment(error)) {
    const fs::path own = it->path() / "token.object";
    const fs::path copy = it->path() / "token.object.kept";
    std::error_code ignored;
    if (!fs::is_regular_file(own, ignored)) continue;
    const std::string octets = Content(own);
    const std::string kept = Content(copy);
    if (!octets.empty() && octets != kept) {
      COFFER_TRY(ReplacePrivateFile(copy, AsBytes(octets)));
    } else if (octets.empty() && !kept.empty()) {
      COFFER_TRY(ReplacePrivateFile(own, AsBytes(kept)));
      logger.Log(LogLevel::kWarn, "server",
                 "a killed process had emptied the token's file: its copy was put back",
                 {{"file", own.string()}});
    }
  }
  return {};
}

}  // namespace coffer::server
