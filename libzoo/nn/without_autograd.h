// Convolution and group norm going forward and back outside of autograd: what operators with a backward of their own
// are made of. Arguments are taken as checked.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace zoo::nn {

struct Convolution {
  int64_t stride = 1, padding = 0;
};

struct ConvolutionGradients {
  at::Tensor x, weight;  // undefined if not asked for
};

// Group norm and ReLU of a convolution's input on the way into its products, so that what is normalised never lies in memory.
struct FoldedNorm {
  at::Tensor tables;  // [4, batch, in] float32: mean in two parts, scale, shift; for x in bfloat16 the shift includes the mean
  bool relu = true;
};
bool folds_norm(const at::Tensor& x, const at::Tensor& weight, const Convolution& shape);  // is there a product that does it

// `addend`: added to the result, of its shape; may be undefined. `norm`: of x; null for none.
at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, const Convolution& shape, const at::Tensor& addend = {},
                    const FoldedNorm* norm = nullptr);
// From the input's size [batch, in, h, w], not from its values, if only the gradient of x is asked for. That is the gradient of the
// normalised x if there is a norm. `onto`: another gradient of the same, added, whose memory the result may take; may be undefined.
ConvolutionGradients convolve_backward(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& weight, const Convolution& shape,
                                       bool of_x, bool of_weight, const FoldedNorm* norm = nullptr, const at::Tensor& onto = {});

struct GroupNormSaved {
  at::Tensor x, gamma, beta;  // x dense in NCHW or channels-last memory
  at::Tensor mean, rstd;      // [batch, groups] float64
  bool relu = true;
};

struct GroupNormGradients {
  at::Tensor x, gamma, beta;
};

bool group_norm_is_fused(const at::Tensor& x, const at::Tensor& gamma, const at::Tensor& beta);  // devices and types that we have loops for
at::Tensor group_norm_forward(GroupNormSaved& saved, int64_t groups, double eps);  // fills mean and rstd
// The same without the result, for float32 and bfloat16 in channels-last memory on the CPU.
FoldedNorm group_norm_tables(GroupNormSaved& saved, int64_t groups, double eps);
at::Tensor group_norm_again(const GroupNormSaved& saved);  // the same values, from mean and rstd
// `skip`: another gradient of x, added; may be undefined.
GroupNormGradients group_norm_backward(const GroupNormSaved& saved, const at::Tensor& grad, const at::Tensor& skip);

}  // namespace zoo::nn
