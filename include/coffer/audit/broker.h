#pragma once

// The audit trail: every request leaves its entries on the devices here, or is refused. The
// server's audit office owns the one Broker of the process and opens it once the database and the
// token are there; its Services and its Custody outlive Close(). Thread-safe, except Open() and
// Close(). Errors: kUnavailable if no device takes an entry, kInvalid for settings that are not
// allowed.
// Example: `if (!broker.Record(entry)) ...` refuses the request, or withholds its answer.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/audit/checkpoint_signer.h"
#include "coffer/audit/device_settings.h"
#include "coffer/audit/entry.h"
#include "coffer/audit/file_operations.h"
#include "coffer/base/clock.h"
#include "coffer/base/logger.h"
#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "coffer/base/secret_bytes.h"
#include "coffer/storage/database.h"

namespace coffer::audit {

// The state of one device, as a value.
struct DeviceCounts {
  std::string path;
  std::uint64_t accepted = 0;  // lines, since the start
  std::uint64_t refused = 0;
  std::uint64_t unsynced = 0;          // accepted lines that are not on the disk yet
  std::uint64_t unsigned_entries = 0;  // entries that no checkpoint covers yet
  std::uint64_t octets = 0;            // the size of the file
  bool healthy = true;
  bool on_disk = true;  // a file, so that the entries of changes of state are on the disk
};

// The devices, and the only way to them: an entry counts as recorded if at least one device took
// it. Into every transaction that changes state the broker also writes how far each chain has come.
// Thread-safe, except Open() and Close().
class Broker final : public Sink, public storage::CommitObserver {
 public:
  struct Services {
    FileOperations& files;
    Random& random;
    const Clock& clock;
    Logger& logger;
    int output = 1;  // the descriptor that "stdout" leads to
  };
  // The parts that need the token. They outlive the broker's Close().
  struct Custody {
    CheckpointSigner* signer = nullptr;
    // Returns 32 bytes for a label, the same each time.
    std::function<Result<SecretBytes>(std::string_view label)> salt;
    // Asks for Checkpoint() to be called soon, on the thread that may sign.
    std::function<void()> want_checkpoint;
  };

  // The targets that devices enabled through the API may have.
  struct Allowed {
    std::filesystem::path directory;   // the directory of all files; empty: no file is allowed
    std::vector<std::string> sockets;  // addresses, as they are written
  };

  static std::vector<storage::Migration> Schema();
  explicit Broker(const Services& services);
  ~Broker() override;  // Close()
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  // Opens the declared devices and those that were enabled through the API, and signs a checkpoint
  // at the point where each begins. A device whose file cannot be opened refuses entries until it
  // can.
  Status Open(storage::Database& database, Custody custody,
              const std::vector<DeviceSettings>& declared, Allowed allowed);
  // Takes no entries from now on, and signs a last checkpoint of each chain. It should be called on
  // the custodian's thread: any other thread waits for that one.
  void SignOff();
  // Stops the devices and notes in the database where they stopped.
  void Close();

  Status Record(const Entry& entry) override;
  Status RecordEvent(const Event& event);
  Status BeforeCommit(storage::Transaction& transaction) override;

  // `settings.file` is a name, or a path in the allowed directory. kInvalid also if the path or the
  // target is in use.
  Status Enable(DeviceSettings settings);
  Status Disable(std::string_view path);  // no error if it is absent
  std::vector<DeviceSettings> List() const;
  // Returns "hmac-sha256:..." as the lines of the device have it; kInvalid if there is no such
  // device.
  Result<std::string> HashOf(std::string_view path, std::string_view value) const;

  // Signs a checkpoint of each chain. It should be called on the custodian's thread: any other
  // thread waits for that one.
  void Checkpoint();
  // Opens the files again, for SIGHUP.
  void Reopen();
  bool Healthy() const;
  std::vector<DeviceCounts> Counts() const;
  // The public key that checks the checkpoints, as PEM; empty before Open().
  const std::string& PublicKeyPem() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::audit
