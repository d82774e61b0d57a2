// The max-pooling of residual networks as google-research/big_transfer has it: on a border of zeros, not of -inf as torch pads;
// and as TensorFlow has it.
//
//   auto y = zoo::nn::zero_padded_max_pool(x);   // [batch, channels, h, w] -> [batch, channels, (h - 1) / 2 + 1, …]
#pragma once

#include <ATen/core/Tensor.h>

namespace zoo::nn {

// 3x3, stride 2, one pixel of zeros around: where all of a border window is negative, 0 wins. The layout of x is kept. In
// channels-last memory on the CPU one operator with its own backward, which has no second derivative.
at::Tensor zero_padded_max_pool(const at::Tensor& x);

// 3x3, stride 2, with TensorFlow's SAME padding: [batch, channels, h, w] -> [batch, channels, ceil(h / 2), ceil(w / 2)]. Windows start
// at 0, 2, 4, … where a side is even, and at -1 where it is odd; torch's padding of 1 always starts at -1.
at::Tensor same_max_pool(const at::Tensor& x);

}  // namespace zoo::nn
