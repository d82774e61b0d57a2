// Minimal filtering in one dimension with three taps (Winograd 1980): the outputs of a tile are out(filter(g) · in(d)), with fewer products than
// outputs times taps. Each struct gives these three maps and, of those that a weight's gradient needs, the transposed ones. A tile
// begins at input kStep · tile - kBefore. In two dimensions the maps are applied to columns and to rows.
#pragma once

#include <libzoo/nn/kernels/avx512.h>

#ifdef ZOO_AVX512

namespace zoo::nn::kernels {

typedef float Lanes __attribute__((vector_size(64)));  // the same value of 16 channels

// F(2, 3), at the points 0, 1, -1 and infinity: stride 1, 4 products for 2 outputs.
struct Two {
  static constexpr int kInputs = 4, kPoints = 4, kOutputs = 2, kStep = 2, kBefore = 1;
  ZOO_AVX512_INLINE static void in(const Lanes* d, Lanes* t) {
    t[0] = d[0] - d[2];
    t[1] = d[1] + d[2];
    t[2] = d[2] - d[1];
    t[3] = d[1] - d[3];
  }
  ZOO_AVX512_INLINE static void filter(const Lanes* g, Lanes* u) {
    u[0] = g[0];
    u[1] = (g[0] + g[2] + g[1]) * 0.5f;
    u[2] = (g[0] + g[2] - g[1]) * 0.5f;
    u[3] = g[2];
  }
  ZOO_AVX512_INLINE static void out(const Lanes* m, Lanes* y) {
    y[0] = m[0] + m[1] + m[2];
    y[1] = m[1] - m[2] - m[3];
  }
  ZOO_AVX512_INLINE static void filter_back(const Lanes* u, Lanes* g) {
    const Lanes half = (u[1] + u[2]) * 0.5f;
    g[0] = u[0] + half;
    g[1] = (u[1] - u[2]) * 0.5f;
    g[2] = u[3] + half;
  }
  ZOO_AVX512_INLINE static void out_back(const Lanes* y, Lanes* m) {
    m[0] = y[0];
    m[1] = y[0] + y[1];
    m[2] = y[0] - y[1];
    m[3] = -y[1];
  }
};

// F(4, 3), at the points 0, ±5/8, ±3/2 and infinity: stride 1, 6 products for 4 outputs. With these points sums over 256 channels lose
// 1.7 times what plain ones in float32 do, with the usual 0, ±1, ±2 it is 4 times (found by trial in float64).
struct Four {
  static constexpr int kInputs = 6, kPoints = 6, kOutputs = 4, kStep = 4, kBefore = 1;
  static constexpr float a = 0.625f, b = 1.5f, a2 = a * a, b2 = b * b;
  static constexpr float of_0 = 1 / (a2 * b2), of_a = 1 / (2 * a2 * (a2 - b2)), of_b = 1 / (2 * b2 * (b2 - a2));
  ZOO_AVX512_INLINE static void in(const Lanes* d, Lanes* t) {
    const Lanes even_a = d[4] - b2 * d[2], odd_a = a * (d[3] - b2 * d[1]);
    const Lanes even_b = d[4] - a2 * d[2], odd_b = b * (d[3] - a2 * d[1]);
    t[0] = a2 * b2 * d[0] - (a2 + b2) * d[2] + d[4];
    t[1] = even_a + odd_a;
    t[2] = even_a - odd_a;
    t[3] = even_b + odd_b;
    t[4] = even_b - odd_b;
    t[5] = a2 * b2 * d[1] - (a2 + b2) * d[3] + d[5];
  }
  ZOO_AVX512_INLINE static void filter(const Lanes* g, Lanes* u) {
    const Lanes even_a = of_a * (g[0] + a2 * g[2]), odd_a = of_a * a * g[1];
    const Lanes even_b = of_b * (g[0] + b2 * g[2]), odd_b = of_b * b * g[1];
    u[0] = of_0 * g[0];
    u[1] = even_a + odd_a;
    u[2] = even_a - odd_a;
    u[3] = even_b + odd_b;
    u[4] = even_b - odd_b;
    u[5] = g[2];
  }
  ZOO_AVX512_INLINE static void out(const Lanes* m, Lanes* y) {
    const Lanes even_a = m[1] + m[2], odd_a = m[1] - m[2], even_b = m[3] + m[4], odd_b = m[3] - m[4];
    y[0] = m[0] + even_a + even_b;
    y[1] = a * odd_a + b * odd_b;
    y[2] = a2 * even_a + b2 * even_b;
    y[3] = a2 * a * odd_a + b2 * b * odd_b + m[5];
  }
  ZOO_AVX512_INLINE static void filter_back(const Lanes* u, Lanes* g) {
    const Lanes even_a = of_a * (u[1] + u[2]), even_b = of_b * (u[3] + u[4]);
    g[0] = of_0 * u[0] + even_a + even_b;
    g[1] = of_a * a * (u[1] - u[2]) + of_b * b * (u[3] - u[4]);
    g[2] = a2 * even_a + b2 * even_b + u[5];
  }
  ZOO_AVX512_INLINE static void out_back(const Lanes* y, Lanes* m) {
    const Lanes even_a = y[0] + a2 * y[2], odd_a = a * (y[1] + a2 * y[3]);
    const Lanes even_b = y[0] + b2 * y[2], odd_b = b * (y[1] + b2 * y[3]);
    m[0] = y[0];
    m[1] = even_a + odd_a;
    m[2] = even_a - odd_a;
    m[3] = even_b + odd_b;
    m[4] = even_b - odd_b;
    m[5] = y[3];
  }
};

// Stride 2: the outer taps meet every second input, which is F(2, 2) of 3 products, the middle one the inputs between them: 5 products
// for 2 outputs.
struct Strided {
  static constexpr int kInputs = 5, kPoints = 5, kOutputs = 2, kStep = 4, kBefore = 1;
  ZOO_AVX512_INLINE static void in(const Lanes* d, Lanes* t) {
    t[0] = d[0] - d[2];
    t[1] = d[2];
    t[2] = d[4] - d[2];
    t[3] = d[1];
    t[4] = d[3];
  }
  ZOO_AVX512_INLINE static void filter(const Lanes* g, Lanes* u) {
    u[0] = g[0];
    u[1] = g[0] + g[2];
    u[2] = g[2];
    u[3] = g[1];
    u[4] = g[1];
  }
  ZOO_AVX512_INLINE static void out(const Lanes* m, Lanes* y) {
    y[0] = m[0] + m[1] + m[3];
    y[1] = m[1] + m[2] + m[4];
  }
  ZOO_AVX512_INLINE static void filter_back(const Lanes* u, Lanes* g) {
    g[0] = u[0] + u[1];
    g[1] = u[3] + u[4];
    g[2] = u[1] + u[2];
  }
  ZOO_AVX512_INLINE static void out_back(const Lanes* y, Lanes* m) {
    m[0] = y[0];
    m[1] = y[0] + y[1];
    m[2] = y[1];
    m[3] = y[0];
    m[4] = y[1];
  }
};

// The way of a gradient back through a stride of 2, with the taps turned round: 5 products for 4 outputs from 3 inputs.
struct Spread {
  static constexpr int kInputs = 3, kPoints = 5, kOutputs = 4, kStep = 2, kBefore = 0;
  ZOO_AVX512_INLINE static void in(const Lanes* d, Lanes* t) {
    t[0] = d[0] - d[1];
    t[1] = d[1];
    t[2] = d[2] - d[1];
    t[3] = d[0];
    t[4] = d[1];
  }
  ZOO_AVX512_INLINE static void filter(const Lanes* g, Lanes* u) { Strided::filter(g, u); }
  ZOO_AVX512_INLINE static void out(const Lanes* m, Lanes* y) {
    y[0] = m[3];
    y[1] = m[0] + m[1];
    y[2] = m[4];
    y[3] = m[1] + m[2];
  }
};

}  // namespace zoo::nn::kernels

#endif
