// glibc's allocator settings, which Swift's Glibc module leaves out. Empty elsewhere.
#ifndef ASSAY_CMALLOC_SHIM_H
#define ASSAY_CMALLOC_SHIM_H
#if defined(__linux__)
#include <malloc.h>
#endif
#endif
