// What C has words for and Swift has none.
#ifndef ASSAY_CSHIMS_H
#define ASSAY_CSHIMS_H
#if defined(__linux__)
#include <malloc.h>
#endif

// Asks for the cache line at an address that will be read soon, for all levels of the cache. The address need not be valid.
static inline __attribute__((always_inline)) void assay_prefetch(const void *address) {
  __builtin_prefetch(address, 0, 3);
}

// The same for what will be read later: it may wait in the second-level cache.
static inline __attribute__((always_inline)) void assay_prefetch_later(const void *address) {
  __builtin_prefetch(address, 0, 2);
}

// From now on blocks of so many bytes and more go back to the system when they are freed. Left alone glibc raises that
// threshold to the largest block that it has seen, and keeps what is freed for later. Nothing with another allocator.
static inline void assay_give_back_from(int bytes) {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, bytes);
#else
  (void)bytes;
#endif
}

// Gives back what is free at this moment.
static inline void assay_give_back_free_memory(void) {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

// From now on blocks of up to 32 MB stay with the process when they are freed: whoever makes and frees tensors in turn does
// not have the system clear each page again. Nothing with another allocator.
static inline void assay_keep_freed_memory(void) {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
#endif
}

// The level of x86-64 that the CPU runs, and whose registers the system saves: 4 (AVX-512), 3 (AVX2) or 1; elsewhere 0.
static inline int assay_x86_64_level(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("x86-64-v4") ? 4 : __builtin_cpu_supports("x86-64-v3") ? 3 : 1;
#else
  return 0;
#endif
}
#endif
