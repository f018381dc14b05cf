#pragma once

#include <string>
#include <string_view>

#include "audit/value_hasher.h"
#include "coffer/audit/chain.h"
#include "coffer/audit/entry.h"
#include "coffer/base/clock.h"

namespace coffer::audit {

// The first entry that a device writes when the server starts, and when it came back from a fault.
inline constexpr std::string_view kStartEvent = "audit-started";
inline constexpr std::string_view kRecoveryEvent = "audit-recovered";

// The settings by which a device shows an entry.
struct EntryStyle {
  bool hmac_accessor = true;
  bool short_lines = false;  // less of what is long is written out: a line is below 60,000 bytes
};

// These write an entry in the field layout of Vault's file device (docs/audit.md), in two parts.
// BeginEntry() writes who asked and for what, which is the same in both entries of a request.
// FinishEntry() writes the rest, without the closing brace, since the chain follows. An entry is
// one line whatever it holds.
LineBeginning BeginEntry(const Entry& entry, const EntryStyle& style, const ValueHasher& hasher);
void FinishEntry(const Entry& entry, SystemTime now, const EntryStyle& style,
                 const ValueHasher& hasher, std::string& out);

// Appends an entry of type "system", also without the closing brace.
void AppendEvent(const Event& event, SystemTime now, std::string& out);

}  // namespace coffer::audit
