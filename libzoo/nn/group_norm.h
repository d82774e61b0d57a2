// Group normalisation (Wu and He 2018), with the ReLU that follows it in residual networks v2 fused in.
//
//   auto y = zoo::nn::group_norm_relu(x, gamma, beta, 32);
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/pimpl.h>

#include <cstdint>

namespace zoo::nn {

// (x - mean) · rstd · gamma + beta over each of `groups` groups of channels of each image, biased variance; then max(0, ·).
// x [batch, channels, …], gamma and beta [channels]. The result has the layout of x. A group of one value gives beta.
// Computed from the centred values, so a large mean costs no digits. On the CPU in float32 and float64 one operator with its own
// backward, which keeps only x and a mean and a deviation per group; it has no second derivative: create_graph throws Error.
// Throws UserError if the channels cannot be divided into the groups.
at::Tensor group_norm_relu(const at::Tensor& x, const at::Tensor& gamma, const at::Tensor& beta, int64_t groups, double eps = 1e-5,
                           bool relu = true);

struct GroupNormOptions {
  int64_t channels = 0;
  int64_t groups = 32;
  double eps = 1e-5;
  bool relu = true;
};

class GroupNormImpl : public torch::nn::Cloneable<GroupNormImpl> {
 public:
  explicit GroupNormImpl(const GroupNormOptions& options);
  void reset() override;
  at::Tensor forward(const at::Tensor& x);

  GroupNormOptions options;
  at::Tensor weight, bias;  // [channels]: ones and zeros at first
};
TORCH_MODULE(GroupNorm);

}  // namespace zoo::nn
