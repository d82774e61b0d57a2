// Convolution with weight standardisation (Qiao et al. 2019): every filter is given mean 0 and variance 1 over its inputs
// before it is used; the raw weights are what is trained and saved.
//
//   zoo::nn::StdConv2d conv({.in_channels = 64, .out_channels = 256, .kernel = 3, .stride = 2, .padding = 1});
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <memory>
#include <optional>

namespace zoo::nn {

// w / sqrt(var + eps) as BiT and timm have it, or w / (std + eps) as the authors of weight standardisation wrote it.
enum class EpsMode { inside, outside };

// (w - mean) / sqrt(var + eps) for each filter; the variance is the biased one. weight [filters, …] -> the same shape, layout and
// type, or another `type`. Computed in float32 at least, sums in float64; a filter of equal values gives exact zeros. On the CPU one
// operator with its own backward, which has no second derivative: create_graph throws Error.
at::Tensor standardize_weight(const at::Tensor& weight, double eps = 1e-10, EpsMode mode = EpsMode::inside,
                              std::optional<at::ScalarType> type = std::nullopt);

struct StdConv2dOptions {
  int64_t in_channels = 0, out_channels = 0;
  int64_t kernel = 1;   // pixels, square
  int64_t stride = 1;
  int64_t padding = 0;  // zeros
  double eps = 1e-10;   // google-research/big_transfer
  EpsMode eps_mode = EpsMode::inside;
};

class StdConv2dImpl : public torch::nn::Cloneable<StdConv2dImpl> {
 public:
  explicit StdConv2dImpl(const StdConv2dOptions& options);
  void reset() override;
  // [batch, in_channels, h, w] -> [batch, out_channels, …], computed in the type of x
  at::Tensor forward(const at::Tensor& x);
  // The weight that forward convolves with, in its own type or another one. In evaluation without gradients it is kept until the
  // weight changes.
  at::Tensor standardized(std::optional<at::ScalarType> type = std::nullopt) const;

  StdConv2dOptions options;
  at::Tensor weight;  // [out_channels, in_channels, kernel, kernel]

 private:
  struct Kept;
  mutable std::shared_ptr<const Kept> kept_;  // read and replaced atomically: several threads may predict
};
TORCH_MODULE(StdConv2d);

}  // namespace zoo::nn
