// ZOO_CLONES before a function with hot loops: it is compiled for plain x86-64, for v3 (AVX2) and for v4 (AVX-512), and
// the processor picks at load time. Only integer and single-step float arithmetic keeps its results the same on all.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define ZOO_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define ZOO_CLONES
#endif
#define ZOO_INLINE inline __attribute__((always_inline))
