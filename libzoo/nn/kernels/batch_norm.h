// The loops of batch norm over [rows, channels], as feature maps lie in memory channels last, together with the addition and the ReLU
// that follow it in a residual network. Channels are numbered within a row; `rows` are consecutive.
#pragma once

#include <cstdint>

namespace zoo::nn::kernels {

// Adds to sums[0 … channels) what is over shift, to sums[channels … 2·channels) its squares.
void norm_sums(const float* x, int64_t rows, int64_t channels, const float* shift, double* sums);

// y = x·scale + shift (+ added), cut at 0 if asked.
void norm_apply(const float* x, const float* added, int64_t rows, int64_t channels, const float* scale, const float* shift, bool relu,
                float* y);

// grad is what reaches the result; where y is not above 0 it is 0 (y null: no ReLU). Adds to sums its sum and that of grad·(x - mean).
// `masked`, unless null, receives it.
void norm_grad_sums(const float* grad, const float* y, const float* x, int64_t rows, int64_t channels, const float* mean, double* sums,
                    float* masked);

// dx = grad·of_grad + x·of_x + constant, grad as above.
void norm_grad_apply(const float* grad, const float* y, const float* x, int64_t rows, int64_t channels, const float* of_grad,
                     const float* of_x, const float* constant, float* dx);

}  // namespace zoo::nn::kernels
