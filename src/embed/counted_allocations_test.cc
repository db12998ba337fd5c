#include "embed/counted_allocations.h"

#include <cstdlib>
#include <new>

namespace {
thread_local std::uint64_t allocations = 0;  // NOLINT: what the operators below count
}  // namespace

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WEIR_ALLOCATIONS_ARE_NOT_COUNTED  // it has operators of its own
#endif
#endif

#ifndef WEIR_ALLOCATIONS_ARE_NOT_COUNTED
// In a file of their own: where the compiler can see into them, it takes malloc and free for a pair
// that does not fit new and delete.
void* operator new(std::size_t size) {  // NOLINT
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;  // NOLINT
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {  // NOLINT
  ++allocations;
  return std::malloc(size);  // NOLINT
}
void operator delete(void* memory) noexcept { std::free(memory); }               // NOLINT
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }  // NOLINT
#endif

namespace weir::embed::testing_support {

std::uint64_t allocations_of_this_thread() { return allocations; }

}  // namespace weir::embed::testing_support
