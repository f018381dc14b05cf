#include "coffer/mounts/mount_table.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <unordered_map>
#include <utility>

#include "coffer/base/mutex.h"
#include "coffer/base/published.h"
#include "mounts/mount_store.h"

namespace coffer::mounts {
namespace {

constexpr std::size_t kMaxPathOctets = 512;

// Both end in a slash, so that "team/" does not hold "teams/".
bool Overlap(std::string_view a, std::string_view b) {
  return a.starts_with(b) || b.starts_with(a);
}

using MountPtr = std::shared_ptr<const Mount>;

// Immutable once it is published.
struct Snapshot {
  explicit Snapshot(std::vector<MountPtr> sorted_by_path) : mounts(std::move(sorted_by_path)) {
    for (const MountPtr& mount : mounts) {
      std::string_view key = mount->path.Text();
      key.remove_suffix(1);
      by_path.emplace(key, mount);
    }
  }
  MountPtr Find(std::string_view path_without_slash) const {
    const auto found = by_path.find(path_without_slash);
    return found == by_path.end() ? nullptr : found->second;
  }
  MountPtr Find(const MountPath& path) const {
    return Find(std::string_view(path.Text()).substr(0, path.Text().size() - 1));
  }

  std::vector<MountPtr> mounts;
  std::unordered_map<std::string_view, MountPtr> by_path;  // keys: paths without their last slash
};

// The path of the mount that `path` equals, holds or lies under; empty: it is free.
std::string_view Occupied(const Snapshot& snapshot, const MountPath& path) {
  const auto taken = std::ranges::find_if(snapshot.mounts, [&](const MountPtr& mount) {
    return Overlap(path.Text(), mount->path.Text());
  });
  return taken == snapshot.mounts.end() ? std::string_view() : (*taken)->path.Text();
}

std::size_t TextBytes(const MountConfig& config) {
  std::size_t bytes = config.description.size();
  for (const auto& [name, value] : config.options) bytes += name.size() + value.size();
  for (const MountConfig::NamedList& named : MountConfig::kLists) {
    for (const std::string& text : config.*named.list) bytes += text.size() + 1;
  }
  return bytes;
}

Status CheckSize(const MountConfig& config) {
  if (config.options.size() > MountConfig::kMostOptions) {
    return Fail(Code::kInvalid,
                "a mount has at most " + std::to_string(MountConfig::kMostOptions) + " options");
  }
  if (TextBytes(config) > MountConfig::kMostTextBytes) {
    return Fail(Code::kInvalid, "a mount's description, options and lists have at most " +
                                    std::to_string(MountConfig::kMostTextBytes) +
                                    " bytes together");
  }
  return {};
}

// Checks the settings and sorts the options, the order in which storage returns them.
Status Normalize(MountConfig& config) {
  COFFER_TRY(CheckSize(config));
  if (config.default_lease_ttl_seconds < 0 || config.max_lease_ttl_seconds < 0) {
    return Fail(Code::kInvalid, "a lease time must not be negative");
  }
  const std::string& visibility = config.listing_visibility;
  if (!visibility.empty() && visibility != "unauth" && visibility != "hidden") {
    return Fail(Code::kInvalid, "listing_visibility must be \"unauth\" or \"hidden\"");
  }
  std::sort(config.options.begin(), config.options.end());
  const auto twice =
      std::adjacent_find(config.options.begin(), config.options.end(),
                         [](const auto& a, const auto& b) { return a.first == b.first; });
  if (twice != config.options.end()) {
    return Fail(Code::kInvalid, "option " + twice->first + " is given twice");
  }
  return {};
}

auto NoMountAt(const MountPath& path) {
  return Fail(Refusal::kMountNotFound, {.name = path.Text()});
}

}  // namespace

Result<MountPath> MountPath::Parse(std::string_view text) {
  std::string path(text);
  if (!path.ends_with('/')) path += '/';
  const bool control = std::any_of(path.begin(), path.end(), [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet == 0x7f;
  });
  if (path.starts_with('/') || path.size() > kMaxPathOctets || control ||
      path.find("//") != std::string::npos) {
    return Fail(Code::kInvalid, "invalid mount path");
  }
  if (path.find_first_of("*+?#%") != std::string::npos) {
    return Fail(Code::kInvalid,
                "invalid mount path: '*' and '+' are for policies, '?', '#' and '%' for URLs");
  }
  if (path.starts_with(' ') || path.ends_with(" /")) {
    return Fail(Code::kInvalid, "invalid mount path: it must not begin or end with a blank");
  }
  const std::string slashed = "/" + path;
  if (slashed.find("/./") != std::string::npos || slashed.find("/../") != std::string::npos) {
    return Fail(Code::kInvalid, "invalid mount path: no segment may be '.' or '..'");
  }
  return MountPath(std::move(path));
}

struct MountTable::Impl {
  Impl(storage::Database& the_database, Random& the_random, std::vector<std::string> the_reserved)
      : database(the_database), random(the_random), reserved(std::move(the_reserved)) {}

  std::shared_ptr<const Snapshot> Current() const { return snapshot.Current(); }
  void Publish(std::vector<MountPtr> mounts) {
    std::sort(mounts.begin(), mounts.end(),
              [](const MountPtr& a, const MountPtr& b) { return a->path < b->path; });
    snapshot.Publish(std::make_shared<const Snapshot>(std::move(mounts)));
  }
  Status Reload() {
    COFFER_ASSIGN(storage::Reader reader, database.Read());
    COFFER_ASSIGN(auto mounts, ReadMounts(reader));
    Publish(std::move(mounts));
    return {};
  }
  // Runs `write` in a transaction, then puts `added` (may be null) in the place of `removed` (may
  // be null).
  template <typename Write>
  Status Change(const MountPtr& removed, const MountPtr& added, const Write& write)
      COFFER_REQUIRES(change_mutex);
  Status Replace(const MountPtr& old, Mount changed) COFFER_REQUIRES(change_mutex);
  std::string NewAccessor(const std::string& type) const;

  storage::Database& database;
  Random& random;
  const std::vector<std::string> reserved;
  Mutex change_mutex;                     // one change at a time, from its check to its publication
  Published<Snapshot> snapshot{nullptr};  // Load() publishes the first
};

template <typename Write>
Status MountTable::Impl::Change(const MountPtr& removed, const MountPtr& added,
                                const Write& write) {
  {
    COFFER_ASSIGN(storage::Transaction transaction, database.Begin());
    COFFER_TRY(write(transaction));
    if (Status committed = transaction.Commit(); !committed) {
      // The outcome may be unknown: serve what is stored, whichever it is.
      [[maybe_unused]] const Status reloaded = Reload();
      return committed;
    }
  }
  std::vector<MountPtr> mounts = Current()->mounts;
  if (removed != nullptr) std::erase(mounts, removed);
  if (added != nullptr) mounts.push_back(added);
  Publish(std::move(mounts));
  return {};
}

Status MountTable::Impl::Replace(const MountPtr& old, Mount changed) {
  const auto row = std::make_shared<const Mount>(std::move(changed));
  return Change(old, row,
                [&](storage::Transaction& transaction) { return UpdateMount(transaction, *row); });
}

std::string MountTable::Impl::NewAccessor(const std::string& type) const {
  const auto current = Current();
  while (true) {
    std::array<std::uint8_t, 4> octets{};
    random.Fill(octets);
    std::string accessor = type + "_" + ToHex(octets);
    if (std::none_of(current->mounts.begin(), current->mounts.end(),
                     [&](const MountPtr& mount) { return mount->accessor == accessor; })) {
      return accessor;
    }
  }
}

std::vector<storage::Migration> MountTable::Schema() { return MountSchema(); }

Result<std::unique_ptr<MountTable>> MountTable::Load(storage::Database& database, Random& random,
                                                     std::vector<std::string> reserved) {
  auto impl = std::make_unique<Impl>(database, random, std::move(reserved));
  COFFER_TRY(impl->Reload());
  return std::unique_ptr<MountTable>(new MountTable(std::move(impl)));
}

MountTable::MountTable(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MountTable::~MountTable() = default;

bool MountTable::Reserved(const MountPath& path) const {
  return std::ranges::any_of(impl_->reserved, [&](const std::string& reserved) {
    return path.Text().starts_with(reserved);
  });
}

std::optional<Route> MountTable::Find(std::string_view request_path) const {
  const auto current = impl_->Current();
  if (MountPtr mount = current->Find(request_path)) return Route{std::move(mount), {}};
  for (std::size_t slash = request_path.rfind('/'); slash != std::string_view::npos;
       slash = request_path.rfind('/', slash - 1)) {
    if (MountPtr mount = current->Find(request_path.substr(0, slash))) {
      return Route{std::move(mount), request_path.substr(slash + 1)};
    }
    if (slash == 0) break;
  }
  return std::nullopt;
}

std::vector<std::shared_ptr<const Mount>> MountTable::List() const {
  return impl_->Current()->mounts;
}

Result<std::shared_ptr<const Mount>> MountTable::Add(const MountPath& path, std::string type,
                                                     MountConfig config) {
  COFFER_TRY(Normalize(config));
  const MutexLock lock(impl_->change_mutex);
  if (Reserved(path)) return Fail(Refusal::kMountPathReserved, {.name = path.Text()});
  const auto current = impl_->Current();
  if (const auto taken = Occupied(*current, path); !taken.empty()) {
    return Fail(Refusal::kMountPathTaken, {.name = std::string(taken)});
  }
  std::string accessor = impl_->NewAccessor(type);
  const auto mount = std::make_shared<const Mount>(Mount{
      Id::Generate(impl_->random), path, std::move(type), std::move(accessor), std::move(config)});
  COFFER_TRY(impl_->Change(nullptr, mount, [&](storage::Transaction& transaction) {
    return InsertMount(transaction, *mount);
  }));
  return mount;
}

Status MountTable::Tune(const MountPath& path, MountConfig config) {
  COFFER_TRY(Normalize(config));
  const MutexLock lock(impl_->change_mutex);
  const MountPtr old = impl_->Current()->Find(path);
  if (old == nullptr) return NoMountAt(path);
  Mount changed = *old;
  changed.config = std::move(config);
  return impl_->Replace(old, std::move(changed));
}

Status MountTable::Move(const MountPath& from, const MountPath& to) {
  const MutexLock lock(impl_->change_mutex);
  const auto current = impl_->Current();
  const MountPtr old = current->Find(from);
  if (old == nullptr) return NoMountAt(from);
  if (Reserved(to)) return Fail(Refusal::kRemountPathReserved, {.name = to.Text()});
  if (const auto taken = Occupied(*current, to); !taken.empty()) {
    return Fail(Refusal::kRemountPathTaken, {.name = std::string(taken)});
  }
  Mount changed = *old;
  changed.path = to;
  COFFER_TRY(impl_->Replace(old, std::move(changed)));
  return impl_->database.AwaitAnchor();
}

Status MountTable::Remove(const MountPath& path) {
  const MutexLock lock(impl_->change_mutex);
  const MountPtr old = impl_->Current()->Find(path);
  if (old == nullptr) return {};
  COFFER_TRY(impl_->Change(old, nullptr, [&](storage::Transaction& transaction) {
    return DeleteMount(transaction, old->id);
  }));
  return impl_->database.AwaitAnchor();
}

}  // namespace coffer::mounts
