#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/base/result.h"
#include "coffer/base/secret_bytes.h"
#include "coffer/keyring/token_admin.h"
#include "coffer/keyring/token_setup.h"

namespace coffer::keyring {

// How a token does an operation of a key type.
enum class Way : std::uint8_t {
  kWrapped,        // in the token, with a key that comes from a blob only this token opens
  kResident,       // in the token, with a key that would have to stay an object of it
  kPublicOutside,  // with the public key alone, in the server
  kRefused
};
// "wrapped", "resident", "public part outside", "refused"
std::string_view WayName(Way way);

// The result of trying one operation.
struct Finding {
  std::string_view key_type;  // the wire name
  std::string_view operation;
  Way way = Way::kRefused;
  std::string note;       // why it is refused or only resident, or how it is done
  double per_second = 0;  // 0: not measured
};

// The result of an examination. All but `token`, the token's own description of itself, was found
// by trying it; the token's list of mechanisms is not read, because such lists are wrong at times.
struct Diagnosis {
  TokenDescription token;
  std::string key_wrap;         // RFC 5649's mechanism: "0x210a"; empty: none
  std::string unwrap_template;  // "enforced", "ignored", "refused": found by attacking it
  bool keeps_epoch = false;     // a data object's label can be changed: rollbacks are detected
  // It keeps objects for good that were asked for as session objects, or were made as token objects
  // on the caller's word.
  bool keeps_session_objects = false;
  std::vector<Finding> findings;
  std::vector<std::string> missing;  // what this release needs beyond it; empty: it can serve
  std::size_t left_behind = 0;       // objects of the examination that could not be destroyed
};

struct DoctorOptions {
  // The time for measuring each speed. With zero every operation is tried once and no speed is
  // measured.
  std::chrono::milliseconds window{100};
  // If a token makes no session objects, the examination makes token objects in their place and
  // destroys them at once. An examination that is killed leaves some in the token.
  bool token_objects = false;
  std::function<void(std::string_view key_type)> progress;  // before each type; may be empty
};

// Tries every operation of every key type on session objects, which the token forgets with the
// process, and destroys them again. Logs in once. Errors as TokenAdmin::Open's; kTokenLost where
// the token goes away meanwhile.
Result<Diagnosis> ExamineToken(const TokenLocation& location, const SecretBytes& pin,
                               const DoctorOptions& options);

}  // namespace coffer::keyring
