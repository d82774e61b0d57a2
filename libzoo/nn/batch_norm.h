// Batch normalisation (Ioffe and Szegedy 2015) with the choices in which TensorFlow and torch differ, for feature maps and for
// rows of features.
//
//   zoo::nn::BatchNorm norm({.channels = 64});
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/pimpl.h>

#include <cstdint>

namespace zoo::nn {

struct BatchNormOptions {
  int64_t channels = 0;
  double eps = 1e-5;
  double momentum = 0.1;                 // the share of the batch in the running statistics; TensorFlow's decay is 1 - momentum
  bool unbiased_running_var = false;     // times n / (n - 1), as torch keeps it; TensorFlow keeps the batch's own
  bool bias = true;
  double initial_weight = 1;             // 0 for the last one of a residual branch
};

class BatchNormImpl : public torch::nn::Cloneable<BatchNormImpl> {
 public:
  explicit BatchNormImpl(const BatchNormOptions& options);
  void reset() override;
  // x [batch, channels, …] -> the same shape and layout. In training with the statistics of the batch, which move the running ones;
  // throws UserError if there is only one value per channel, which has no variance.
  at::Tensor forward(const at::Tensor& x);

  BatchNormOptions options;
  at::Tensor weight, bias;               // [channels]; bias undefined without one
  at::Tensor running_mean, running_var;  // [channels]
};
TORCH_MODULE(BatchNorm);

}  // namespace zoo::nn
