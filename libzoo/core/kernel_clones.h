// ZOO_CLONES before a function with hot loops: it is compiled for plain x86-64 and for v3 (AVX2, FMA), and the processor picks
// when the program starts. Not for v4 (AVX-512): these loops wait for memory, and every clone doubles what must be tested.
// What such a function calls must be ZOO_INLINE to be compiled along.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define ZOO_CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define ZOO_CLONES
#endif
#define ZOO_INLINE inline __attribute__((always_inline))
