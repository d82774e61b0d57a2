// The loops of weight standardisation: filters [first, last) of [filters][count] values in memory, whatever the order within a
// filter. Mean and variance are summed in double, so that a filter of equal values becomes exact zeros.
#pragma once

#include <libzoo/nn/kernels/bfloat16.h>

#include <cstdint>

namespace zoo::nn::kernels {

// Of each filter. scale = 1 / sqrt(var + eps), or 1 / (std + eps) if `outside`; share = 1, or (std + eps) / std (0 where std is 0):
// how much of the gradient along the filter itself standardisation takes out.
struct FilterStatistics {
  double *mean, *scale, *share;
};

// result = (weight - mean) · scale; fills the statistics.
void standardize(const float* weight, float* result, const FilterStatistics& statistics, int64_t count, double eps, bool outside,
                 int64_t first, int64_t last);
void standardize(const double* weight, double* result, const FilterStatistics& statistics, int64_t count, double eps, bool outside,
                 int64_t first, int64_t last);
void standardize(const float* weight, BFloat16* result, const FilterStatistics& statistics, int64_t count, double eps, bool outside,
                 int64_t first, int64_t last);

// scale · (grad - mean(grad) - share · result · mean(grad · result)), where grad is that of the result
void standardize_backward(const float* grad, const float* weight, const FilterStatistics& statistics, float* grad_weight, int64_t count,
                          int64_t first, int64_t last);
void standardize_backward(const double* grad, const double* weight, const FilterStatistics& statistics, double* grad_weight, int64_t count,
                          int64_t first, int64_t last);
void standardize_backward(const BFloat16* grad, const float* weight, const FilterStatistics& statistics, float* grad_weight, int64_t count,
                          int64_t first, int64_t last);

}  // namespace zoo::nn::kernels
