#pragma once

namespace coffer::pkcs11 {

// Calls of operator new in this program so far, from every thread and library.
long AllocationCount();

}  // namespace coffer::pkcs11
