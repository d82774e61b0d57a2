// The loops of 3x3, stride-2 max-pooling on a border of zeros, in channels-last memory, one image at a time.
#pragma once

#include <libzoo/nn/kernels/bfloat16.h>

#include <cstdint>

namespace zoo::nn::kernels {

struct PoolShape {
  int64_t channels = 0, height = 0, width = 0;  // of the input
  int64_t out_height() const { return (height - 1) / 2 + 1; }
  int64_t out_width() const { return (width - 1) / 2 + 1; }
};

// `winner` receives which of the nine places the maximum came from, the first of equals, counted along rows; it may be null.
void max_pool(const PoolShape& shape, const float* x, float* y, uint8_t* winner, int64_t image);
void max_pool(const PoolShape& shape, const double* x, double* y, uint8_t* winner, int64_t image);
void max_pool(const PoolShape& shape, const BFloat16* x, BFloat16* y, uint8_t* winner, int64_t image);
void max_pool_backward(const PoolShape& shape, const float* grad, const uint8_t* winner, float* grad_x, int64_t image);
void max_pool_backward(const PoolShape& shape, const double* grad, const uint8_t* winner, double* grad_x, int64_t image);
void max_pool_backward(const PoolShape& shape, const BFloat16* grad, const uint8_t* winner, BFloat16* grad_x, int64_t image);

}  // namespace zoo::nn::kernels
