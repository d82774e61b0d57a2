// Feature pyramid network (Lin et al. 2017): images of several sizes from a backbone become equally many with the same channels, each
// having seen the coarser ones; nearest upsampling. Parameters are named as torchvision's FeaturePyramidNetwork had them first
// ("inner_blocks.0.weight", "layer_blocks.0.weight", "extra_blocks.p6.weight").
//
//   zoo::nn::FeaturePyramid fpn({.in_channels = {512, 1024, 2048}, .extra = CoarserLevels::convolutions});
//   auto levels = fpn->forward({c3, c4, c5});     // P3 … P7 of 256 channels
#pragma once

#include <libzoo/nn/bias_conv.h>

#include <ATen/core/Tensor.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <vector>

namespace zoo::nn {

// What follows the coarsest level: nothing; every second of its pixels (Faster and Mask R-CNN); or two of 3x3 convolutions with stride 2,
// the second of the ReLU of the first, both of the pyramid's own coarsest level (RetinaNet as tensorflow/tpu has it).
enum class CoarserLevels { none, pool, convolutions };

struct FeaturePyramidOptions {
  std::vector<int64_t> in_channels;  // of each input, the finest first
  int64_t channels = 256;            // of every output
  CoarserLevels coarser = CoarserLevels::none;
  uint64_t seed = 0;                 // of the initial weights
};

class FeaturePyramidImpl : public torch::nn::Cloneable<FeaturePyramidImpl> {
 public:
  // Weights begin as normal values of variance 1 / fan-in, biases at 0. Throws UserError without inputs or channels.
  explicit FeaturePyramidImpl(const FeaturePyramidOptions& options);
  void reset() override;
  // [batch, in_channels[i], hᵢ, wᵢ] each -> [batch, channels, hᵢ, wᵢ] each, then the coarser ones. Throws Error for another number.
  std::vector<at::Tensor> forward(const std::vector<at::Tensor>& inputs);

  FeaturePyramidOptions options;

 private:
  std::vector<BiasConv2d> inner_, layer_, coarser_;
};
TORCH_MODULE(FeaturePyramid);

}  // namespace zoo::nn
