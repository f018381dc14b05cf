#include "pkcs11/allocation_count.h"

#include <stdlib.h>

#include <atomic>
#include <new>

// These operators have a file of their own: if GCC inlined them next to a new, it would take the
// free below for a mismatch.
namespace {
std::atomic<long> allocations{0};
}  // namespace

// The other forms of operator new and delete end up here.
void* operator new(std::size_t size) {
  ++allocations;
  void* const memory = ::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { ::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { ::free(memory); }

namespace coffer::pkcs11 {

long AllocationCount() { return allocations; }

}  // namespace coffer::pkcs11
