// Residual networks v2 with weight standardisation and group norm (Kolesnikov et al. 2020, "Big Transfer"; He et al. 2016,
// "Identity mappings in deep residual networks"). Parameter names are those of google-research/big_transfer bit_pytorch.
//
//   zoo::nn::ResNetV2 net(zoo::nn::ResNetV2Options{.units = {3, 4, 6, 3}, .width = 1, .num_classes = 10});
//   auto logits = net->forward(images);     // [batch, 3, height, width] -> [batch, 10]
#pragma once

#include <libzoo/nn/group_norm.h>
#include <libzoo/nn/max_pool.h>
#include <libzoo/nn/std_conv.h>

#include <ATen/core/Tensor.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace zoo::nn {

struct ResNetV2Options {
  std::vector<int64_t> units = {3, 4, 6, 3};  // per stage; 1 to 4 stages
  double width = 1;                           // the root has 64 · width filters
  int64_t num_classes = 1000;                 // 0: pooled features instead of logits
  int64_t in_channels = 3;
  int64_t groups = 32;                        // of group norm
  uint64_t seed = 0;                          // of the initial weights
};

// ReLU(GN) before each convolution: p = relu(gn1(x)); 1x1, 3x3 (with the stride), 1x1; plus the shortcut, which is x itself
// or, where shape changes, a 1x1 convolution of p.
struct PreActUnitOptions {
  int64_t in_channels = 0, mid_channels = 0, out_channels = 0;
  int64_t stride = 1;
  int64_t groups = 32;
};

class PreActUnitImpl : public torch::nn::Cloneable<PreActUnitImpl> {
 public:
  explicit PreActUnitImpl(const PreActUnitOptions& options);
  void reset() override;
  at::Tensor forward(const at::Tensor& x);  // [batch, in, h, w] -> [batch, out, ceil(h / stride), ceil(w / stride)]

  PreActUnitOptions options;
  GroupNorm gn1{nullptr}, gn2{nullptr}, gn3{nullptr};
  StdConv2d conv1{nullptr}, conv2{nullptr}, conv3{nullptr}, downsample{nullptr};  // downsample is empty for a plain shortcut
};
TORCH_MODULE(PreActUnit);

class ResNetV2Impl : public torch::nn::Cloneable<ResNetV2Impl> {
 public:
  // Throws UserError for sizes that no network can have, for example channels that 32 groups do not divide.
  explicit ResNetV2Impl(const ResNetV2Options& options);
  void reset() override;
  std::shared_ptr<torch::nn::Module> clone(const std::optional<at::Device>& device = std::nullopt) const override;

  at::Tensor forward(const at::Tensor& x);              // [batch, in_channels, h, w] -> [batch, num_classes], or features
  at::Tensor features(const at::Tensor& x);             // [batch, num_features], pooled
  std::vector<at::Tensor> stages(const at::Tensor& x);  // output of the stem, then of each stage
  at::Tensor stem(const at::Tensor& x);                 // root convolution and pool
  int64_t num_features() const;

  // The type of the images within the network and of the arithmetic: float32 as a rule; bfloat16 or float16 halve memory and, where
  // the processor has them, double the speed. Parameters, their gradients, statistics of norms, pooled features and logits stay as
  // they are.
  void set_compute_type(at::ScalarType type) { compute_type_ = type; }

  ResNetV2Options options;

 private:
  std::optional<at::ScalarType> compute_type_;
  StdConv2d root_{nullptr};
  std::vector<std::vector<PreActUnit>> blocks_;
  GroupNorm head_norm_{nullptr};
  at::Tensor head_weight_, head_bias_;
};
TORCH_MODULE(ResNetV2);

// Puts all four-dimensional parameters into channels-last memory, which convolutions and our kernels prefer on the CPU.
void use_channels_last(torch::nn::Module& module);

}  // namespace zoo::nn
