#pragma once

#include <string>
#include <utility>

#include "coffer/audit/entry.h"
#include "coffer/base/bytes.h"
#include "coffer/crypto/digest.h"

namespace coffer::api {

// An answer that is the same for everybody as long as the program runs, built once. The audit trail
// has its hash, which anybody can compute. Immutable.
class ConstantDocument {
 public:
  explicit ConstantDocument(std::string text)
      : body_(std::move(text.append(1, '\n'))),
        facts_{body_.size(), ToHex(crypto::Sha256(AsBytes(body_)))} {}
  const std::string& Body() const { return body_; }
  const audit::Document& Facts() const { return facts_; }

 private:
  std::string body_;
  audit::Document facts_;
};

}  // namespace coffer::api
