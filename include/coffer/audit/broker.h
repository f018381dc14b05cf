#pragma once

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

// How a device stands. A value.
struct DeviceCounts {
  std::string path;
  std::uint64_t accepted = 0;  // lines, since the start
  std::uint64_t refused = 0;
  std::uint64_t unsynced = 0;          // accepted ones that are not on the disk yet
  std::uint64_t unsigned_entries = 0;  // those that no checkpoint covers yet
  std::uint64_t octets = 0;            // of the file
  bool healthy = true;
  bool on_disk = true;  // a file: what it took for a change of state is on the disk
};

// The devices, and the one way to them: a record counts as taken where one device took it. Also
// writes where each chain stands into every transaction that changes state. Thread-safe but for
// Open() and Close().
class Broker final : public Sink, public storage::CommitObserver {
 public:
  struct Services {
    FileOperations& files;
    Random& random;
    const Clock& clock;
    Logger& logger;
    int output = 1;  // the descriptor that "stdout" leads to
  };
  // The token's part in the trail; all outlive the broker's Close().
  struct Custody {
    CheckpointSigner* signer = nullptr;
    // 32 octets for a label, the same each time.
    std::function<Result<SecretBytes>(std::string_view label)> salt;
    // Has Checkpoint() called soon, on the thread that may sign.
    std::function<void()> want_checkpoint;
  };

  // The targets that the API may name.
  struct Allowed {
    std::filesystem::path directory;   // where files may lie; empty: nowhere
    std::vector<std::string> sockets;  // addresses, as they are written
  };

  static std::vector<storage::Migration> Schema();
  explicit Broker(const Services& services);
  ~Broker() override;  // Close()
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  // Opens the declared devices and those that were enabled through the API, and signs where they
  // begin. A device whose file cannot be opened for now refuses until it can.
  Status Open(storage::Database& database, Custody custody,
              const std::vector<DeviceSettings>& declared, Allowed allowed);
  // Takes no records from now on, and signs where the devices end. Best on the custodian's
  // thread: another one waits for it.
  void SignOff();
  // Stops the devices and notes where they stopped.
  void Close();

  Status Record(const Entry& entry) override;
  Status RecordEvent(const Event& event);
  Status BeforeCommit(storage::Transaction& transaction) override;

  // `settings.file` is a name, or a path in the directory. kInvalid, also where
  // the path or the target is in use.
  Status Enable(DeviceSettings settings);
  Status Disable(std::string_view path);  // no error where it is absent
  std::vector<DeviceSettings> List() const;
  // "hmac-sha256:..." as the device's lines have it; kInvalid: no such device.
  Result<std::string> HashOf(std::string_view path, std::string_view value) const;

  // Signs where the chains stand. Best on the custodian's thread: another one waits for it.
  void Checkpoint();
  // Opens the files anew: for SIGHUP.
  void Reopen();
  bool Healthy() const;
  std::vector<DeviceCounts> Counts() const;
  // The key that checks the checkpoints, as PEM; empty before Open().
  const std::string& PublicKeyPem() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::audit
