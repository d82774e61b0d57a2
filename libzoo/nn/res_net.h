// Residual networks with batch norm after each convolution (He et al. 2015, "v1"), in the form of google-research/simclr: wider
// ones, selective kernels (Li et al. 2019), squeeze and excitation (Hu et al. 2017), TensorFlow's padding, a projection in the
// first block of every group. Parameter names follow torchvision where it has the part.
//
//   zoo::nn::ResNet net(zoo::nn::res_net_options(50, {.width = 2, .sk_ratio = 0.0625}));
//   auto features = net->forward(images);   // [batch, 3, h, w] -> [batch, 4096]
#pragma once

#include <libzoo/nn/batch_norm.h>

#include <ATen/core/Tensor.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/pimpl.h>

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace zoo::nn {

struct ResNetOptions {
  bool bottleneck = true;
  std::array<int64_t, 4> blocks = {3, 4, 6, 3};
  int64_t stem_channels = 64;     // 64 · width
  double sk_ratio = 0;            // selective kernels in place of the 3x3; 0: none. 0.0625 in the released networks
  double se_ratio = 0;            // squeeze and excitation; 0: none
  bool small_stem = false;        // 3x3 and no pool, for pictures up to 32x32
  int64_t in_channels = 3;
  double bn_eps = 1e-5;
  double bn_momentum = 0.1;
  std::optional<uint64_t> seed = 0;  // of the initial weights; none: zeros, for weights that are loaded
};

struct ResNetVariant {
  int64_t width = 1;
  double sk_ratio = 0, se_ratio = 0;
  bool small_stem = false;
  std::optional<uint64_t> seed = 0;
};

// Depth 18, 34 (basic blocks), 50, 101, 152 or 200 (bottlenecks). Throws UserError for others.
ResNetOptions res_net_options(int64_t depth, const ResNetVariant& variant = {});

// A convolution without bias, zero padding (kernel - 1) / 2, in the network's own initialisation.
class PlainConvImpl : public torch::nn::Cloneable<PlainConvImpl> {
 public:
  PlainConvImpl(int64_t in, int64_t out, int64_t kernel, int64_t stride = 1, bool bias = false);
  void reset() override;
  at::Tensor forward(const at::Tensor& x);

  at::Tensor weight, bias;  // [out, in, kernel, kernel]; [out], or undefined

 private:
  int64_t in_, out_, kernel_, stride_;
  bool has_bias_;
};
TORCH_MODULE(PlainConv);

struct ResNetOutputs {
  at::Tensor initial_conv;              // of the last convolution of the stem, before its norm
  at::Tensor initial_max_pool;          // what the first group reads
  std::vector<at::Tensor> block_groups;
  at::Tensor final_avg_pool;            // [batch, num_features]
};

class ResNetBlockImpl;

class ResNetImpl : public torch::nn::Cloneable<ResNetImpl> {
 public:
  // Throws UserError if selective kernels are asked for in basic blocks, or a size is below 1.
  explicit ResNetImpl(const ResNetOptions& options);
  void reset() override;

  at::Tensor forward(const at::Tensor& x) { return outputs(x).final_avg_pool; }
  ResNetOutputs outputs(const at::Tensor& x);
  int64_t num_features() const;

  ResNetOptions options;

 private:
  at::Tensor stem(const at::Tensor& x, ResNetOutputs& outputs);

  std::vector<std::pair<PlainConv, BatchNorm>> stem_;
  std::vector<std::vector<std::shared_ptr<ResNetBlockImpl>>> groups_;
};
TORCH_MODULE(ResNet);

}  // namespace zoo::nn
