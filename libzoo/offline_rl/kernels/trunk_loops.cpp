#include <libzoo/core/kernel_clones.h>
#include <libzoo/offline_rl/kernels/trunk_loops.h>

#include <algorithm>

namespace zoo::offline_rl::kernels {

ZOO_CLONES_V4 void scale_pixels(const uint8_t* __restrict from, int64_t count, float scale, float* __restrict to) {
  for (int64_t i = 0; i < count; ++i) to[i] = scale * float(from[i]);
}

ZOO_CLONES_V4 void mask_grad(const float* __restrict grad, const float* __restrict y, int64_t count, float* __restrict to) {
  for (int64_t i = 0; i < count; ++i) to[i] = y[i] > 0 ? grad[i] : 0.0f;
}

ZOO_CLONES_V4 void add_columns(const float* __restrict values, int64_t rows, int64_t columns, float* __restrict sums) {
  constexpr int64_t kTogether = 16;
  int64_t c = 0;
  for (; c + kTogether <= columns; c += kTogether) {
    float sum[kTogether];
    for (int64_t i = 0; i < kTogether; ++i) sum[i] = sums[c + i];
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t i = 0; i < kTogether; ++i) sum[i] += values[r * columns + c + i];
    for (int64_t i = 0; i < kTogether; ++i) sums[c + i] = sum[i];
  }
  for (; c < columns; ++c)
    for (int64_t r = 0; r < rows; ++r) sums[c] += values[r * columns + c];
}

ZOO_CLONES_V4 void add_bias_relu(float* __restrict values, int64_t rows, int64_t columns, const float* __restrict bias) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) values[r * columns + c] = std::max(values[r * columns + c] + bias[c], 0.0f);
}

ZOO_CLONES_V4 void mix(const float* __restrict from, const float* __restrict share, int64_t count, int64_t size, float* __restrict to) {
  constexpr int64_t kTogether = 64;
  int64_t r = 0;
  for (; r + kTogether <= size; r += kTogether) {
    float sum[kTogether] = {};
    for (int64_t k = 0; k < count; ++k)
      for (int64_t i = 0; i < kTogether; ++i) sum[i] += share[k] * from[k * size + r + i];
    for (int64_t i = 0; i < kTogether; ++i) to[r + i] = sum[i];
  }
  for (; r < size; ++r) {
    float sum = 0;
    for (int64_t k = 0; k < count; ++k) sum += share[k] * from[k * size + r];
    to[r] = sum;
  }
}

ZOO_CLONES_V4 void unmix(const float* __restrict from, const float* __restrict share, int64_t count, int64_t size, float* __restrict to) {
  for (int64_t k = 0; k < count; ++k)
    for (int64_t r = 0; r < size; ++r) to[k * size + r] = share[k] * from[r];
}

}  // namespace zoo::offline_rl::kernels
