#pragma once

#include <atomic>
#include <memory>

#include "audit/entry_text.h"
#include "audit/file_device.h"
#include "audit/stream_operations.h"
#include "audit/value_hasher.h"
#include "coffer/audit/device_settings.h"
#include "coffer/audit/entry.h"
#include "coffer/base/clock.h"
#include "coffer/base/ids.h"
#include "coffer/base/result.h"
#include "coffer/base/secret_bytes.h"

namespace coffer::audit {

// True where each line is a datagram of its own.
bool SendsDatagrams(const DeviceSettings& settings);
FileDevice::Options FileOptions(const DeviceSettings& settings);

// A device and the style of its lines. It ends with its last user. Record() is thread-safe.
struct Device {
  Device(const Id& device, const DeviceSettings& given, const SecretBytes& salt, int output)
      : id(device),
        settings(given),
        style{given.hmac_accessor, SendsDatagrams(given)},
        hasher(salt),
        streams(OpenStreams(given, output)) {}
  Status Record(const Entry& entry, SystemTime now);

  const Id id;
  const DeviceSettings settings;
  const EntryStyle style;
  const ValueHasher hasher;
  const std::unique_ptr<FileOperations> streams;  // null: a file, which the services open
  std::unique_ptr<FileDevice> file;
  std::atomic<bool> disabled{false};  // a thread that still holds it need not record in it

 private:
  LineBeginning BeginningOf(const Entry& entry) const;
  // Records the end of a request, with the line that has waited for it.
  Status RecordResponse(const Entry& entry, std::string rest, RequestMemo::Kept& kept);
};

}  // namespace coffer::audit
