// AVX-512 by hand: functions that only processors with it may call (has_matmul()).
#pragma once

#include <libzoo/nn/kernels/bfloat16.h>

#if defined(__x86_64__) && defined(__GNUC__)
// GCC 12 warns of its own header (bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

#include <cstdint>

#define ZOO_AVX512 __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq")))
#define ZOO_AVX512_INLINE inline __attribute__((always_inline, target("avx512f,avx512vl,avx512bw,avx512dq")))

namespace zoo::nn::kernels {

// bfloat16 is the upper half of a float32: here the lower half of a word, rounded to the nearest, ties to even, as BFloat16 does.
ZOO_AVX512_INLINE __m512i bfloat16_bits(__m512 value) {
  const __m512i whole = _mm512_castps_si512(value), odd = _mm512_and_si512(_mm512_srli_epi32(whole, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_srli_epi32(_mm512_add_epi32(whole, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
  const __mmask16 nan = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
  return _mm512_mask_blend_epi32(nan, rounded, _mm512_set1_epi32(0x7fc0));
}
ZOO_AVX512_INLINE __m512 widened(__m512i bits) { return _mm512_castsi512_ps(_mm512_slli_epi32(bits, 16)); }

// Up to 16 values as float32, and back.
ZOO_AVX512_INLINE __m512 load_some(const float* from, __mmask16 used) { return _mm512_maskz_loadu_ps(used, from); }
ZOO_AVX512_INLINE __m512 load_some(const BFloat16* from, __mmask16 used) {
  return widened(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(used, from)));
}
ZOO_AVX512_INLINE void store_some(float* to, __mmask16 used, __m512 value) { _mm512_mask_storeu_ps(to, used, value); }
ZOO_AVX512_INLINE void store_some(BFloat16* to, __mmask16 used, __m512 value) {
  _mm256_mask_storeu_epi16(to, used, _mm512_cvtepi32_epi16(bfloat16_bits(value)));
}

// 16 rows of up to 16 words, `bytes` from one another, become columns.
ZOO_AVX512_INLINE void transpose16(const char* from, int64_t bytes, __mmask16 used, float* to, int64_t to_stride) {
  __m512 r[16], t[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) r[i] = _mm512_maskz_loadu_ps(used, from + i * bytes);
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
    r[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xee);
    r[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    r[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    t[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    r[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd);
    r[i + 4] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0x88);
    r[i + 12] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0xdd);
  }
  const int count = __builtin_popcount(used);
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i)
    if (i < count) _mm512_storeu_ps(to + i * to_stride, r[i]);
}

}  // namespace zoo::nn::kernels

#endif
