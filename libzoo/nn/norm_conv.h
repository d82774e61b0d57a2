// Group norm, ReLU and the convolutions that follow, as one operator: the normalised images are not kept for going back but
// computed again from their statistics, which costs one pass over memory and halves what a residual network keeps.
#pragma once

#include <libzoo/nn/group_norm.h>
#include <libzoo/nn/std_conv.h>

#include <ATen/core/Tensor.h>

namespace zoo::nn {

// conv(norm(x)), plus `addend`, of the result's shape, if it is defined.
at::Tensor norm_conv(GroupNorm& norm, StdConv2d& conv, const at::Tensor& x, const at::Tensor& addend = {});

struct NormConvAndShortcut {
  at::Tensor y, shortcut;
};

// conv(norm(x)) and what goes around it: downsample(norm(x)), or x itself if `downsample` is empty.
NormConvAndShortcut norm_conv_and_shortcut(GroupNorm& norm, StdConv2d& conv, StdConv2d& downsample, const at::Tensor& x);

}  // namespace zoo::nn
