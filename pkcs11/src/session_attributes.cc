#include <cstring>
#include <string>

#include "attributes_impl.h"
#include "coffer/pkcs11/error.h"
#include "coffer/pkcs11/session.h"

namespace coffer::pkcs11 {
namespace {

// No attribute this library reads is larger; a larger answer is a broken token's.
constexpr CK_ULONG kMaxAttributeOctets = 1U << 20U;
constexpr CK_ULONG kMaxNested = 64;

Error Unreadable(const char* why) {
  return Error{Code::kTokenRefused, "the token refused the operation",
               std::string("C_GetAttributeValue: ") + why};
}

// One call with a template of `count`; the size of each value is checked against its buffer.
struct Reader {
  const Functions& functions;
  CK_SESSION_HANDLE session;
  CK_OBJECT_HANDLE object;

  CK_RV operator()(CK_ATTRIBUTE& attribute) const {
    return functions->C_GetAttributeValue(session, object, &attribute, 1);
  }
};

}  // namespace

Result<Bytes> Session::GetBytes(ObjectHandle object, AttributeType type) {
  COFFER_TRY(CheckAlive());
  const Reader read{module_->functions, handle_, object};
  CK_ATTRIBUTE attribute{static_cast<CK_ATTRIBUTE_TYPE>(type), nullptr, 0};
  if (const CK_RV rv = read(attribute); rv != CKR_OK) {
    return Fail(Failed(rv, "C_GetAttributeValue"));
  }
  if (attribute.ulValueLen == CK_UNAVAILABLE_INFORMATION) {
    return Fail(Unreadable("the value is unavailable"));
  }
  if (attribute.ulValueLen > kMaxAttributeOctets) {
    return Fail(FailedLength(attribute.ulValueLen, "C_GetAttributeValue"));
  }
  Bytes value(attribute.ulValueLen);
  if (value.empty()) return value;
  attribute.pValue = value.data();
  if (const CK_RV rv = read(attribute); rv != CKR_OK) {
    return Fail(Failed(rv, "C_GetAttributeValue"));
  }
  if (attribute.ulValueLen > value.size()) {
    return Fail(FailedLength(attribute.ulValueLen, "C_GetAttributeValue"));
  }
  value.resize(attribute.ulValueLen);
  return value;
}

Result<bool> Session::GetBool(ObjectHandle object, AttributeType type) {
  COFFER_ASSIGN(const Bytes value, GetBytes(object, type));
  if (value.size() != sizeof(CK_BBOOL)) {
    return Fail(FailedLength(value.size(), "C_GetAttributeValue"));
  }
  return value.front() != CK_FALSE;
}

Result<unsigned long> Session::GetUlong(ObjectHandle object, AttributeType type) {
  COFFER_ASSIGN(const Bytes value, GetBytes(object, type));
  unsigned long number = 0;
  if (value.size() != sizeof(number)) {
    return Fail(FailedLength(value.size(), "C_GetAttributeValue"));
  }
  std::memcpy(&number, value.data(), sizeof(number));
  return number;
}

Result<std::vector<MechanismType>> Session::GetMechanisms(ObjectHandle object, AttributeType type) {
  COFFER_ASSIGN(const Bytes value, GetBytes(object, type));
  if (value.size() % sizeof(CK_MECHANISM_TYPE) != 0) {
    return Fail(FailedLength(value.size(), "C_GetAttributeValue"));
  }
  std::vector<MechanismType> mechanisms(value.size() / sizeof(CK_MECHANISM_TYPE));
  if (!value.empty()) std::memcpy(mechanisms.data(), value.data(), value.size());
  return mechanisms;
}

// Three calls, as the standard has it for array attributes: the number of entries, then their types
// and sizes, then their values.
Result<Attributes> Session::GetTemplate(ObjectHandle object, AttributeType type) {
  COFFER_TRY(CheckAlive());
  const Reader read{module_->functions, handle_, object};
  CK_ATTRIBUTE outer{static_cast<CK_ATTRIBUTE_TYPE>(type), nullptr, 0};
  if (const CK_RV rv = read(outer); rv != CKR_OK) return Fail(Failed(rv, "C_GetAttributeValue"));
  if (outer.ulValueLen == CK_UNAVAILABLE_INFORMATION) {
    return Fail(Unreadable("the template is unavailable"));
  }
  const CK_ULONG octets = outer.ulValueLen;
  if (octets % sizeof(CK_ATTRIBUTE) != 0 || octets > kMaxNested * sizeof(CK_ATTRIBUTE)) {
    return Fail(FailedLength(octets, "C_GetAttributeValue"));
  }
  Attributes result;
  if (octets == 0) return result;

  std::vector<CK_ATTRIBUTE> entries(octets / sizeof(CK_ATTRIBUTE));
  outer.pValue = entries.data();
  if (const CK_RV rv = read(outer); rv != CKR_OK) return Fail(Failed(rv, "C_GetAttributeValue"));
  std::vector<Bytes> values(entries.size());
  std::vector<CK_ATTRIBUTE_TYPE> types(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (outer.ulValueLen != octets || entries[i].ulValueLen > kMaxAttributeOctets) {
      return Fail(FailedLength(entries[i].ulValueLen, "C_GetAttributeValue"));
    }
    types[i] = entries[i].type;
    values[i].resize(entries[i].ulValueLen);
    entries[i].pValue = InputPointer(values[i]);
  }
  if (const CK_RV rv = read(outer); rv != CKR_OK) return Fail(Failed(rv, "C_GetAttributeValue"));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (outer.ulValueLen != octets || entries[i].type != types[i] ||
        entries[i].ulValueLen > values[i].size()) {
      return Fail(FailedLength(entries[i].ulValueLen, "C_GetAttributeValue"));
    }
    result.Add(static_cast<AttributeType>(types[i]),
               ByteView(values[i]).first(entries[i].ulValueLen));
  }
  return result;
}

}  // namespace coffer::pkcs11
