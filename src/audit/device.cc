#include "audit/device.h"

#include <array>
#include <optional>
#include <string>
#include <utility>

namespace coffer::audit {

bool SendsDatagrams(const DeviceSettings& settings) {
  return settings.type == DeviceType::kSyslog ||
         (settings.type == DeviceType::kSocket && settings.transport == Transport::kUdp);
}

FileDevice::Options FileOptions(const DeviceSettings& settings) {
  constexpr std::size_t kLongestDatagram = 60'000;
  FileDevice::Options options;
  options.path = TargetName(settings);
  if (settings.type == DeviceType::kSocket) options.write_wait = settings.write_wait;
  if (SendsDatagrams(settings)) options.longest_line = kLongestDatagram;
  options.always_sync = settings.always_sync;
  options.rotate_octets = settings.rotate_octets;
  return options;
}

LineBeginning Device::BeginningOf(const Entry& entry) const {
  return BeginEntry(entry, style, hasher);
}

Status Device::Record(const Entry& entry, SystemTime now) {
  constexpr std::size_t kUsualRest = 640;
  std::string rest;
  rest.reserve(kUsualRest);
  FinishEntry(entry, now, style, hasher, rest);
  RequestMemo* const memo = entry.memo;
  RequestMemo::Kept* const kept = memo == nullptr ? nullptr : memo->Of(id);
  if (kept != nullptr) return RecordResponse(entry, std::move(rest), *kept);
  LineBeginning made = BeginningOf(entry);
  const bool asks = entry.type == Entry::Type::kRequest && memo != nullptr;
  if (asks && entry.may_wait && !entry.durable) {
    memo->Keep({id, std::move(made), entry.denied, std::move(rest)});
    return file->Ready();
  }
  const LineBeginning& beginning =
      asks ? memo->Keep({id, std::move(made), entry.denied, {}}).beginning : made;
  HashedLine line(beginning, std::move(rest));
  return file->Append({&line, 1}, entry.durable);
}

Status Device::RecordResponse(const Entry& entry, std::string rest, RequestMemo::Kept& kept) {
  std::optional<LineBeginning> own;  // where the work itself found that it may not be done
  if (kept.denied != entry.denied) own = BeginningOf(entry);
  const LineBeginning& beginning = own ? *own : kept.beginning;
  if (kept.waiting.empty()) {
    HashedLine response(beginning, std::move(rest));
    return file->Append({&response, 1}, entry.durable);
  }
  std::array lines{HashedLine(kept.beginning, std::exchange(kept.waiting, {})),
                   HashedLine(beginning, std::move(rest))};
  return file->Append(lines, entry.durable);
}

}  // namespace coffer::audit
