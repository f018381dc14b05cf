#include "coffer/storage/database_replacement.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "storage/database_file.h"
#include "storage/finish_replacement.h"

namespace coffer::storage {
namespace {

namespace fs = std::filesystem;

fs::path With(const fs::path& file, const char* suffix) { return file.string() + suffix; }

bool Exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

// No error where there is nothing to move.
Status Move(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) == 0 || errno == ENOENT) return {};
  return FailWithErrno("move " + from.string() + " aside");
}

}  // namespace

// Every step may have been taken before. The former log goes first: it must never lie beside a
// database that it does not belong to, for SQLite would play it back into it.
Status FinishReplacement(const fs::path& file) {
  const fs::path incoming = With(file, ".incoming");
  if (!Exists(incoming)) return {};
  const fs::path directory = fs::absolute(file).parent_path();
  const fs::path aside = With(file, ".replaced");
  for (const char* const suffix : {"-wal", "-journal"}) {
    COFFER_TRY(Move(With(file, suffix), With(aside, suffix)));
  }
  if (::unlink(With(file, "-shm").c_str()) != 0 && errno != ENOENT) {
    return FailWithErrno("remove " + With(file, "-shm").string());
  }
  COFFER_TRY(Move(file, aside));
  COFFER_TRY(SyncPath(directory));  // before the new one has the name: a power cut orders nothing
  if (::rename(incoming.c_str(), file.c_str()) != 0) {
    return FailWithErrno("put the new database in place");
  }
  return SyncPath(directory);
}

Status CheckReplaceable(const fs::path& file) {
  COFFER_TRY(FinishReplacement(file));
  const fs::path aside = With(file, ".replaced");
  for (const char* const suffix : {"", "-wal", "-journal"}) {
    if (!Exists(With(aside, suffix))) continue;
    return Fail(Code::kConflict, "the database of an earlier restore, " +
                                     With(aside, suffix).string() +
                                     ", is in the way: move it elsewhere or remove it");
  }
  return {};
}

Status ReplaceDatabase(const fs::path& file, const fs::path& fresh) {
  COFFER_TRY(CheckReplaceable(file));
  if (Exists(With(fresh, "-wal"))) {
    return Fail(Code::kInternal, "database error", "the new database has a log");
  }
  COFFER_TRY(SyncPath(fresh));
  // From this rename on the replacement is decided: an Open() finishes it.
  if (::rename(fresh.c_str(), With(file, ".incoming").c_str()) != 0) {
    return FailWithErrno("put the new database in place");
  }
  COFFER_TRY(SyncPath(fs::absolute(file).parent_path()));
  return FinishReplacement(file);
}

void RemoveDatabaseFiles(const std::filesystem::path& file) {
  std::error_code ignored;
  for (const char* const suffix : {"", "-wal", "-shm", "-journal"}) {
    std::filesystem::remove(file.string() + suffix, ignored);
  }
}

}  // namespace coffer::storage
