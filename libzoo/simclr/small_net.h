// The network of the demo: four 3x3 convolutions with batch norm and ReLU, strides 2, 2, 2, 1, and the mean over what is left of the
// picture. Small enough for one processor core, large enough for textures of 32x32 pixels.
#pragma once

#include <libzoo/nn/res_net.h>

#include <array>
#include <optional>

namespace zoo::simclr {

class SmallNetImpl : public torch::nn::Cloneable<SmallNetImpl> {
 public:
  static constexpr std::array<int64_t, 4> kChannels{32, 64, 128, 128}, kStrides{2, 2, 2, 1};

  explicit SmallNetImpl(std::optional<uint64_t> seed = 0);  // of the initial weights; none: zeros, for weights that are loaded
  void reset() override;
  at::Tensor forward(const at::Tensor& images);  // [batch, 3, h, w] -> [batch, 128]

 private:
  std::optional<uint64_t> seed_;
  std::vector<std::pair<nn::PlainConv, nn::BatchNorm>> layers_;
};
TORCH_MODULE(SmallNet);

}  // namespace zoo::simclr
