#include <libzoo/nn/initialisers.h>
#include <libzoo/nn/scope.h>
#include <libzoo/simclr/small_net.h>

#include <ATen/ATen.h>

namespace zoo::simclr {

SmallNetImpl::SmallNetImpl(std::optional<uint64_t> seed) : seed_(seed) { reset(); }

void SmallNetImpl::reset() {
  layers_.clear();
  int64_t channels = 3;
  for (size_t i = 0; i < kChannels.size(); ++i) {
    auto layer = register_module("layer" + std::to_string(i + 1), std::make_shared<nn::ScopeImpl>());
    auto conv = layer->register_module("conv", nn::PlainConv(channels, kChannels[i], 3, kStrides[i]));
    if (seed_) nn::truncated_normal_fan_in(conv->weight, *seed_, uint32_t(i));
    layers_.emplace_back(conv, layer->register_module("bn", nn::BatchNorm(nn::BatchNormOptions{.channels = kChannels[i]})));
    channels = kChannels[i];
  }
}

at::Tensor SmallNetImpl::forward(const at::Tensor& images) {
  at::Tensor y = images.contiguous(at::MemoryFormat::ChannelsLast);
  for (auto& [conv, bn] : layers_) y = bn->relu(conv(y));
  return y.mean({2, 3});
}

}  // namespace zoo::simclr
