// Batch norm with the ReLU behind it, and the addition between them that ends a residual block, as one operator on the CPU.
#pragma once

#include <ATen/core/Tensor.h>

namespace zoo::nn {

struct BatchStatistics {
  at::Tensor y;
  at::Tensor mean, variance;  // [channels] f64, the variance the biased one; undefined where the given statistics were used
};

// Whether the operator takes it: f32 on the CPU, rows of channels one after another in memory ([n, c], or [n, c, …] channels last).
bool norm_relu_fits(const at::Tensor& x, const at::Tensor& added);

// relu(batch_norm(x) + added) with the batch's statistics; `added` may be undefined, and without `relu` there is no cut. Has its own
// backward, without a second derivative.
BatchStatistics norm_relu_training(const at::Tensor& x, const at::Tensor& added, const at::Tensor& weight, const at::Tensor& bias,
                                   double eps, bool relu);

// The same with given statistics and without gradients.
at::Tensor norm_relu_inference(const at::Tensor& x, const at::Tensor& added, const at::Tensor& weight, const at::Tensor& bias,
                               const at::Tensor& mean, const at::Tensor& variance, double eps, bool relu);

}  // namespace zoo::nn
