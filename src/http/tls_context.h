#pragma once

#include <memory>

#include "coffer/base/result.h"
#include "coffer/http/options.h"
#include "http/stream.h"

struct ssl_ctx_st;

namespace coffer::http {

// A listener's certificate, key, authorities and revocation lists as they were in the files when
// they were read. Immutable and thread-safe; a connection keeps the context that it began with.
class TlsContext {
 public:
  // kInvalid, naming the file and the reason.
  static Result<std::shared_ptr<const TlsContext>> Load(const TlsOptions& options);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // Null if memory is short.
  std::unique_ptr<Stream> MakeStream(int fd) const;

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* const context_;
};

}  // namespace coffer::http
