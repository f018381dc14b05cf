#pragma once

#include <set>
#include <string>
#include <string_view>

#include "coffer/base/result.h"
#include "coffer/pkcs11/session.h"
#include "keyring/object_recipe.h"

namespace coffer::keyring {

// Reads the object back: kTokenRefused, naming the object and the attribute, if an attribute
// differs from the recipe. A token object that holds a key must also have been generated in the
// token, and a sealed one must always have been sensitive and never extractable.
Status VerifyObject(pkcs11::Session& session, pkcs11::ObjectHandle object, const Recipe& recipe);
// Compares the object with a template only; `what` names it in the error.
Status VerifyAttributes(pkcs11::Session& session, pkcs11::ObjectHandle object,
                        const pkcs11::Attributes& expected, std::string_view what);

// Makes every object by a recipe and reads it back: token objects each time, session objects of a
// kind once. An object that differs from its recipe is destroyed, and kTokenRefused names the
// attribute. Used by the thread that uses the session.
class ObjectMaker {
 public:
  enum class ReadBack { kOncePerKind, kEachObject };
  explicit ObjectMaker(ReadBack read_back = ReadBack::kOncePerKind) : read_back_(read_back) {}

  Result<pkcs11::ObjectHandle> Generate(pkcs11::Session& session, pkcs11::MechanismType generator,
                                        const Recipe& recipe);
  Result<pkcs11::KeyPair> GeneratePair(pkcs11::Session& session, pkcs11::MechanismType generator,
                                       const Recipe& public_half, const Recipe& private_half);
  Result<pkcs11::ObjectHandle> Unwrap(pkcs11::Session& session, const pkcs11::Mechanism& mechanism,
                                      pkcs11::ObjectHandle unwrapping, ByteView blob,
                                      const Recipe& recipe);
  Result<pkcs11::ObjectHandle> Derive(pkcs11::Session& session, const pkcs11::Mechanism& mechanism,
                                      pkcs11::ObjectHandle base, const Recipe& recipe);
  Result<pkcs11::ObjectHandle> DeriveHkdf(pkcs11::Session& session, pkcs11::ObjectHandle base,
                                          const pkcs11::HkdfParameters& parameters,
                                          const Recipe& recipe);
  Result<pkcs11::ObjectHandle> DeriveEcdh(pkcs11::Session& session, pkcs11::ObjectHandle base,
                                          ByteView public_point, const Recipe& recipe);
  Result<pkcs11::ObjectHandle> Create(pkcs11::Session& session, const Recipe& recipe);

  // After a new start of the token every kind is read back again.
  void Forget() { known_.clear(); }

 private:
  Result<pkcs11::ObjectHandle> Checked(pkcs11::Session& session, const Recipe& recipe,
                                       Result<pkcs11::ObjectHandle> made);
  Status Check(pkcs11::Session& session, pkcs11::ObjectHandle object, const Recipe& recipe);

  ReadBack read_back_;
  std::set<std::string> known_;  // kinds of session objects, by their templates
};

}  // namespace coffer::keyring
