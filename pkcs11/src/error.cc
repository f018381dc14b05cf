#include "coffer/pkcs11/error.h"

#include <array>
#include <charconv>
#include <string>

#include "cryptoki.h"

namespace coffer::pkcs11 {
namespace {

struct Row {
  CK_RV rv;
  Code code;
  std::string_view name;
};

#define COFFER_ROW(rv, code) \
  Row { rv, Code::code, #rv }

constexpr std::array kRows = {
    COFFER_ROW(CKR_SLOT_ID_INVALID, kTokenLost),
    COFFER_ROW(CKR_DEVICE_ERROR, kTokenLost),
    COFFER_ROW(CKR_DEVICE_REMOVED, kTokenLost),
    COFFER_ROW(CKR_KEY_HANDLE_INVALID, kTokenLost),
    COFFER_ROW(CKR_OBJECT_HANDLE_INVALID, kTokenLost),
    COFFER_ROW(CKR_WRAPPING_KEY_HANDLE_INVALID, kTokenLost),
    COFFER_ROW(CKR_UNWRAPPING_KEY_HANDLE_INVALID, kTokenLost),
    COFFER_ROW(CKR_SESSION_CLOSED, kTokenLost),
    COFFER_ROW(CKR_SESSION_HANDLE_INVALID, kTokenLost),
    COFFER_ROW(CKR_TOKEN_NOT_PRESENT, kTokenLost),
    COFFER_ROW(CKR_TOKEN_NOT_RECOGNIZED, kTokenLost),
    COFFER_ROW(CKR_USER_NOT_LOGGED_IN, kTokenLost),
    COFFER_ROW(CKR_CRYPTOKI_NOT_INITIALIZED, kTokenLost),

    COFFER_ROW(CKR_PIN_INCORRECT, kPinIncorrect),
    COFFER_ROW(CKR_PIN_LOCKED, kPinLocked),

    COFFER_ROW(CKR_ENCRYPTED_DATA_INVALID, kAuthenticationFailed),
    COFFER_ROW(CKR_ENCRYPTED_DATA_LEN_RANGE, kAuthenticationFailed),
    COFFER_ROW(CKR_SIGNATURE_INVALID, kAuthenticationFailed),
    COFFER_ROW(CKR_SIGNATURE_LEN_RANGE, kAuthenticationFailed),
    Row{kCkrAeadDecryptFailed, Code::kAuthenticationFailed, "CKR_AEAD_DECRYPT_FAILED"},

    COFFER_ROW(CKR_HOST_MEMORY, kUnavailable),
    COFFER_ROW(CKR_DEVICE_MEMORY, kUnavailable),
    COFFER_ROW(CKR_SESSION_COUNT, kUnavailable),

    COFFER_ROW(CKR_ARGUMENTS_BAD, kTokenRefused),
    COFFER_ROW(CKR_ATTRIBUTE_READ_ONLY, kTokenRefused),
    COFFER_ROW(CKR_ATTRIBUTE_SENSITIVE, kTokenRefused),
    COFFER_ROW(CKR_ATTRIBUTE_TYPE_INVALID, kTokenRefused),
    COFFER_ROW(CKR_ATTRIBUTE_VALUE_INVALID, kTokenRefused),
    COFFER_ROW(CKR_ACTION_PROHIBITED, kTokenRefused),
    COFFER_ROW(CKR_DATA_INVALID, kTokenRefused),
    COFFER_ROW(CKR_DATA_LEN_RANGE, kTokenRefused),
    COFFER_ROW(CKR_FUNCTION_NOT_SUPPORTED, kTokenRefused),
    COFFER_ROW(CKR_KEY_SIZE_RANGE, kTokenRefused),
    COFFER_ROW(CKR_KEY_TYPE_INCONSISTENT, kTokenRefused),
    COFFER_ROW(CKR_KEY_NOT_NEEDED, kTokenRefused),
    COFFER_ROW(CKR_KEY_NEEDED, kTokenRefused),
    COFFER_ROW(CKR_KEY_INDIGESTIBLE, kTokenRefused),
    COFFER_ROW(CKR_KEY_FUNCTION_NOT_PERMITTED, kTokenRefused),
    COFFER_ROW(CKR_KEY_NOT_WRAPPABLE, kTokenRefused),
    COFFER_ROW(CKR_KEY_UNEXTRACTABLE, kTokenRefused),
    COFFER_ROW(CKR_MECHANISM_INVALID, kTokenRefused),
    COFFER_ROW(CKR_MECHANISM_PARAM_INVALID, kTokenRefused),
    COFFER_ROW(CKR_PIN_INVALID, kTokenRefused),
    COFFER_ROW(CKR_PIN_LEN_RANGE, kTokenRefused),
    COFFER_ROW(CKR_PIN_EXPIRED, kTokenRefused),
    COFFER_ROW(CKR_PIN_TOO_WEAK, kTokenRefused),
    COFFER_ROW(CKR_SESSION_READ_ONLY, kTokenRefused),
    COFFER_ROW(CKR_SESSION_EXISTS, kTokenRefused),
    COFFER_ROW(CKR_SESSION_READ_ONLY_EXISTS, kTokenRefused),
    COFFER_ROW(CKR_SESSION_READ_WRITE_SO_EXISTS, kTokenRefused),
    COFFER_ROW(CKR_TEMPLATE_INCOMPLETE, kTokenRefused),
    COFFER_ROW(CKR_TEMPLATE_INCONSISTENT, kTokenRefused),
    COFFER_ROW(CKR_TOKEN_WRITE_PROTECTED, kTokenRefused),
    COFFER_ROW(CKR_UNWRAPPING_KEY_SIZE_RANGE, kTokenRefused),
    COFFER_ROW(CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT, kTokenRefused),
    COFFER_ROW(CKR_USER_ALREADY_LOGGED_IN, kTokenRefused),
    COFFER_ROW(CKR_USER_ANOTHER_ALREADY_LOGGED_IN, kTokenRefused),
    COFFER_ROW(CKR_USER_PIN_NOT_INITIALIZED, kTokenRefused),
    COFFER_ROW(CKR_USER_TYPE_INVALID, kTokenRefused),
    COFFER_ROW(CKR_WRAPPED_KEY_INVALID, kTokenRefused),
    COFFER_ROW(CKR_WRAPPED_KEY_LEN_RANGE, kTokenRefused),
    COFFER_ROW(CKR_WRAPPING_KEY_SIZE_RANGE, kTokenRefused),
    COFFER_ROW(CKR_WRAPPING_KEY_TYPE_INCONSISTENT, kTokenRefused),
    COFFER_ROW(CKR_DOMAIN_PARAMS_INVALID, kTokenRefused),
    COFFER_ROW(CKR_CURVE_NOT_SUPPORTED, kTokenRefused),
    COFFER_ROW(CKR_BUFFER_TOO_SMALL, kTokenRefused),

    // kTokenFailed is also what an unknown number becomes; these are here for their names.
    COFFER_ROW(CKR_OK, kTokenFailed),
    COFFER_ROW(CKR_GENERAL_ERROR, kTokenFailed),
    COFFER_ROW(CKR_FUNCTION_FAILED, kTokenFailed),
    COFFER_ROW(CKR_FUNCTION_CANCELED, kTokenFailed),
    COFFER_ROW(CKR_CANT_LOCK, kTokenFailed),
    COFFER_ROW(CKR_NEED_TO_CREATE_THREADS, kTokenFailed),
    COFFER_ROW(CKR_OPERATION_ACTIVE, kTokenFailed),
    COFFER_ROW(CKR_OPERATION_NOT_INITIALIZED, kTokenFailed),
    COFFER_ROW(CKR_CRYPTOKI_ALREADY_INITIALIZED, kTokenFailed),
    COFFER_ROW(CKR_FIPS_SELF_TEST_FAILED, kTokenFailed),
    COFFER_ROW(CKR_LIBRARY_LOAD_FAILED, kTokenFailed),
    COFFER_ROW(CKR_FUNCTION_REJECTED, kTokenFailed),
};
#undef COFFER_ROW

std::string_view MessageOf(Code code) {
  switch (code) {
    case Code::kTokenLost:
      return "the token is not reachable";
    case Code::kPinIncorrect:
      return "the token says that the pin is wrong";
    case Code::kPinLocked:
      return "the token's pin is locked";
    case Code::kAuthenticationFailed:
      return "authentication failed";
    case Code::kUnavailable:
      return "the token has no room for this now";
    case Code::kTokenRefused:
      return "the token refused the operation";
    default:
      return "the token failed";
  }
}

std::string Hex(CK_RV rv) {
  std::array<char, 2 * sizeof(rv)> digits{};
  const auto end = std::to_chars(digits.begin(), digits.end(), rv, 16).ptr;
  return "0x" + std::string(digits.begin(), end);
}

}  // namespace

Error FromCkRv(unsigned long rv, std::string_view function) {
  Code code = Code::kTokenFailed;
  std::string_view name = rv >= CKR_VENDOR_DEFINED ? "vendor-defined" : "unknown";
  for (const Row& row : kRows) {
    if (row.rv != rv) continue;
    code = row.code;
    name = row.name;
    break;
  }
  std::string cause(function);
  cause.append(": ").append(name).append(" (").append(Hex(rv)).append(")");
  return Error{code, std::string(MessageOf(code)), std::move(cause)};
}

}  // namespace coffer::pkcs11
