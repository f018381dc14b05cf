#pragma once

#include <cstddef>
#include <filesystem>

#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "coffer/base/secret_bytes.h"
#include "server/config/config.h"
#include "server/token/pin_source.h"

namespace coffer::server {

// True if the module's name is SoftHSM's, which makes the only tokens that Coffer initialises.
bool IsSoftHsm(const Config& config);

// True for the error of a search that means that there is no such token. A killed process may leave
// the beginning of a token, without a label, which SoftHSM cannot read. It does no harm and counts
// as absent.
bool MeansAbsent(const Config& config, const Error& error);

// True where the configured token is there and has its user PIN. An interrupted making leaves one
// that has none.
Result<bool> IsTokenUsable(const Config& config);

// 128 random bits in hexadecimal, cut to `digits`: a short PIN of a stolen software token falls in
// seconds.
SecretBytes RandomPin(Random& random, std::size_t digits);

// Writes a random PIN that the token takes to `file`, if that is named and not there. True if it
// wrote the file.
Result<bool> MakePinFile(const Config& config, const std::filesystem::path& file, Random& random);

// The PINs that a token is made with, from where the configuration says; typed ones are typed
// twice.
struct NewPins {
  PinSource source;
  SecretBytes pin;
  PinSource so_source;
  SecretBytes so_pin;
  static Result<NewPins> Read(const Config& config);
};

// Makes the token where there is none, and its user PIN where it has none. Both lengths are held
// against the token's before it is touched. Errors name the PIN that they are about.
Status MakeToken(const Config& config, const NewPins& pins);

}  // namespace coffer::server
