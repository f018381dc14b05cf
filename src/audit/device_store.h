#pragma once

#include <vector>

#include "coffer/audit/broker.h"
#include "coffer/audit/chain.h"
#include "coffer/base/ids.h"
#include "coffer/storage/database.h"

namespace coffer::audit {

// The SQL of the room: the devices, and where their chains stood.
struct StoredDevice {
  Id id;
  DeviceSettings settings;
  ChainPosition head;
  bool stopped = false;  // the device ended there
};

std::vector<storage::Migration> DeviceSchema();
Result<std::vector<StoredDevice>> ReadDevices(storage::Reader& reader);
Status InsertDevice(storage::Transaction& transaction, const StoredDevice& device);
// Takes over what the configuration says of a device that is there.
Status UpdateDevice(storage::Transaction& transaction, const StoredDevice& device);
Status DeleteDevice(storage::Transaction& transaction, const Id& id);
Status WriteHead(storage::Transaction& transaction, const Id& id, const ChainPosition& head,
                 bool stopped);

}  // namespace coffer::audit
