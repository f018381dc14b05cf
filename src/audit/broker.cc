#include "coffer/audit/broker.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "audit/device.h"
#include "audit/device_store.h"
#include "audit/entry_text.h"
#include "audit/file_device.h"
#include "coffer/base/mutex.h"
#include "coffer/base/published.h"
#include "coffer/crypto/ecdsa.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kSaltLabel = "coffer audit salt 1 ";

// Each record waits for every device in turn, and each device has a thread.
constexpr std::size_t kMostDevices = 8;

using Devices = std::vector<std::shared_ptr<Device>>;

// Places the file directly in the directory: the API must never be a way to write files elsewhere.
Result<std::filesystem::path> Confine(const std::filesystem::path& file,
                                      const std::filesystem::path& directory) {
  if (directory.empty()) {
    return Fail(Code::kInvalid,
                "audit devices are declared in this server's configuration, not through the API");
  }
  const std::string name = file.filename().string();
  const bool plain =
      !name.empty() && name.size() <= 128 && name.front() != '.' &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
          std::string::npos;
  // A name such as audit.log.000000000012 is that of a file that another device has closed.
  const std::size_t dot = name.rfind('.');
  const bool closed = dot != std::string::npos && name.size() - dot > 12 &&
                      name.find_first_not_of("0123456789", dot + 1) == std::string::npos;
  const bool inside = file == name || file == directory / name;
  if (!plain || closed || !inside) {
    return Fail(Code::kInvalid,
                "file_path must be a plain file name in this server's audit directory");
  }
  return directory / name;
}

// Refuses targets that the API may not name.
Status Admit(DeviceSettings& settings, const Broker::Allowed& allowed) {
  if (settings.type == DeviceType::kFile) {
    COFFER_ASSIGN(settings.file, Confine(settings.file, allowed.directory));
  }
  if (settings.type == DeviceType::kSocket &&
      std::ranges::find(allowed.sockets, settings.address) == allowed.sockets.end()) {
    return Fail(Code::kInvalid,
                "the address is not among audit_socket_addresses in this server's configuration");
  }
  return {};
}

// Runs `work` on all devices. Success if it succeeded on at least one device, or if only disabled
// devices refused.
template <typename Work>
Status RecordOn(const Devices& devices, Work work) {
  std::optional<Error> refusal;
  bool taken = false;
  for (const auto& device : devices) {
    Status done = work(*device);
    taken = taken || done.has_value();
    if (!done && !device->disabled) refusal = std::move(done).error();
  }
  if (taken || !refusal) return {};
  return Fail(std::move(*refusal));
}

}  // namespace

struct Broker::Impl {
  explicit Impl(const Services& given) : services(given) {}

  Result<std::shared_ptr<Device>> Start(const StoredDevice& stored);
  Result<std::shared_ptr<Device>> StartNew(const StoredDevice& stored);
  Status Adopt(const std::vector<DeviceSettings>& declared, std::vector<StoredDevice>& stored);
  void Sign(Device& device);
  std::shared_ptr<Device> Find(std::string_view path) const {
    const auto current = Current();
    for (const auto& device : *current) {
      if (device->settings.path == path) return device;
    }
    return nullptr;
  }

  // The list of devices. A list that was returned never changes: Publish() puts another in its
  // place.
  std::shared_ptr<const Devices> Current() const { return devices.Current(); }
  void Publish(Devices next) { devices.Publish(std::make_shared<const Devices>(std::move(next))); }

  const Services services;
  Custody custody;
  storage::Database* database = nullptr;
  Allowed allowed;
  std::optional<crypto::EcdsaP256Key> key;
  std::string key_id;
  std::string key_pem;
  Mutex changing;  // one change of the devices at a time
  Published<Devices> devices;
};

std::vector<storage::Migration> Broker::Schema() { return DeviceSchema(); }

Broker::Broker(const Services& services) : impl_(std::make_unique<Impl>(services)) {}
Broker::~Broker() { Close(); }

Result<std::shared_ptr<Device>> Broker::Impl::Start(const StoredDevice& stored) {
  COFFER_ASSIGN(const SecretBytes salt, custody.salt(std::string(kSaltLabel) + stored.id.ToUuid()));
  auto device = std::make_shared<Device>(stored.id, stored.settings, salt, services.output);
  COFFER_ASSIGN(device->file,
                FileDevice::Open(FileOptions(stored.settings), stored.settings.path,
                                 {stored.head, stored.stopped},
                                 device->streams ? *device->streams : services.files,
                                 services.clock, services.logger, custody.want_checkpoint));
  Sign(*device);
  return device;
}

// Starts a new device. If that fails, nothing of it remains.
Result<std::shared_ptr<Device>> Broker::Impl::StartNew(const StoredDevice& stored) {
  COFFER_ASSIGN(auto device, Start(stored));
  if (!device->file->Healthy()) {
    return Fail(Code::kUnavailable,
                "failed to write to " + TargetName(stored.settings) + ": see the server's log");
  }
  COFFER_ASSIGN(storage::Transaction transaction, database->Begin());
  COFFER_TRY(InsertDevice(transaction, stored));
  COFFER_TRY(transaction.Commit());
  return device;
}

// The configuration's settings replace the stored ones; a device that it no longer names goes.
Status Broker::Impl::Adopt(const std::vector<DeviceSettings>& declared,
                           std::vector<StoredDevice>& stored) {
  COFFER_ASSIGN(storage::Transaction transaction, database->Begin());
  std::vector<StoredDevice> next;
  for (StoredDevice& device : stored) {
    const auto named =
        std::find_if(declared.begin(), declared.end(),
                     [&](const DeviceSettings& one) { return one.path == device.settings.path; });
    if (named != declared.end()) {
      device.settings = *named;
      COFFER_TRY(UpdateDevice(transaction, device));
    } else if (device.settings.declared) {
      COFFER_TRY(DeleteDevice(transaction, device.id));
      continue;
    }
    next.push_back(std::move(device));
  }
  for (const DeviceSettings& settings : declared) {
    const bool there = std::any_of(next.begin(), next.end(), [&](const StoredDevice& device) {
      return device.settings.path == settings.path;
    });
    if (there) continue;
    next.push_back({Id::Generate(services.random), settings, {}, false});
    COFFER_TRY(InsertDevice(transaction, next.back()));
  }
  // The devices run from here on, so the stored places at which they stopped are no longer exact.
  for (const StoredDevice& device : next) {
    COFFER_TRY(WriteHead(transaction, device.id, device.head, false));
  }
  COFFER_TRY(transaction.Commit());
  stored = std::move(next);
  return {};
}

Status Broker::Open(storage::Database& database, Custody custody,
                    const std::vector<DeviceSettings>& declared, Allowed allowed) {
  impl_->database = &database;
  impl_->custody = std::move(custody);
  impl_->allowed = std::move(allowed);
  COFFER_ASSIGN(const Bytes der, impl_->custody.signer->PublicKey());
  COFFER_ASSIGN(impl_->key, crypto::EcdsaP256Key::FromDer(der));
  impl_->key_id = KeyId(der);
  impl_->key_pem = impl_->key->Pem();
  std::vector<StoredDevice> stored;
  {
    COFFER_ASSIGN(storage::Reader reader, database.Read());
    COFFER_ASSIGN(stored, ReadDevices(reader));
  }
  COFFER_TRY(impl_->Adopt(declared, stored));
  Devices devices;
  for (const StoredDevice& one : stored) {
    auto device = impl_->Start(one);
    if (!device) {
      return Fail(device.error().code,
                  "audit device " + one.settings.path + ": " + device.error().message,
                  device.error().cause);
    }
    devices.push_back(std::move(*device));
  }
  impl_->Publish(std::move(devices));
  return {};
}

void Broker::Close() {
  const MutexLock lock(impl_->changing);
  const auto devices = impl_->Current();
  if (devices->empty()) return;
  impl_->Publish({});
  std::vector<std::pair<Id, FileDevice::Known>> ends;
  for (const auto& device : *devices) ends.emplace_back(device->id, device->file->Stop());
  Status noted;
  if (auto transaction = impl_->database->Begin()) {
    for (const auto& [id, end] : ends) {
      if (noted) noted = WriteHead(*transaction, id, end.at, end.exact);
    }
    if (noted) noted = transaction->Commit();
  } else {
    noted = Fail(transaction.error());
  }
  if (!noted) {
    impl_->services.logger.Log(LogLevel::kWarn, "audit", "failed to note where the audit files end",
                               {{"why", noted.error().message}});
  }
}

Status Broker::Record(const Entry& entry) {
  const auto devices = impl_->Current();
  if (devices->empty()) return {};
  const SystemTime now = impl_->services.clock.Now();
  return RecordOn(*devices, [&](Device& device) { return device.Record(entry, now); });
}

Status Broker::RecordEvent(const Event& event) {
  const auto devices = impl_->Current();
  return RecordOn(*devices, [&](Device& device) {
    std::string line;
    AppendEvent(event, impl_->services.clock.Now(), line);
    return device.file->Append(std::move(line), event.durable);
  });
}

// Stores, in each transaction, the place of each chain up to which its file is already on the disk.
// A file that is later found to end before it has been cut.
Status Broker::BeforeCommit(storage::Transaction& transaction) {
  const auto devices = impl_->Current();
  Status stored;
  COFFER_TRY(RecordOn(*devices, [&](Device& device) -> Status {
    COFFER_ASSIGN(const ChainPosition head, device.file->SyncedHead());
    if (stored) stored = WriteHead(transaction, device.id, head, false);
    return {};
  }));
  return stored;
}

Status Broker::Enable(DeviceSettings settings) {
  const MutexLock lock(impl_->changing);
  COFFER_TRY(CheckSettings(settings));
  COFFER_TRY(Admit(settings, impl_->allowed));
  Devices next = *impl_->Current();
  if (next.size() >= kMostDevices) {
    return Fail(Code::kInvalid, "a server has at most " + std::to_string(kMostDevices) +
                                    " audit devices: disable one first");
  }
  for (const auto& device : next) {
    if (device->settings.path == settings.path) {
      return Fail(Refusal::kAuditPathTaken, {.name = settings.path});
    }
    if (device->settings.SameTarget(settings)) {
      return Fail(Code::kInvalid,
                  TargetName(settings) + " is in use by the audit device " + device->settings.path);
    }
  }
  const StoredDevice stored{Id::Generate(impl_->services.random), std::move(settings), {}, false};
  COFFER_ASSIGN(auto device, impl_->StartNew(stored));
  next.push_back(std::move(device));
  impl_->Publish(std::move(next));
  return {};
}

Status Broker::Disable(std::string_view path) {
  const MutexLock lock(impl_->changing);
  const auto device = impl_->Find(path);
  if (device == nullptr) return {};
  if (device->settings.declared) {
    return Fail(Code::kInvalid, "the audit device " + device->settings.path +
                                    " is declared in this server's configuration: it is disabled "
                                    "there");
  }
  COFFER_ASSIGN(storage::Transaction transaction, impl_->database->Begin());
  COFFER_TRY(DeleteDevice(transaction, device->id));
  Devices next = *impl_->Current();
  std::erase(next, device);
  // The list without the device is published before the commit, because the commit writes the heads
  // of all published devices.
  impl_->Publish(std::move(next));
  if (Status committed = transaction.Commit(); !committed) {
    next = *impl_->Current();
    next.push_back(device);
    impl_->Publish(std::move(next));
    return committed;
  }
  device->disabled = true;
  device->file->End();
  impl_->Sign(*device);
  device->file->Stop();
  return impl_->database->AwaitAnchor();
}

std::vector<DeviceSettings> Broker::List() const {
  std::vector<DeviceSettings> out;
  const auto devices = impl_->Current();
  for (const auto& device : *devices) out.push_back(device->settings);
  return out;
}

std::vector<DeviceCounts> Broker::Counts() const {
  std::vector<DeviceCounts> out;
  const auto devices = impl_->Current();
  for (const auto& device : *devices) {
    const FileDevice::Counts counts = device->file->Count();
    out.push_back({device->settings.path, counts.accepted, counts.refused, counts.unsynced,
                   counts.unsigned_entries, counts.octets, counts.healthy, counts.on_disk});
  }
  return out;
}

Result<std::string> Broker::HashOf(std::string_view path, std::string_view value) const {
  const auto device = impl_->Find(path);
  if (device == nullptr) {
    return Fail(Refusal::kAuditDeviceUnknown, {.name = std::string(path)});
  }
  return device->hasher.Hash(value);
}

void Broker::Impl::Sign(Device& device) {
  const auto head = device.file->HeadToSign();
  if (!head) return;
  audit::Checkpoint checkpoint{*head, Rfc3339(services.clock.Now()), key_id, {}};
  const Bytes message = SignedOctets(checkpoint);
  auto signature = custody.signer->Sign(message);
  Status done;
  if (!signature) {
    done = Fail(signature.error());
  } else if (!key->Verify(message, *signature)) {
    done = Fail(Code::kTokenFailed, "the token returned a wrong signature");
  } else {
    checkpoint.signature = std::move(*signature);
    done = device.file->AppendCheckpoint(checkpoint);
  }
  if (!done && done.error().code != Code::kTokenLost) {
    services.logger.Log(LogLevel::kError, "audit", "failed to sign a checkpoint",
                        {{"device", device.settings.path}, {"why", done.error().message}});
  }
}

void Broker::Checkpoint() {
  const auto devices = impl_->Current();
  for (const auto& device : *devices) impl_->Sign(*device);
}

void Broker::SignOff() {
  const auto devices = impl_->Current();
  for (const auto& device : *devices) device->file->End();
  Checkpoint();
}

void Broker::Reopen() {
  const auto devices = impl_->Current();
  for (const auto& device : *devices) device->file->Reopen();
}

bool Broker::Healthy() const {
  const auto devices = impl_->Current();
  return devices->empty() || std::any_of(devices->begin(), devices->end(), [](const auto& device) {
           return device->file->Healthy();
         });
}

const std::string& Broker::PublicKeyPem() const { return impl_->key_pem; }

}  // namespace coffer::audit
