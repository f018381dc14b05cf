#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "coffer/audit/chain.h"
#include "coffer/audit/file_operations.h"
#include "coffer/base/clock.h"
#include "coffer/base/logger.h"
#include "coffer/base/result.h"

namespace coffer::audit {

// Digits, at least, of the number in a rotated file's name: "audit.log.000000004711".
inline constexpr std::size_t kSequenceDigits = 12;

// A FileDevice chains lines and writes them to a file or a named pipe, by group commit: each caller
// queues its line on its own stack, and the first in the queue writes for all that have queued.
//
// Threads: any thread may call. A thread of the device's own syncs, opens, rotates, and brings the
//   device back after a fault.
// Ownership: the services that Open() takes must outlive the device.
// Errors: kUnavailable: the line was not accepted; it may have come to stand in the file all the
//   same. After an error of the file every line is refused until the file was opened anew.
// Promise: when Append() has returned success, `write` has returned for the line, so that it
//   outlives this process; for a durable one `fdatasync` has returned as well. The chain's order is
//   the queue's.
class FileDevice {
 public:
  struct Options {
    std::filesystem::path path;
    std::chrono::milliseconds write_wait{500};    // then the line is refused
    std::chrono::milliseconds sync_wait{900};     // then a durable line is refused
    std::chrono::milliseconds sync_period{1000};  // a line is on the disk after at most this
    std::uint64_t sync_entries = 1000;            // or after so many lines
    std::uint64_t checkpoint_entries = 1000;      // then a checkpoint is asked for
    std::chrono::milliseconds upkeep_period{100};
    std::chrono::milliseconds look_period{1000};  // between looks for the file's name and room
    std::size_t longest_line = 0;                 // longer ones are refused; 0: none is
    bool always_sync = false;
    std::uint64_t rotate_octets = 0;  // 0: never by size
    std::int64_t warn_below_octets = 256LL * 1024 * 1024;
  };

  // The place that the chain is known to have reached, for a file that does not say it itself.
  struct Known {
    ChainPosition at;    // in the last committed change of state
    bool exact = false;  // the device stopped there: nothing was written after it
  };

  // Continues after the file's last whole line; `name` is the device's, for logs. kInvalid where
  // the file is none of ours, is in use by another process or cannot be opened for good. A fault
  // that may pass leaves a device that refuses until it has passed.
  static Result<std::unique_ptr<FileDevice>> Open(const Options& options, const std::string& name,
                                                  const Known& known, FileOperations& files,
                                                  const Clock& clock, Logger& logger,
                                                  std::function<void()> want_checkpoint);
  // The open file can be gone on with: it is empty, or its end is a device's. It is only read.
  static Status CheckEnd(FileOperations& files, int file, std::uint64_t size);
  ~FileDevice();
  FileDevice(const FileDevice&) = delete;
  FileDevice& operator=(const FileDevice&) = delete;

  // `line` has no closing brace yet, as SealLine() requires.
  Status Append(std::string line, bool durable = false) {
    HashedLine hashed(std::move(line));
    return Append({&hashed, 1}, durable);
  }
  // The lines stand together, and are accepted or refused together. None of them may wait for the
  // caller: they are sealed where they are.
  Status Append(std::span<HashedLine> lines, bool durable = false);
  // Refuses what Append() would refuse now. Does not block while the device takes lines.
  Status Ready();
  // Waits until everything accepted so far is on the disk; returns where the chain stands there.
  Result<ChainPosition> SyncedHead();
  // Returns where the chain stands, if entries were accepted that no checkpoint covers yet.
  std::optional<ChainPosition> HeadToSign();
  Status AppendCheckpoint(const Checkpoint& checkpoint);
  // Refuses every line from now on but a checkpoint.
  void End();
  // Opens the path anew, after somebody renamed the file; returns at once.
  void Reopen();
  bool Healthy() const { return !broken_; }
  struct Counts {
    std::uint64_t accepted = 0;  // lines, since the start
    std::uint64_t refused = 0;
    std::uint64_t unsynced = 0;          // of the accepted ones
    std::uint64_t unsigned_entries = 0;  // that no checkpoint covers yet
    std::uint64_t octets = 0;            // of the file
    bool healthy = true;
    bool on_disk = true;  // it is a file, and can be synced
  };
  Counts Count() const;
  // Ends the device's thread; what was accepted is on the disk where that is possible. Returns
  // where the chain stopped.
  Known Stop();

 private:
  using Steady = std::chrono::steady_clock;
  using Lock = std::unique_lock<std::mutex>;

  // The right to write to the file, to give lines their places and to change the file for another.
  // There is one lead: the first thread in the queue holds it until PassOn().
  class Lead {
   public:
    Lead(Lead&&) noexcept = default;
    Lead& operator=(Lead&&) = delete;

   private:
    friend class FileDevice;
    Lead() = default;
  };
  // A place in the queue, on the stack of the thread that waits for it.
  struct Turn {
    enum class State { kWaiting, kTaken, kWritten, kRefused };
    std::span<HashedLine> lines;  // empty: the thread asks for the lead and has no line yet
    bool counts = true;           // false: a checkpoint, which needs none of its own
    State state = State::kWaiting;
    std::uint64_t number = 0;    // once written: the lines accepted up to here,
    std::uint64_t failures = 0;  // and the syncs that had failed by then
    std::condition_variable ready;
  };
  struct Written {
    std::size_t octets = 0;
    int error = 0;  // 0, or the positive error number
  };

  FileDevice(const Options& options, std::string name, const Known& known, FileOperations& files,
             const Clock& clock, Logger& logger, std::function<void()> want_checkpoint);

  // The write path (file_device.cc).
  Status Submit(std::span<HashedLine> lines, bool durable, bool checkpoint);
  // Queues `turn` and waits. Returns the lead once the turn is the first; nothing where another
  // thread wrote its line, or it was refused.
  std::optional<Lead> Await(Lock& lock, Turn& turn);
  // Writes the lines of the first turns in the queue, the caller's among them. The lock is released
  // meanwhile.
  void WriteGroup(Lock& lock, Lead lead);
  // Waits for a device that takes no bytes for at most write_wait.
  Written Write(const Lead& lead, std::string_view octets);
  // The last line of `text` that carries a chain, whatever else it says. A line that somebody
  // changed must not pass for an accident at the start. Nothing where there is none.
  struct LastLine {
    std::size_t end = 0;  // after its newline, which may be missing
    ChainPosition at;
  };
  static std::optional<LastLine> FindLastLine(std::string_view text);
  // Notes what a write that failed has left: which of the group's lines are whole.
  void NoteTorn(std::string_view octets);
  void PassOn(Lead lead);
  // Leaves the queue without having written.
  void Leave(Turn& turn, Lead lead);
  void Break(int error, std::string_view what);
  // Waits until `number` lines are on the disk; refused once more than `failures` syncs failed.
  Status WaitSynced(Lock& lock, std::uint64_t number, std::uint64_t failures);
  Status Refuse(std::string_view why = {});

  // The device's own thread (device_upkeep.cc).
  void Upkeep();
  bool HasDuties() const;
  void SyncNow(Lock& lock);
  int SyncNamed(int file);
  bool SyncDue(Steady::time_point now) const;
  bool Full() const;
  bool PathIsOpenFile();  // the path still names the file that is open
  Lead TakeLead(Lock& lock, Turn& turn);
  void Look(Lock& lock);
  void OpenAnew(Lock& lock, std::string_view why, bool rotate = false);
  void Recover(Lock& lock);
  // Writes a line of the device's own with the lead that `turn` has.
  bool WriteOwn(Lock& lock, Lead lead, Turn& turn, std::string open_line);
  int OpenFile();
  void WarnOfSpace(Lock& lock);

  // The start (device_start.cc).
  Status Start();
  // Finds the place to go on from in the file that was just opened.
  Status FindPlace(const Lead& lead, const Known& known);
  static Status ReadEnd(FileOperations& files, int file, std::uint64_t size,
                        std::optional<ChainPosition>& at, Bytes& torn, bool& newline_owed);
  std::optional<ChainPosition> EndOfRotated();
  // The event with which the device begins to write to a file, and what it found there.
  std::string BeginLine(std::string_view event, std::string_view refused = {},
                        std::string_view why = {}) const;

  const Options options_;
  const std::string name_;
  const Known known_;
  FileOperations& files_;
  const Clock& clock_;
  Logger& logger_;
  const std::function<void()> want_checkpoint_;

  // Only the thread that holds the lead changes these.
  std::string group_;          // the lines that are being written
  Bytes torn_;                 // bytes after the last whole line, which are no whole line
  bool newline_owed_ = false;  // they end without a newline, in the file that is open
  bool begun_ = false;         // the place in the chain is known
  bool told_ = false;          // the entry about this outage is in the file
  ChainPosition promised_;     // what the chain was known to have reached

  mutable std::mutex mutex_;  // protects what follows
  std::deque<Turn*> queue_;
  std::condition_variable changed_;  // for those who wait for a sync
  std::condition_variable wake_;     // for the device's thread
  int file_ = -1;                    // changed by the device's thread, with the lead
  FileOperations::Facts identity_;   // of the open file
  bool name_unsynced_ = false;       // the file's name may not be on the disk
  ChainPosition head_;               // of the last whole line in the file
  // True while the device refuses lines, until Recover() has succeeded. It is atomic so that
  // Healthy() takes no lock.
  std::atomic<bool> broken_{false};
  bool ended_ = false;
  int fault_ = 0;                   // the error number of the fault
  std::uint64_t refused_ = 0;       // in this outage
  std::uint64_t refused_ever_ = 0;  // counts on, for metrics
  std::uint64_t size_ = 0;
  std::uint64_t written_ = 0;  // lines, since the start
  std::uint64_t synced_ = 0;   // of these, on the disk
  std::uint64_t sync_failures_ = 0;
  std::uint64_t uncovered_ = 0;  // lines that no checkpoint covers
  bool sync_wanted_ = false;
  bool reopen_wanted_ = false;
  bool stopping_ = false;
  Steady::time_point last_sync_;
  Steady::time_point last_look_;
  Steady::time_point last_warning_;
  std::thread thread_;
};

}  // namespace coffer::audit
