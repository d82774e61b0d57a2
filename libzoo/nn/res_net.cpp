#include <libzoo/nn/res_net.h>

#include <libzoo/core/error.h>
#include <libzoo/nn/convolution.h>
#include <libzoo/nn/initialisers.h>
#include <libzoo/nn/max_pool.h>
#include <libzoo/nn/scope.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

#include <algorithm>

namespace zoo::nn {
namespace {

BatchNorm norm(int64_t channels, const ResNetOptions& o, double initial_weight = 1) {
  return BatchNorm(BatchNormOptions{.channels = channels, .eps = o.bn_eps, .momentum = o.bn_momentum, .initial_weight = initial_weight});
}

at::Tensor spatial_mean(const at::Tensor& x) { return x.mean({2, 3}, /*keepdim=*/true); }

// Two convolutions of the same input, mixed channel by channel as their means tell.
class SelectiveKernelImpl : public torch::nn::Module {
 public:
  SelectiveKernelImpl(int64_t in, int64_t filters, int64_t stride, const ResNetOptions& o) {
    const int64_t inner = std::max<int64_t>(int64_t(double(filters) * o.sk_ratio), 32);
    conv_ = register_module("conv", PlainConv(in, 2 * filters, 3, stride));
    bn_ = register_module("bn", norm(2 * filters, o));
    reduce_ = register_module("reduce", PlainConv(filters, inner, 1));
    reduce_bn_ = register_module("reduce_bn", norm(inner, o));
    expand_ = register_module("expand", PlainConv(inner, 2 * filters, 1));
  }

  at::Tensor forward(const at::Tensor& x) {
    const auto streams = bn_->relu(conv_(x)).chunk(2, 1);
    const auto mean = spatial_mean(streams[0] + streams[1]);
    const auto weights = expand_(reduce_bn_->relu(reduce_(mean))).chunk(2, 1);
    const auto first = at::sigmoid(weights[0] - weights[1]);  // the softmax of two
    return streams[1] + (streams[0] - streams[1]) * first;
  }

 private:
  PlainConv conv_{nullptr}, reduce_{nullptr}, expand_{nullptr};
  BatchNorm bn_{nullptr}, reduce_bn_{nullptr};
};

class SqueezeExciteImpl : public torch::nn::Module {
 public:
  SqueezeExciteImpl(int64_t channels, int64_t filters, double ratio) {
    const int64_t inner = std::max<int64_t>(int64_t(double(filters) * ratio), 1);
    reduce_ = register_module("reduce", PlainConv(channels, inner, 1, 1, /*bias=*/true));
    expand_ = register_module("expand", PlainConv(inner, channels, 1, 1, /*bias=*/true));
  }
  at::Tensor forward(const at::Tensor& x) { return x * at::sigmoid(expand_(at::relu(reduce_(spatial_mean(x))))); }

 private:
  PlainConv reduce_{nullptr}, expand_{nullptr};
};

// The 2x2 mean of a selective-kernel network's shortcut. Stride 2: zeros behind an odd side count; stride 1: the padding behind
// both sides does not.
at::Tensor shortcut_mean(const at::Tensor& x, int64_t stride) {
  const int64_t h = x.size(2), w = x.size(3);
  if (stride == 2) return at::avg_pool2d(at::constant_pad_nd(x, {0, w % 2, 0, h % 2}), {2, 2}, {2, 2});
  auto share = at::full({1, 1, h, w}, 1.0, x.options());
  share.select(2, h - 1).mul_(2);
  share.select(3, w - 1).mul_(2);
  return at::avg_pool2d(at::constant_pad_nd(x, {0, 1, 0, 1}), {2, 2}, {1, 1}) * share;
}

}  // namespace

PlainConvImpl::PlainConvImpl(int64_t in, int64_t out, int64_t kernel, int64_t stride, bool bias)
    : in_(in), out_(out), kernel_(kernel), stride_(stride), has_bias_(bias) {
  reset();
}

void PlainConvImpl::reset() {
  weight = register_parameter(
      "weight", at::empty({out_, in_, kernel_, kernel_}, at::TensorOptions().memory_format(at::MemoryFormat::ChannelsLast)).zero_());
  if (has_bias_) bias = register_parameter("bias", at::zeros({out_}));
}

at::Tensor PlainConvImpl::forward(const at::Tensor& x) {
  const auto y = conv2d(x, weight, stride_, (kernel_ - 1) / 2);
  return has_bias_ ? y + bias.view({1, -1, 1, 1}) : y;
}

class ResNetBlockImpl : public torch::nn::Module {
 public:
  ResNetBlockImpl(int64_t in, int64_t filters, int64_t stride, bool first, const ResNetOptions& o) : stride_(stride), sk_(o.sk_ratio > 0) {
    const int64_t out = o.bottleneck ? 4 * filters : filters;
    if (first) {
      auto downsample = register_module("downsample", std::make_shared<ScopeImpl>());
      project_ = downsample->register_module("conv", PlainConv(in, out, 1, sk_ ? 1 : stride));
      project_bn_ = downsample->register_module("bn", norm(out, o));
    }
    if (o.bottleneck) {
      add("1", in, filters, 1, 1, o);
      if (sk_)
        selective_ = register_module("sk", std::make_shared<SelectiveKernelImpl>(filters, filters, stride, o));
      else
        add("2", filters, filters, 3, stride, o);
      add("3", filters, out, 1, 1, o, /*initial_weight=*/0);
    } else {
      add("1", in, filters, 3, stride, o);
      add("2", filters, out, 3, 1, o, /*initial_weight=*/0);
    }
    if (o.se_ratio > 0) excite_ = register_module("se", std::make_shared<SqueezeExciteImpl>(out, filters, o.se_ratio));
  }

  at::Tensor forward(const at::Tensor& x) {
    at::Tensor shortcut = x;
    if (!project_.is_empty()) shortcut = project_bn_(project_(sk_ ? shortcut_mean(x, stride_) : x));
    at::Tensor y = x;
    for (size_t i = 0; i + 1 < layers_.size(); ++i) {
      y = layers_[i].second->relu(layers_[i].first(y));
      if (i == 0 && selective_) y = selective_->forward(y);
    }
    auto& [conv, bn] = layers_.back();
    if (excite_) return at::relu(excite_->forward(bn(conv(y))) + shortcut);
    return bn->add_relu(conv(y), shortcut);
  }

 private:
  void add(const char* number, int64_t in, int64_t out, int64_t kernel, int64_t stride, const ResNetOptions& o, double initial_weight = 1) {
    layers_.emplace_back(register_module(std::string("conv") + number, PlainConv(in, out, kernel, stride)),
                         register_module(std::string("bn") + number, norm(out, o, initial_weight)));
  }

  int64_t stride_;
  bool sk_;
  PlainConv project_{nullptr};
  BatchNorm project_bn_{nullptr};
  std::vector<std::pair<PlainConv, BatchNorm>> layers_;
  std::shared_ptr<SelectiveKernelImpl> selective_;
  std::shared_ptr<SqueezeExciteImpl> excite_;
};

ResNetOptions res_net_options(int64_t depth, const ResNetVariant& variant) {
  ResNetOptions options{.bottleneck = depth >= 50,
                        .stem_channels = 64 * variant.width,
                        .sk_ratio = variant.sk_ratio,
                        .se_ratio = variant.se_ratio,
                        .small_stem = variant.small_stem,
                        .seed = variant.seed};
  switch (depth) {
    case 18: options.blocks = {2, 2, 2, 2}; break;
    case 34:
    case 50: options.blocks = {3, 4, 6, 3}; break;
    case 101: options.blocks = {3, 4, 23, 3}; break;
    case 152: options.blocks = {3, 8, 36, 3}; break;
    case 200: options.blocks = {3, 24, 36, 3}; break;
    default: throw UserError(fmt::format("a residual network of depth {}", depth), "depths are 18, 34, 50, 101, 152 and 200");
  }
  return options;
}

ResNetImpl::ResNetImpl(const ResNetOptions& options_) : options(options_) { reset(); }

int64_t ResNetImpl::num_features() const { return options.stem_channels * 8 * (options.bottleneck ? 4 : 1); }

void ResNetImpl::reset() {
  const auto& o = options;
  if (o.sk_ratio > 0 && !o.bottleneck)
    throw UserError("selective kernels need bottleneck blocks", "choose a depth of 50 or more, or sk_ratio 0");
  if (o.stem_channels < 1 || o.in_channels < 1 || *std::min_element(o.blocks.begin(), o.blocks.end()) < 1)
    throw UserError("a residual network needs at least one channel, and one block in each group");
  auto stem = register_module("stem", std::make_shared<ScopeImpl>());
  stem_.clear();
  const auto add = [&](int64_t in, int64_t out, int64_t kernel, int64_t stride) {
    const auto number = std::to_string(stem_.size() + 1);
    stem_.emplace_back(stem->register_module("conv" + number, PlainConv(in, out, kernel, stride)),
                       stem->register_module("bn" + number, norm(out, o)));
  };
  if (o.small_stem) {
    add(o.in_channels, o.stem_channels, 3, 1);
  } else if (o.sk_ratio > 0) {
    add(o.in_channels, o.stem_channels / 2, 3, 2);
    add(o.stem_channels / 2, o.stem_channels / 2, 3, 1);
    add(o.stem_channels / 2, o.stem_channels, 3, 1);
  } else {
    add(o.in_channels, o.stem_channels, 7, 2);
  }
  groups_.clear();
  int64_t channels = o.stem_channels;
  for (size_t g = 0; g < o.blocks.size(); ++g) {
    auto layer = register_module(fmt::format("layer{}", g + 1), std::make_shared<ScopeImpl>());
    const int64_t filters = o.stem_channels << g;
    auto& group = groups_.emplace_back();
    for (int64_t b = 0; b < o.blocks[g]; ++b) {
      group.push_back(layer->register_module(std::to_string(b),
                                             std::make_shared<ResNetBlockImpl>(channels, filters, b == 0 && g > 0 ? 2 : 1, b == 0, o)));
      channels = o.bottleneck ? 4 * filters : filters;
    }
  }
  uint32_t id = 0;
  for (auto& entry : named_parameters()) {
    if (o.seed && entry.value().dim() == 4) truncated_normal_fan_in(entry.value(), *o.seed, id);
    ++id;
  }
}

at::Tensor ResNetImpl::stem(const at::Tensor& x, ResNetOutputs& outputs) {
  at::Tensor y = x.contiguous(at::MemoryFormat::ChannelsLast);
  for (auto& [conv, bn] : stem_) {
    outputs.initial_conv = conv(y);
    y = bn->relu(outputs.initial_conv);
  }
  return options.small_stem ? y : same_max_pool(y);
}

ResNetOutputs ResNetImpl::outputs(const at::Tensor& x) {
  if (x.dim() != 4 || x.size(1) != options.in_channels)
    throw Error(fmt::format("images must be [batch, {}, height, width], not {} dimensions of {} channels", options.in_channels, x.dim(),
                            x.dim() > 1 ? x.size(1) : 0));
  ResNetOutputs outputs;
  outputs.initial_max_pool = stem(x, outputs);
  at::Tensor y = outputs.initial_max_pool;
  for (auto& group : groups_) {
    for (auto& block : group) y = block->forward(y);
    outputs.block_groups.push_back(y);
  }
  outputs.final_avg_pool = y.mean({2, 3});
  return outputs;
}

}  // namespace zoo::nn
