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

// What the kernels do with a vector of the instruction set that they are compiled for, each as one instruction: from memory, whole
// or one number in every lane; max(v, 0), NaN staying NaN; arithmetic; and x*w + a, rounded once where the set has that. Swift has
// words for all of them. But arithmetic goes lane by lane there, and of every two accesses to memory the optimiser asks whether
// they may meet: it took half as long again for the widest tiles, and did not always find the one instruction.
#if defined(__AVX512F__)
#define ASSAY_LANES 16
#elif defined(__AVX2__)
#define ASSAY_LANES 8
#else
#define ASSAY_LANES 4
#endif
typedef float assay_vector __attribute__((ext_vector_type(ASSAY_LANES)));
typedef float assay_unaligned_vector __attribute__((ext_vector_type(ASSAY_LANES), aligned(4), may_alias));
typedef int assay_bits __attribute__((ext_vector_type(ASSAY_LANES)));
typedef float assay_quad __attribute__((ext_vector_type(4)));
typedef double assay_half_doubles __attribute__((ext_vector_type(ASSAY_LANES / 2)));

#define ASSAY_INLINE(effects) static inline __attribute__((always_inline, effects))
ASSAY_INLINE(pure) assay_vector assay_load(const float *from) { return *(const assay_unaligned_vector *)from; }
ASSAY_INLINE(pure) assay_vector assay_broadcast(const float *from) { return (assay_vector)(*from); }
ASSAY_INLINE(const) assay_vector assay_positive(assay_vector v) { return (assay_vector)(~(v < 0) & (assay_bits)v); }
ASSAY_INLINE(const) assay_vector assay_add(assay_vector a, assay_vector b) { return a + b; }
ASSAY_INLINE(const) assay_vector assay_subtract(assay_vector a, assay_vector b) { return a - b; }
ASSAY_INLINE(const) assay_vector assay_multiply(assay_vector a, assay_vector b) { return a * b; }
ASSAY_INLINE(const) assay_vector assay_square_root(assay_vector v) { return __builtin_elementwise_sqrt(v); }
#if defined(__FMA__) || defined(__aarch64__)
#define ASSAY_FMA(x, w, a) __builtin_elementwise_fma(x, w, a)
#else
#define ASSAY_FMA(x, w, a) (a) + (x) * (w)
#endif
ASSAY_INLINE(const) assay_vector assay_fma(assay_vector x, assay_vector w, assay_vector a) { return ASSAY_FMA(x, w, a); }
ASSAY_INLINE(const) assay_quad assay_fma_quad(assay_quad x, assay_quad w, assay_quad a) { return ASSAY_FMA(x, w, a); }
ASSAY_INLINE(const) assay_half_doubles assay_fma_half_doubles(
    assay_half_doubles x, assay_half_doubles w, assay_half_doubles a) {
  return ASSAY_FMA(x, w, a);
}
#undef ASSAY_FMA
#undef ASSAY_INLINE
#undef ASSAY_LANES

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

// From now on up to so many free bytes at the end of each arena stay with the process. Nothing with another allocator.
static inline void assay_keep_at_ends(int bytes) {
#if defined(__GLIBC__)
  mallopt(M_TRIM_THRESHOLD, bytes);
#else
  (void)bytes;
#endif
}

// From now on blocks of up to 32 MB stay with the process when they are freed: whoever makes and frees tensors in turn does
// not have the system clear each page again.
static inline void assay_keep_freed_memory(void) {
  assay_give_back_from(32 << 20);
  assay_keep_at_ends(512 << 20);
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
