// Convolutions with 3x3 kernels, stride 1 or 2 and padding 1 by minimal filtering (kernels/winograd.h), outside of autograd, in channels-last
// memory, float32 or bfloat16: the transforms and products divided among threads, and whether they are worth it.
#pragma once

#include <libzoo/nn/without_autograd.h>

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace zoo::nn {

bool suits_filtering(const at::Tensor& x, const at::Tensor& weight, const Convolution& shape);  // channels fill vectors
// By the number of products against that of the definition: for the result and the gradient of x, and for that of the weight.
bool filtering_pays(const at::Tensor& x, const at::Tensor& weight, int64_t stride);
bool filtering_pays_for_weight(const at::Tensor& x, const at::Tensor& weight, int64_t stride);

at::Tensor filtered_convolve(const at::Tensor& x, const at::Tensor& weight, int64_t stride);
at::Tensor filtered_gradient_of_x(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& weight, int64_t stride);
at::Tensor filtered_gradient_of_weight(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& weight, int64_t stride);

}  // namespace zoo::nn
