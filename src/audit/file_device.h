#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "audit/journal.h"
#include "coffer/audit/chain.h"
#include "coffer/audit/file_operations.h"
#include "coffer/base/clock.h"
#include "coffer/base/logger.h"
#include "coffer/base/result.h"

namespace coffer::audit {

// How long a caller of Append() stays.
enum class Urgency {
  kSoon,    // until the line cannot be lost with the process: more lines follow at once, or Flush()
  kNow,     // likewise, and until it is in the file; where others write as well, it is there soon
  kDurable  // until it is on the disk
};

// A file (or a named pipe) that takes lines and chains them. A line is accepted once it stands in
// the journal, which outlives the process; a caller that finds nobody writing gives the file what
// has gathered there. Where callers meet over it, a thread of the device's own writes for all of
// them for a while; and it does all that may take long: syncing, rotating, opening anew, coming
// back after a fault. A pipe has no journal that a new process could go on
// from: there a line is accepted once it is written. Thread-safe.
class FileDevice {
 public:
  struct Options {
    std::filesystem::path path;
    std::filesystem::path journal;              // where lines are kept that are not in the file yet
    std::chrono::milliseconds write_wait{500};  // then the record is refused
    std::chrono::milliseconds sync_wait{900};   // likewise
    std::chrono::milliseconds sync_period{1000};  // a line is on the disk after at most this
    std::uint64_t sync_entries = 1000;            // or so many lines
    std::uint64_t checkpoint_entries = 1000;      // then a checkpoint is asked for
    std::chrono::milliseconds upkeep_period{100};
    std::chrono::milliseconds look_period{1000};  // between looks for the file's name and room
    std::chrono::milliseconds gather_period{3};   // between writes where several threads want them
    bool always_sync = false;
    std::uint64_t rotate_octets = 0;  // 0: never by size
    // Of the file's end, for those who follow it: the rest is not left in the kernel's memory.
    std::uint64_t cached_octets = 16ULL * 1024 * 1024;
    std::int64_t warn_below_octets = 256LL * 1024 * 1024;
  };

  // What the chain is known to have reached, where the file itself does not say.
  struct Known {
    std::string name;    // the device's, for logs
    ChainPosition at;    // in the last committed change of state
    bool exact = false;  // the device stopped there: nothing was written after it
  };

  // Goes on behind the file's last whole line. kInvalid where the file is none of ours, in use by
  // another process or not to be opened for good; a fault that may pass leaves a device that
  // refuses until it has passed.
  static Result<std::unique_ptr<FileDevice>> Open(const Options& options, const Known& known,
                                                  FileOperations& files, const Clock& clock,
                                                  Logger& logger,
                                                  std::function<void()> want_checkpoint);
  ~FileDevice();
  FileDevice(const FileDevice&) = delete;
  FileDevice& operator=(const FileDevice&) = delete;

  // `line` is open, as SealLine() wants it. kUnavailable where it was not accepted in time; a line
  // that was refused may still come to stand in the file.
  Status Append(std::string line, Urgency urgency) {
    return Append(HashedLine(std::move(line)), urgency);
  }
  Status Append(HashedLine line, Urgency urgency);
  // Gives the file what it has not got yet; where others write as well, it has it soon.
  void Flush();
  // Everything accepted so far is on the disk when this returns; where the chain stands.
  Result<ChainPosition> SyncedHead();
  // Where the chain stands, if entries were accepted that no checkpoint covers yet.
  std::optional<ChainPosition> HeadToSign();
  Status AppendCheckpoint(const Checkpoint& checkpoint);
  // Opens the path anew, after somebody renamed the file; returns at once.
  void Reopen();
  bool Healthy() const;
  struct Counts {
    std::uint64_t accepted = 0;  // lines, since the start
    std::uint64_t refused = 0;
    std::uint64_t unsynced = 0;          // of the accepted ones
    std::uint64_t unsigned_entries = 0;  // that no checkpoint covers yet
    std::uint64_t octets = 0;            // of the file
    bool healthy = true;
  };
  Counts Count() const;
  // Ends the device: what was accepted is on the disk where that is possible. Where it stopped.
  ChainPosition Stop();
  // The file has got all that was accepted.
  bool Drained() const;

 private:
  using Steady = std::chrono::steady_clock;
  // What a line gains when it is sealed, at most: three numbers and their names.
  static constexpr std::size_t kSealOctets = 256;
  struct Written {
    std::size_t octets = 0;
    int error = 0;  // 0, or the positive error number
  };
  using Lock = std::unique_lock<std::mutex>;

  FileDevice(const Options& options, const Known& known, Journal journal, FileOperations& files,
             const Clock& clock, Logger& logger, std::function<void()> want_checkpoint);

  // The write path (file_device.cc).
  Status Submit(HashedLine line, Urgency urgency, bool covered);
  Lock LockSoon();
  Status MakeRoom(Lock& lock, std::size_t octets);
  // What was accepted goes to the file: now, or soon where others are about it. False where the
  // file did not take it.
  bool GiveToFile(Lock& lock);
  void Put(HashedLine& line, bool covered);
  // Gives the file what is in the journal, with the lock released meanwhile. Nobody else writes.
  // False where the file did not take it: the device is broken then.
  bool Drain(Lock& lock);
  // A device that does not take octets is waited for, for at most write_wait.
  Written WriteAll(int file, std::string_view octets);
  void Break(int error, std::string_view what);
  Status WaitWritten(Lock& lock, std::uint64_t accepted);
  Status WaitSynced(Lock& lock, std::uint64_t accepted);
  Status Refuse();

  // The device's own thread (device_upkeep.cc).
  void Upkeep();
  // Writes what has come, from time to time, until there is something else to do or little came.
  void Gather(Lock& lock);
  void NextGathering();
  bool HasDuties() const;
  void SyncNow(Lock& lock);
  int SyncNamed(int file, FileOperations::Facts& facts);
  // A server that writes 100 MB a second would soon have nothing but old lines in memory, and take
  // new pages for more.
  void ForgetSynced(int file, std::uint64_t size);
  bool SyncDue(Steady::time_point now) const;
  bool Full() const;
  // Nobody writes, and the device's thread does not wait to.
  bool MayLead() const { return !leading_ && !lead_wanted_; }
  // The right to write: whoever holds it lets the lock go. The device's thread only.
  void TakeLead(Lock& lock);
  void LeaveLead();
  void Look(Lock& lock);
  void Rotate(Lock& lock);
  void OpenAnew(Lock& lock, std::string_view why);
  void Recover(Lock& lock);
  bool WriteOwn(Lock& lock, std::string event_line);
  int OpenFile();
  void WarnOfSpace(Lock& lock);

  // The start (device_start.cc).
  Status Start();
  // Finds the place to go on from. Holding the lead, or before there is anybody else.
  Status Begin();
  Status ReadEnd(std::optional<ChainPosition>& at, Bytes& torn);
  std::string StartLine() const;

  const Options options_;
  const Known known_;
  FileOperations& files_;
  const Clock& clock_;
  Logger& logger_;
  const std::function<void()> want_checkpoint_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;  // for callers: a write, a sync, the lead
  std::condition_variable wake_;     // for the device's thread
  int file_ = -1;
  FileOperations::Facts identity_;  // of the open file
  Journal journal_;
  ChainPosition head_;         // of the last line that was accepted
  ChainPosition file_head_;    // of the last line of the file
  bool newline_owed_ = false;  // octets that are no line stand at the file's end
  bool begun_ = false;         // the place in the chain is known
  bool leading_ = false;       // somebody writes
  bool lead_wanted_ = false;   // the device's thread waits to
  bool idle_ = false;          // the device's thread waits for something to do
  int meetings_ = 0;           // callers who found another writing, of late
  // The device's thread writes for all, many lines at once; nobody else does while it syncs, but
  // for want of room in the journal. Changed under mutex_.
  std::atomic<bool> gathering_{false};
  bool drain_wanted_ = false;     // whoever wrote left lines to the device's thread
  Steady::time_point gather_at_;  // when it writes next
  std::uint64_t gathered_ = 0;    // what had been accepted when it last did
  std::uint64_t asked_ = 0;       // of the accepted lines, those that somebody wants in the file
  std::size_t waiting_ = 0;       // threads that wait for `changed_`
  // Refuses until Recover() has gone well. Changed under mutex_; Healthy() waits for nobody.
  std::atomic<bool> broken_{false};
  int fault_ = 0;                   // the error number of the fault
  bool told_ = false;               // the entry about this outage waits in the journal
  std::uint64_t refused_ = 0;       // in this outage
  std::uint64_t refused_ever_ = 0;  // counts on, for metrics
  std::uint64_t size_ = 0;
  std::uint64_t forgotten_ = 0;  // up to here; the device's thread only
  std::uint64_t accepted_ = 0;   // lines, since the start
  std::uint64_t written_ = 0;    // of these, in the file
  std::uint64_t synced_ = 0;     // of these, on the disk
  std::uint64_t sync_failures_ = 0;
  std::uint64_t uncovered_ = 0;  // accepted lines that no checkpoint covers
  bool sync_wanted_ = false;
  bool reopen_wanted_ = false;
  bool stopping_ = false;
  Steady::time_point last_sync_;
  Steady::time_point last_look_;
  Steady::time_point last_warning_;
  // What the start found behind the last whole line, of which the first entry speaks.
  std::uint64_t journal_lines_ = 0;  // that the file had not got
  std::uint64_t torn_octets_ = 0;
  std::string torn_hash_;
  std::thread thread_;
};

}  // namespace coffer::audit
