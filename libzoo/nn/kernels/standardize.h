// The loops of weight standardisation: filters [first, last) of [filters][count] values in memory, whatever the order within a
// filter. Mean and variance are summed in double, so that a filter of equal values becomes exact zeros.
#pragma once

#include <cstdint>

namespace zoo::nn::kernels {

// scale[f] = 1 / sqrt(var + eps), or 1 / (std + eps) if `outside`; share[f] = 1, or (std + eps) / std (0 where std is 0): how much
// of the gradient along the filter itself standardisation takes out.
void standardize(const float* weight, float* result, double* scale, double* share, int64_t count, double eps, bool outside, int64_t first,
                 int64_t last);
void standardize(const double* weight, double* result, double* scale, double* share, int64_t count, double eps, bool outside, int64_t first,
                 int64_t last);

// scale · (grad - mean(grad) - share · result · mean(grad · result))
void standardize_backward(const float* grad, const float* result, const double* scale, const double* share, float* grad_weight,
                          int64_t count, int64_t first, int64_t last);
void standardize_backward(const double* grad, const double* result, const double* scale, const double* share, double* grad_weight,
                          int64_t count, int64_t first, int64_t last);

}  // namespace zoo::nn::kernels
