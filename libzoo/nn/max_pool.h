// The max-pooling of residual networks as google-research/big_transfer has it: on a border of zeros, not of -inf as torch pads.
//
//   auto y = zoo::nn::zero_padded_max_pool(x);   // [batch, channels, h, w] -> [batch, channels, (h - 1) / 2 + 1, …]
#pragma once

#include <ATen/core/Tensor.h>

namespace zoo::nn {

// 3x3, stride 2, one pixel of zeros around: where all of a border window is negative, 0 wins. The layout of x is kept. In
// channels-last memory on the CPU one operator with its own backward, which has no second derivative.
at::Tensor zero_padded_max_pool(const at::Tensor& x);

}  // namespace zoo::nn
