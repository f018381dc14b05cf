#pragma once

#include <string>
#include <string_view>

#include "audit/value_hasher.h"
#include "coffer/audit/entry.h"
#include "coffer/base/clock.h"

namespace coffer::audit {

// The first entry that a device writes when the server starts.
inline constexpr std::string_view kStartEvent = "audit-started";

// What one device shows of an entry.
struct EntryStyle {
  bool hmac_accessor = true;
};

// Appends the entry in the field layout of Vault's file device (docs/audit.md), without the closing
// brace: the chain follows. One line whatever the entry holds. `repeated`: what both entries of a
// request have in common, written here if it is empty, else taken from here; null: written anew.
void AppendEntry(const Entry& entry, SystemTime now, const EntryStyle& style,
                 const ValueHasher& hasher, std::string* repeated, std::string& out);

// An entry of type "system", likewise open.
void AppendEvent(const Event& event, SystemTime now, std::string& out);

}  // namespace coffer::audit
