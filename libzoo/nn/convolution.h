// Two-dimensional convolution without bias, square kernel and zero padding: at::conv2d, except where plain matrix products are
// faster on the CPU in channels-last memory: 1x1 kernels, and outputs of so few pixels that most of a kernel lies on padding.
// With AVX-512 the products in float32 are our own, else at::mm.
//
//   auto y = zoo::nn::conv2d(x, weight, /*stride=*/2, /*padding=*/1);
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace zoo::nn {

// x [batch, in, h, w], weight [out, in, k, k] -> [batch, out, (h + 2·padding - k) / stride + 1, …], in the layout of x.
// The products have no second derivative: backward with create_graph throws Error.
at::Tensor conv2d(const at::Tensor& x, const at::Tensor& weight, int64_t stride = 1, int64_t padding = 0);

}  // namespace zoo::nn
