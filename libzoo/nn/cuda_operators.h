// Group norm and weight standardisation by kernels of ours on CUDA tensors. Present in builds with CUDA alone (ZOO_HAS_CUDA).
#pragma once

#include <libzoo/nn/kernels/group_norm_shape.h>
#include <libzoo/nn/std_conv.h>
#include <libzoo/nn/without_autograd.h>

#include <ATen/core/Tensor.h>

namespace zoo::nn {

// Images of float32, float16 or bfloat16; gamma and beta of their type or float32.
bool has_cuda_group_norm(const at::Tensor& x, const at::Tensor& gamma, const at::Tensor& beta);
void cuda_group_norm(const kernels::GroupNormShape& shape, const GroupNormSaved& saved, const at::Tensor& y, bool again);
// grad, skip (or undefined) and grad_x have the memory order of saved.x; grad_gamma and grad_beta are float64 [batch, channels].
void cuda_group_norm_backward(const kernels::GroupNormShape& shape, const GroupNormSaved& saved, const at::Tensor& grad,
                              const at::Tensor& skip, const at::Tensor& grad_x, const at::Tensor& grad_gamma, const at::Tensor& grad_beta);

// float32 weights [filters, …], standardised to `type`: float32, float16 or bfloat16. The gradient is float32.
at::Tensor cuda_standardize_weight(const at::Tensor& weight, double eps, EpsMode mode, at::ScalarType type);

}  // namespace zoo::nn
