#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "coffer/base/clock.h"
#include "coffer/base/result.h"

namespace coffer::crypto {

struct DevCertificates {
  std::filesystem::path authority;    // what clients trust
  std::filesystem::path certificate;  // the server's
  std::filesystem::path key;          // the certificate's, 0600
};

// Makes a certificate for a development server in `directory`, unless one for these names is there
// that is good for another day. Its authority signs nothing else: the authority's key is forgotten.
// `names`: DNS names and IP addresses. ECDSA P-256, X.509 v3, 90 days.
Result<DevCertificates> MakeDevCertificates(const std::filesystem::path& directory,
                                            const std::vector<std::string>& names, SystemTime now);

}  // namespace coffer::crypto
