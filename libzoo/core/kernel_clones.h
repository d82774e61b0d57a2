// ZOO_CLONES before a function with hot loops: it is compiled for plain x86-64 and for v3 (AVX2, FMA), and the processor picks
// when the program starts. ZOO_CLONES_V4 adds v4 (AVX-512), for loops that compute more than they wait for memory: every clone
// doubles what must be tested. Integer and single-step float arithmetic keep their results the same on all of them.
// What such a function calls must be ZOO_INLINE to be compiled along.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define ZOO_CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#define ZOO_CLONES_V4 __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define ZOO_CLONES
#define ZOO_CLONES_V4
#endif
#define ZOO_INLINE inline __attribute__((always_inline))
