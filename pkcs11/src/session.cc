#include "coffer/pkcs11/session.h"

#include <array>
#include <string>
#include <utility>

#include "attributes_impl.h"
#include "coffer/base/secret_bytes.h"
#include "coffer/pkcs11/error.h"
#include "operation.h"

namespace coffer::pkcs11 {
namespace {

constexpr std::size_t kFindBatch = 256;

bool KillsSession(CK_RV rv) {
  switch (rv) {
    case CKR_OPERATION_ACTIVE:
    case CKR_SESSION_CLOSED:
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_DEVICE_ERROR:
    case CKR_DEVICE_REMOVED:
    case CKR_CRYPTOKI_NOT_INITIALIZED:
      return true;
    default:
      return false;
  }
}

}  // namespace

Session::Session(std::shared_ptr<const ModuleState> module, unsigned long handle)
    : module_(std::move(module)), generation_(module_->generation.load()), handle_(handle) {}

Session::Session(Session&& other) noexcept
    : module_(std::move(other.module_)),
      generation_(other.generation_),
      handle_(other.handle_),
      broken_(other.broken_) {}

Session& Session::operator=(Session&& other) noexcept {
  if (this == &other) return *this;
  Close();
  module_ = std::move(other.module_);
  generation_ = other.generation_;
  handle_ = other.handle_;
  broken_ = other.broken_;
  return *this;
}

Session::~Session() { Close(); }

void Session::Close() noexcept {
  if (module_ != nullptr && module_->generation.load() == generation_) {
    module_->functions->C_CloseSession(handle_);
    module_->counters.open_sessions.fetch_sub(1, std::memory_order_relaxed);
  }
  module_.reset();
}

bool Session::Broken() const {
  return broken_ || module_ == nullptr || module_->generation.load() != generation_;
}

Status Session::CheckAlive() const {
  if (module_ != nullptr && module_->generation.load() == generation_) return {};
  return Fail(FromCkRv(CKR_SESSION_CLOSED, "the module was finalised under the session"));
}

Error Session::Failed(unsigned long rv, const char* function) {
  if (KillsSession(rv)) broken_ = true;
  return FromCkRv(rv, function);
}

unsigned long Session::Finish(Operation operation) {
  const Functions& functions = module_->functions;
  std::array<CK_BYTE, 1024> rest;
  CK_ULONG size = rest.size();
  CK_RV rv = CKR_OK;
  switch (operation) {
    case Operation::kEncrypt:
      rv = functions->C_EncryptFinal(handle_, rest.data(), &size);
      break;
    case Operation::kDecrypt:
      rv = functions->C_DecryptFinal(handle_, rest.data(), &size);
      break;
    case Operation::kSign:
      rv = functions->C_SignFinal(handle_, rest.data(), &size);
      break;
    case Operation::kVerify:
      rv = functions->C_VerifyFinal(handle_, rest.data(), 1);
      break;
    case Operation::kDigest:
      rv = functions->C_DigestFinal(handle_, rest.data(), &size);
      break;
  }
  SecureWipe(rest.data(), rest.size());
  return rv;
}

// The session stays usable only if the token itself says that nothing is active any more: the first
// C_...Final may end what the failed call left, the second must find nothing.
Error Session::FailedMidway(unsigned long rv, const char* function, Operation operation) {
  if (Finish(operation) != CKR_OPERATION_NOT_INITIALIZED &&
      Finish(operation) != CKR_OPERATION_NOT_INITIALIZED) {
    broken_ = true;
  }
  return Failed(rv, function);
}

// A token that lies about a length has perhaps written there too; nothing it holds is trusted.
Error Session::FailedLength(std::size_t size, const char* function) {
  broken_ = true;
  return Error{Code::kTokenFailed, "the token failed",
               std::string(function) + ": unexpected length " + std::to_string(size)};
}

Result<ObjectHandle> Session::GenerateKey(const Mechanism& mechanism,
                                          const Attributes& attributes) {
  COFFER_TRY(CheckAlive());
  OperationCounters::Operation counted(module_->counters, OperationKind::kGenerateKey,
                                       MechanismIndex(mechanism.type));
  CK_MECHANISM raw = ToCk(mechanism);
  CK_OBJECT_HANDLE key = kNoObject;
  const CK_RV rv = module_->functions->C_GenerateKey(handle_, &raw, attributes.impl().Data(),
                                                     attributes.impl().Size(), &key);
  if (rv != CKR_OK) return Fail(Failed(rv, "C_GenerateKey"));
  counted.Succeeded();
  CountMade(1);
  return key;
}

Result<KeyPair> Session::GenerateKeyPair(const Mechanism& mechanism,
                                         const Attributes& public_attributes,
                                         const Attributes& private_attributes) {
  COFFER_TRY(CheckAlive());
  OperationCounters::Operation counted(module_->counters, OperationKind::kGenerateKeyPair,
                                       MechanismIndex(mechanism.type));
  CK_MECHANISM raw = ToCk(mechanism);
  KeyPair pair;
  const CK_RV rv = module_->functions.Patiently()->C_GenerateKeyPair(
      handle_, &raw, public_attributes.impl().Data(), public_attributes.impl().Size(),
      private_attributes.impl().Data(), private_attributes.impl().Size(), &pair.public_key,
      &pair.private_key);
  if (rv != CKR_OK) return Fail(Failed(rv, "C_GenerateKeyPair"));
  counted.Succeeded();
  CountMade(2);
  return pair;
}

Result<ObjectHandle> Session::CreateObject(const Attributes& attributes) {
  COFFER_TRY(CheckAlive());
  CK_OBJECT_HANDLE object = kNoObject;
  const CK_RV rv = module_->functions->C_CreateObject(handle_, attributes.impl().Data(),
                                                      attributes.impl().Size(), &object);
  if (rv != CKR_OK) return Fail(Failed(rv, "C_CreateObject"));
  CountMade(1);
  return object;
}

Result<ObjectHandle> Session::CopyObject(ObjectHandle object, const Attributes& attributes) {
  COFFER_TRY(CheckAlive());
  CK_OBJECT_HANDLE copy = kNoObject;
  const CK_RV rv = module_->functions->C_CopyObject(handle_, object, attributes.impl().Data(),
                                                    attributes.impl().Size(), &copy);
  if (rv != CKR_OK) return Fail(Failed(rv, "C_CopyObject"));
  CountMade(1);
  return copy;
}

void Session::CountMade(std::uint64_t objects) const {
  module_->objects_made.fetch_add(objects, std::memory_order_relaxed);
}

Status Session::SetAttributes(ObjectHandle object, const Attributes& attributes) {
  COFFER_TRY(CheckAlive());
  const CK_RV rv = module_->functions->C_SetAttributeValue(
      handle_, object, attributes.impl().Data(), attributes.impl().Size());
  if (rv != CKR_OK) return Fail(Failed(rv, "C_SetAttributeValue"));
  return {};
}

Status Session::DestroyObject(ObjectHandle object) {
  COFFER_TRY(CheckAlive());
  const CK_RV rv = module_->functions->C_DestroyObject(handle_, object);
  if (rv != CKR_OK) return Fail(Failed(rv, "C_DestroyObject"));
  return {};
}

Result<std::vector<ObjectHandle>> Session::Find(const Attributes& attributes) {
  COFFER_TRY(CheckAlive());
  const Functions& functions = module_->functions;
  CK_RV rv =
      functions->C_FindObjectsInit(handle_, attributes.impl().Data(), attributes.impl().Size());
  if (rv != CKR_OK) return Fail(Failed(rv, "C_FindObjectsInit"));
  std::vector<ObjectHandle> found;
  std::array<CK_OBJECT_HANDLE, kFindBatch> batch;
  CK_ULONG count = 0;
  do {
    count = 0;
    rv = functions->C_FindObjects(handle_, batch.data(), batch.size(), &count);
    if (rv != CKR_OK || count > batch.size()) break;
    found.insert(found.end(), batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(count));
  } while (count != 0);
  const CK_RV final_rv = functions->C_FindObjectsFinal(handle_);
  if (final_rv != CKR_OK) broken_ = true;
  if (rv != CKR_OK) return Fail(Failed(rv, "C_FindObjects"));
  if (count > batch.size()) return Fail(FailedLength(count, "C_FindObjects"));
  if (final_rv != CKR_OK) return Fail(Failed(final_rv, "C_FindObjectsFinal"));
  return found;
}

}  // namespace coffer::pkcs11
