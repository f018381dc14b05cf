#pragma once

#include "coffer/pkcs11/session.h"

namespace coffer::keyring {

// A session object that is destroyed at the end of the scope, on every path.
class PassingObject {
 public:
  PassingObject(pkcs11::Session& session, pkcs11::ObjectHandle handle)
      : session_(session), handle_(handle) {}
  ~PassingObject() { static_cast<void>(session_.DestroyObject(handle_)); }
  PassingObject(const PassingObject&) = delete;
  PassingObject& operator=(const PassingObject&) = delete;
  pkcs11::ObjectHandle get() const { return handle_; }

 private:
  pkcs11::Session& session_;
  pkcs11::ObjectHandle handle_;
};

}  // namespace coffer::keyring
