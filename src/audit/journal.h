#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>

#include "coffer/audit/chain.h"
#include "coffer/audit/file_operations.h"
#include "coffer/base/bytes.h"
#include "coffer/base/result.h"

namespace coffer::audit {

// Sealed lines that were accepted and do not stand in the device's file yet, in memory that the
// kernel keeps for a file: they outlive this process, though not the machine. A ring in which a
// line is never divided. Which of its octets count is written nowhere: the lines say it themselves,
// by their numbers and hashes. Not thread-safe.
class Journal {
 public:
  static constexpr std::size_t kOctets = 8UL * 1024 * 1024;

  // `path` empty: in this process's memory only, for a device that could not say what it took.
  static Result<Journal> Open(const std::filesystem::path& path, FileOperations& files);
  ~Journal();
  Journal(Journal&& other) noexcept;
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  Journal& operator=(Journal&&) = delete;

  // What an earlier process left: the lines that follow `head` in the chain count as pending from
  // now on. `torn`: what stands in the file behind head's line; where it is the beginning of the
  // first of these lines, the rest of it is pending. Before anything else.
  struct Found {
    ChainPosition at;  // of the last such line, or head
    std::uint64_t lines = 0;
    bool continues_torn = false;
  };
  Found Recover(const ChainPosition& head, ByteView torn);
  // Likewise where the file cannot say how far it reached: from the first line that was not given
  // to a file.
  Found RecoverUnwritten();
  // Nothing is pending, whatever was found.
  Found Forget();

  bool Fits(std::size_t octets) const;
  // Fits(line.size()); ends with a newline.
  void Put(std::string_view line);
  bool Empty() const { return pending_ == 0; }
  // The next octets for the file: all, or those before the ring's end. Valid until Took().
  std::string_view Next() const;
  bool NextIsAll() const { return !wrapped_; }
  // The first of these are in the file.
  void Took(std::size_t octets);
  // All lines up to this one are in a file.
  void NoteWritten(std::uint64_t sequence);
  // Back to the beginning of the line of which a part was taken: in another file it must be whole.
  void Rewind();

 private:
  explicit Journal(FileOperations* files, MutableBytes mapped);
  Found Adopt(std::uint64_t first, const crypto::Sha256Digest* before, ByteView torn);

  FileOperations* files_;  // null: memory of this process
  MutableBytes mapped_;
  // Where lines are; before it stands the number that NoteWritten() keeps.
  char* room_;
  std::size_t size_;
  std::size_t kept_ = 0;   // the beginning of the line that holds begin_: not to be overwritten
  std::size_t begin_ = 0;  // the first pending octet
  std::size_t end_ = 0;    // behind the last
  std::size_t limit_ = 0;  // wrapped: where the lines before the ring's end stop
  bool wrapped_ = false;
  std::size_t pending_ = 0;
};

}  // namespace coffer::audit
