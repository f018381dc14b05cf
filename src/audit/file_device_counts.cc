#include "audit/file_device.h"

namespace coffer::audit {

FileDevice::Counts FileDevice::Count() const {
  const std::lock_guard lock(mutex_);
  return {accepted_, refused_ever_, accepted_ - synced_, uncovered_, size_, !broken_};
}

}  // namespace coffer::audit
