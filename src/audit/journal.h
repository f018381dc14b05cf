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
// by their hashes. Not thread-safe.
class Journal {
 public:
  static constexpr std::size_t kOctets = 8UL * 1024 * 1024;

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
  // Likewise where the file holds no whole line that could say how far the former one reached: from
  // the first line that was given to no file.
  Found RecoverUntaken(ByteView torn);
  // Nothing is pending, whatever was found.
  void Forget();
  // After that: whatever else stands there can never be taken for one of ours.
  void ClearRest();

  bool Fits(std::size_t octets) const;
  // A line in two pieces, which Fits() and ends with a newline.
  void Put(std::string_view beginning, std::string_view rest = {});
  bool Empty() const { return pending_ == 0; }
  // The next octets for the file: all, or those before the ring's end. Valid until Took().
  std::string_view Next() const;
  bool NextIsAll() const { return !wrapped_; }
  // The first of these are in the file.
  void Took(std::size_t octets);
  // Back to the beginning of the line of which a part was taken: in another file it must be whole.
  void Rewind();

 private:
  Journal(FileOperations& files, MutableBytes mapped);
  void NoteTaken(const ChainPosition& at);

  FileOperations& files_;
  MutableBytes mapped_;
  // Where lines are; before it stands the place of the last line that a file got whole.
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
