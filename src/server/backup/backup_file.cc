#include "server/backup/backup_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include "coffer/crypto/digest.h"

namespace coffer::server {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "COFFERBK";
constexpr std::size_t kMacOctets = 32;
constexpr std::size_t kLengthOctets = 4;
constexpr std::size_t kTrailerOctets = kLengthOctets + kMagic.size();
constexpr std::size_t kBlockOctets = 1024UL * 1024;

auto Failed(std::string_view doing, const fs::path& file) {
  const int reason = errno;
  return Fail(Code::kUnavailable,
              "failed to " + std::string(doing) + ": " + std::generic_category().message(reason),
              file.string());
}

auto NoBackup() { return Fail(Code::kCorrupt, "the file is no backup of coffer, or it was cut"); }

Status WriteAll(int fd, ByteView octets, const fs::path& file) {
  while (!octets.empty()) {
    const ssize_t written = ::write(fd, octets.data(), octets.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return Failed("write the file", file);
    octets = octets.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

// Fills `out` from `offset`. If the file ends before that it was cut.
Status ReadAll(int fd, std::uint64_t offset, MutableBytes out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got =
        ::pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed("read the backup", {});
    if (got == 0) return NoBackup();
    done += static_cast<std::size_t>(got);
  }
  return {};
}

Result<std::uint64_t> SizeOf(int fd, const fs::path& file) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return Failed("read the file", file);
  if (!S_ISREG(status.st_mode))
    return Fail(Code::kInvalid, "this is no regular file", file.string());
  return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace

Status Measure(const fs::path& file, keyring::BackupManifest& manifest) {
  const Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (fd.get() < 0) return Failed("read the copy", file);
  COFFER_ASSIGN(manifest.octets, SizeOf(fd.get(), file));
  crypto::Sha256Stream hash;
  Bytes block(kBlockOctets);
  for (std::uint64_t at = 0; at < manifest.octets;) {
    const std::size_t now =
        static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), manifest.octets - at));
    COFFER_TRY(ReadAll(fd.get(), at, MutableBytes(block).first(now)));
    hash.Update(ByteView(block).first(now));
    at += now;
  }
  manifest.sha256 = hash.Finish();
  return {};
}

Status AppendManifest(const fs::path& file, ByteView encoded, const keyring::Mac& mac) {
  Bytes end(encoded.begin(), encoded.end());
  end.insert(end.end(), mac.begin(), mac.end());
  for (int shift = 24; shift >= 0; shift -= 8) {
    end.push_back(static_cast<std::uint8_t>(encoded.size() >> shift));
  }
  end.insert(end.end(), kMagic.begin(), kMagic.end());
  const Descriptor fd(::open(file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
  if (fd.get() < 0) return Failed("write the file", file);
  COFFER_TRY(WriteAll(fd.get(), end, file));
  if (::fsync(fd.get()) != 0) return Failed("sync the file", file);
  return {};
}

Result<BackupReader> BackupReader::Open(const fs::path& file) {
  // O_NONBLOCK: a named pipe must not hold us up before it is recognised.
  Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (fd.get() < 0) {
    const int reason = errno;
    return Fail(Code::kInvalid,
                "failed to open " + file.string() + ": " + std::generic_category().message(reason));
  }
  BackupReader reader(std::move(fd));
  COFFER_TRY(reader.ReadEnd());
  return reader;
}

Status BackupReader::ReadEnd() {
  COFFER_ASSIGN(const std::uint64_t size, SizeOf(file_.get(), {}));
  if (size < kTrailerOctets + kMacOctets) return NoBackup();
  std::array<std::uint8_t, kTrailerOctets> trailer{};
  COFFER_TRY(ReadAll(file_.get(), size - trailer.size(), trailer));
  if (AsText(ByteView(trailer).subspan(kLengthOctets)) != kMagic) return NoBackup();
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < kLengthOctets; ++i) length = (length << 8) | trailer[i];
  const std::uint64_t behind = length + kMacOctets + kTrailerOctets;
  if (length > keyring::kMaxManifestOctets || behind > size) return NoBackup();
  encoded_.resize(length);
  mac_.resize(kMacOctets);
  COFFER_TRY(ReadAll(file_.get(), size - behind, encoded_));
  COFFER_TRY(ReadAll(file_.get(), size - behind + length, mac_));
  COFFER_ASSIGN(manifest_, keyring::DecodeManifest(encoded_));
  return manifest_.octets == size - behind ? Status{} : Status(NoBackup());
}

Status BackupReader::Copy(const std::function<Status(ByteView)>& take,
                          const OctetProgress& progress) const {
  crypto::Sha256Stream hash;
  Bytes block(kBlockOctets);
  const std::uint64_t total = manifest_.octets;
  for (std::uint64_t at = 0; at < total;) {
    const std::size_t now =
        static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), total - at));
    COFFER_TRY(ReadAll(file_.get(), at, MutableBytes(block).first(now)));
    hash.Update(ByteView(block).first(now));
    COFFER_TRY(take(ByteView(block).first(now)));
    at += now;
    progress(static_cast<std::int64_t>(at), static_cast<std::int64_t>(total));
  }
  if (hash.Finish() == manifest_.sha256) return {};
  return Fail(Code::kCorrupt,
              "the backup was changed: its database is not the one that its manifest describes");
}

Status BackupReader::Check(const OctetProgress& progress) const {
  return Copy([](ByteView) { return Status{}; }, progress);
}

Status BackupReader::ExtractTo(const fs::path& to, const OctetProgress& progress) const {
  const Descriptor out(
      ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (out.get() < 0) return Failed("make the file", to);
  Status done = Copy([&](ByteView block) { return WriteAll(out.get(), block, to); }, progress);
  if (done && ::fsync(out.get()) != 0) done = Failed("sync the file", to);
  if (!done) ::unlink(to.c_str());
  return done;
}

}  // namespace coffer::server
