#include "server/token/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "server/descriptor.h"

namespace coffer::server {
namespace {

constexpr std::size_t kMaxOctets = 4096;

auto Failed(std::string_view verb, const std::filesystem::path& file) {
  return Fail(Code::kUnavailable,
              "failed to " + std::string(verb) + " " + file.string() + ": " + std::strerror(errno));
}

// Removes a file that an interrupted run left in the place of `fresh`. A link, a pipe or another
// user's file is refused: the secret must not go where it leads.
Status ClearTheWay(const std::filesystem::path& fresh) {
  struct stat found {};
  if (::lstat(fresh.c_str(), &found) != 0) {
    if (errno == ENOENT) return {};
    return Failed("write", fresh);
  }
  if (!S_ISREG(found.st_mode) || found.st_uid != ::geteuid()) {
    return Fail(Code::kConflict, "failed to write " + fresh.string() +
                                     ": something that is not ours is in its place: remove it");
  }
  if (::unlink(fresh.c_str()) != 0) return Failed("write", fresh);
  return {};
}

Status WriteNew(const std::filesystem::path& fresh, ByteView octets) {
  const Descriptor fd(
      ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (fd.get() < 0) return Failed("write", fresh);
  if (::write(fd.get(), octets.data(), octets.size()) == static_cast<ssize_t>(octets.size()) &&
      ::fsync(fd.get()) == 0) {
    return {};
  }
  const auto failed = Failed("write", fresh);
  ::unlink(fresh.c_str());
  return failed;
}

}  // namespace

Result<std::optional<SecretBytes>> ReadSecretFile(const std::filesystem::path& file) {
  const Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) {
    if (errno == ENOENT) return std::optional<SecretBytes>{};
    return Failed("read", file);
  }
  SecretBytes content(kMaxOctets + 1);
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got =
        ::read(fd.get(), content.RevealMutable().data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed("read", file);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > kMaxOctets) {
    return Fail(Code::kInvalid,
                file.string() + " has more than " + std::to_string(kMaxOctets) + " bytes");
  }
  while (size > 0 && (content.Reveal()[size - 1] == '\n' || content.Reveal()[size - 1] == '\r'))
    --size;
  content.Truncate(size);
  if (content.empty()) return Fail(Code::kInvalid, file.string() + " is empty");
  return std::optional(std::move(content));
}

Status ReplacePrivateFile(const std::filesystem::path& file, ByteView octets) {
  const std::filesystem::path fresh = file.string() + ".new";
  COFFER_TRY(ClearTheWay(fresh));
  COFFER_TRY(WriteNew(fresh, octets));
  if (::rename(fresh.c_str(), file.c_str()) != 0) return Failed("write", file);
  const Descriptor directory(
      ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0)
    return Failed("sync", file.parent_path());
  return {};
}

Status WriteSecretFile(const std::filesystem::path& file, const SecretBytes& secret) {
  SecretBytes line(secret.size() + 1);
  const MutableBytes octets = line.RevealMutable();
  std::copy(secret.Reveal().begin(), secret.Reveal().end(), octets.begin());
  octets.back() = '\n';
  return ReplacePrivateFile(file, line.Reveal());
}

}  // namespace coffer::server
