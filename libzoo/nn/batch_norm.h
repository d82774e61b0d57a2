// Batch normalisation (Ioffe and Szegedy 2015) with the choices in which TensorFlow and torch differ, for feature maps and for
// rows of features.
//
//   zoo::nn::BatchNorm norm({.channels = 64});
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <functional>

namespace zoo::nn {

// Replaces a tensor by its sum over all ranks of a process group.
using SumOverRanks = std::function<void(at::Tensor&)>;

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
  // throws UserError if there is only one value per channel, which has no variance. With sum_over_ranks the batch is that of all ranks
  // together, whose parts may differ in size.
  at::Tensor forward(const at::Tensor& x) { return apply(x, {}, /*relu=*/false); }
  // The same and ReLU; the same plus `added`, of x's shape, and ReLU: what follows in a residual network, in one go where that is faster.
  at::Tensor relu(const at::Tensor& x) { return apply(x, {}, /*relu=*/true); }
  at::Tensor add_relu(const at::Tensor& x, const at::Tensor& added) { return apply(x, added, /*relu=*/true); }

  BatchNormOptions options;
  at::Tensor weight, bias;  // [channels]; bias undefined without one
  at::Tensor running_mean, running_var;  // [channels]
  SumOverRanks sum_over_ranks;  // none: the statistics are this rank's own

 private:
  at::Tensor apply(const at::Tensor& x, const at::Tensor& added, bool relu);
  at::Tensor normalized(const at::Tensor& x);
  void require_several(int64_t values, at::IntArrayRef shape) const;
  void follow(const at::Tensor& mean, const at::Tensor& variance, int64_t values);
};
TORCH_MODULE(BatchNorm);

// Gives every batch norm in `module` that sum.
void synchronize_batch_norms(torch::nn::Module& module, const SumOverRanks& sum);

struct SyncBatchNorm {
  at::Tensor y;
  at::Tensor mean, variance;  // [channels] of the batch of all ranks; the variance is the biased one
  int64_t values = 0;  // per channel, of all ranks
};
// Batch norm in training over the batches of all ranks; its backward sums over the ranks too. The gradients of weight and bias
// are this rank's share, which is to be added to (or averaged with) those of the others. A collective: all ranks must call it.
SyncBatchNorm sync_batch_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double eps, const SumOverRanks& sum);

}  // namespace zoo::nn
