// Convolution with a bias and nothing else: what feature pyramids and heads are made of.
//
//   zoo::nn::BiasConv2d conv(BiasConv2dOptions{.in_channels = 256, .out_channels = 256, .kernel = 3, .padding = 1});
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/pimpl.h>

#include <cstdint>

namespace zoo::nn {

struct BiasConv2dOptions {
  int64_t in_channels = 0, out_channels = 0;
  int64_t kernel = 1;   // pixels, square
  int64_t stride = 1;
  int64_t padding = 0;  // zeros
};

class BiasConv2dImpl : public torch::nn::Cloneable<BiasConv2dImpl> {
 public:
  explicit BiasConv2dImpl(const BiasConv2dOptions& options);
  void reset() override;
  at::Tensor forward(const at::Tensor& x);  // [batch, in_channels, h, w] -> [batch, out_channels, …]

  BiasConv2dOptions options;
  at::Tensor weight, bias;  // [out, in, kernel, kernel], [out]: zeros until whoever builds the network fills them
};
TORCH_MODULE(BiasConv2d);

}  // namespace zoo::nn
