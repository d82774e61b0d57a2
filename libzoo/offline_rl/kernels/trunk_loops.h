// What lies between the products and convolutions of a trunk: loops over rows of floats.
#pragma once

#include <cstdint>

namespace zoo::offline_rl::kernels {

void scale_pixels(const uint8_t* from, int64_t count, float scale, float* to);

// to = grad where y is above 0, else 0.
void mask_grad(const float* grad, const float* y, int64_t count, float* to);

// sums[c] += Σ of column c of [rows, columns].
void add_columns(const float* values, int64_t rows, int64_t columns, float* sums);

// values = max(values + bias, 0), [rows, columns], bias [columns].
void add_bias_relu(float* values, int64_t rows, int64_t columns, const float* bias);

// to[r] = Σ_k share[k] · from[k][r], from [count][size].
void mix(const float* from, const float* share, int64_t count, int64_t size, float* to);
// to[k][r] = share[k] · from[r].
void unmix(const float* from, const float* share, int64_t count, int64_t size, float* to);

}  // namespace zoo::offline_rl::kernels
