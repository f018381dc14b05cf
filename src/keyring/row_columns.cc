#include "keyring/row_columns.h"

namespace coffer::keyring {
namespace {

template <typename Enum>
bool FromNumberIn(std::int64_t number, Enum least, Enum most, Enum& value) {
  if (number < static_cast<std::int64_t>(least) || number > static_cast<std::int64_t>(most)) {
    return false;
  }
  value = static_cast<Enum>(number);
  return true;
}

}  // namespace

bool FromNumber(const Column& column, std::int64_t number, KeyType& value) {
  static_cast<void>(column);
  const KeyTypeInfo* const info = FindKeyType(number);
  if (info != nullptr) value = info->type;
  return info != nullptr;
}

bool FromNumber(const Column& column, std::int64_t number, Custody& value) {
  static_cast<void>(column);
  return FromNumberIn(number, Custody::kWrapped, Custody::kPublicOnly, value);
}

bool FromNumber(const Column& column, std::int64_t number, Kdf& value) {
  static_cast<void>(column);
  const auto kdf = FindKdf(number);
  if (kdf) value = *kdf;
  return kdf.has_value();
}

bool FromNumber(const Column& column, std::int64_t number, ImportedThrough& value) {
  static_cast<void>(column);
  return FromNumberIn(number, ImportedThrough::kNone, ImportedThrough::kProcess, value);
}

}  // namespace coffer::keyring
