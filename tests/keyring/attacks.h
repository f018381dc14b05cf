#pragma once

#include <gtest/gtest.h>

#include <string>

#include "coffer/base/result.h"
#include "coffer/pkcs11/attributes.h"

namespace coffer::keyring {

// The template `honest` with one attribute of another value.
inline pkcs11::Attributes Altered(const pkcs11::Attributes& honest, pkcs11::AttributeType type,
                                  bool value) {
  pkcs11::Attributes altered;
  for (std::size_t i = 0; i < honest.size(); ++i) {
    if (honest.TypeAt(i) == type) {
      altered.Add(type, value);
    } else {
      altered.Add(honest.TypeAt(i), honest.ValueAt(i));
    }
  }
  return altered;
}

template <typename T>
void ExpectStoppedBy(const Result<T>& attempt, const std::string& what) {
  ASSERT_FALSE(attempt) << "the attack succeeded; expected " << what;
  EXPECT_NE(attempt.error().cause.find(what), std::string::npos) << attempt.error().cause;
}

}  // namespace coffer::keyring
