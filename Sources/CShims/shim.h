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

// What the kernels do with a vector, one instruction each: from memory, whole or one number in every lane; max(v, 0), NaN staying
// NaN; arithmetic; and x*w + a rounded once, where the instruction set has that. Swift has words for all of them, and the same
// machine code comes of those; but its optimiser, to which arithmetic goes lane by lane, and which asks of every two accesses to
// memory whether they may meet, took two and a half minutes to get there for the widest tiles.
#define ASSAY_INLINE(effects) static inline __attribute__((always_inline, effects))
#define ASSAY_VECTOR(type, scalar, lanes)                                                                                      \
  typedef scalar assay_##type __attribute__((ext_vector_type(lanes)));                                                         \
  typedef scalar assay_unaligned_##type __attribute__((ext_vector_type(lanes), aligned(__alignof__(scalar)), may_alias));      \
  typedef __typeof__((assay_##type)0 < 0) assay_bits_##type;                                                                   \
  ASSAY_INLINE(pure) assay_##type assay_load_##type(const scalar *from) { return *(const assay_unaligned_##type *)from; }      \
  ASSAY_INLINE(pure) assay_##type assay_broadcast_##type(const scalar *from) { return (assay_##type)(*from); }                 \
  ASSAY_INLINE(const) assay_##type assay_positive_##type(assay_##type a) {                                                     \
    return (assay_##type)(~(a < 0) & (assay_bits_##type)a);                                                                    \
  }                                                                                                                            \
  ASSAY_INLINE(const) assay_##type assay_add_##type(assay_##type a, assay_##type b) { return a + b; }                          \
  ASSAY_INLINE(const) assay_##type assay_subtract_##type(assay_##type a, assay_##type b) { return a - b; }                     \
  ASSAY_INLINE(const) assay_##type assay_multiply_##type(assay_##type a, assay_##type b) { return a * b; }
#if defined(__FMA__) || defined(__aarch64__)
#define ASSAY_FUSED_VECTOR(type, scalar, lanes)                                                                                \
  ASSAY_VECTOR(type, scalar, lanes)                                                                                            \
  ASSAY_INLINE(const) assay_##type assay_fma_##type(assay_##type x, assay_##type w, assay_##type a) {                          \
    return __builtin_elementwise_fma(x, w, a);                                                                                 \
  }
#else
#define ASSAY_FUSED_VECTOR ASSAY_VECTOR
#endif
ASSAY_FUSED_VECTOR(f32x4, float, 4)
ASSAY_FUSED_VECTOR(f64x2, double, 2)
#if defined(__AVX2__)
ASSAY_FUSED_VECTOR(f32x8, float, 8)
ASSAY_FUSED_VECTOR(f64x4, double, 4)
#endif
#if defined(__AVX512F__)
ASSAY_FUSED_VECTOR(f32x16, float, 16)
ASSAY_FUSED_VECTOR(f64x8, double, 8)
#endif
#undef ASSAY_FUSED_VECTOR
#undef ASSAY_VECTOR
#undef ASSAY_INLINE

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
