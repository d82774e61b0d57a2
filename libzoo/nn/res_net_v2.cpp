#include <libzoo/core/error.h>
#include <libzoo/nn/initialisers.h>
#include <libzoo/nn/norm_conv.h>
#include <libzoo/nn/res_net_v2.h>
#include <libzoo/nn/scope.h>

#include <ATen/ATen.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

namespace zoo::nn {
namespace {

int64_t root_filters(const ResNetV2Options& options) {
  const double filters = 64 * options.width;
  if (!(filters >= 1) || filters > 1e6 || filters != std::floor(filters) || int64_t(filters) % options.groups != 0) {
    throw UserError(fmt::format("width {} gives {} root filters; they must be a multiple of {}", options.width, filters, options.groups));
  }
  return int64_t(filters);
}

}  // namespace

PreActUnitImpl::PreActUnitImpl(const PreActUnitOptions& options_) : options(options_) { reset(); }

void PreActUnitImpl::reset() {
  const auto& o = options;
  gn1 = register_module("gn1", GroupNorm(GroupNormOptions{.channels = o.in_channels, .groups = o.groups}));
  conv1 = register_module("conv1", StdConv2d(StdConv2dOptions{.in_channels = o.in_channels, .out_channels = o.mid_channels}));
  gn2 = register_module("gn2", GroupNorm(GroupNormOptions{.channels = o.mid_channels, .groups = o.groups}));
  conv2 = register_module(
      "conv2", StdConv2d(StdConv2dOptions{
                   .in_channels = o.mid_channels, .out_channels = o.mid_channels, .kernel = 3, .stride = o.stride, .padding = 1}));
  gn3 = register_module("gn3", GroupNorm(GroupNormOptions{.channels = o.mid_channels, .groups = o.groups}));
  conv3 = register_module("conv3", StdConv2d(StdConv2dOptions{.in_channels = o.mid_channels, .out_channels = o.out_channels}));
  if (o.stride != 1 || o.in_channels != o.out_channels) {
    downsample = register_module(
        "downsample", StdConv2d(StdConv2dOptions{.in_channels = o.in_channels, .out_channels = o.out_channels, .stride = o.stride}));
  }
}

at::Tensor PreActUnitImpl::forward(const at::Tensor& x) {
  const auto [y, shortcut] = norm_conv_and_shortcut(gn1, conv1, downsample, x);
  return norm_conv(gn3, conv3, norm_conv(gn2, conv2, y), shortcut);
}

ResNetV2Impl::ResNetV2Impl(const ResNetV2Options& options_) : options(options_) { reset(); }

int64_t ResNetV2Impl::num_features() const { return root_filters(options) * (4 << (options.units.size() - 1)); }

void ResNetV2Impl::reset() {
  const auto& o = options;
  if (o.units.empty() || o.units.size() > 4) throw UserError(fmt::format("a residual network has 1 to 4 stages, not {}", o.units.size()));
  for (int64_t units : o.units) {
    if (units < 1) throw UserError(fmt::format("a stage has at least 1 unit, not {}", units));
  }
  if (o.num_classes < 0 || o.in_channels < 1)
    throw UserError(fmt::format("{} classes and {} input channels make no network", o.num_classes, o.in_channels));
  const int64_t filters = root_filters(o);

  auto root = register_module("root", std::make_shared<ScopeImpl>());
  root_ = root->register_module(
      "conv", StdConv2d(StdConv2dOptions{.in_channels = o.in_channels, .out_channels = filters, .kernel = 7, .stride = 2, .padding = 3}));
  auto body = register_module("body", std::make_shared<ScopeImpl>());
  blocks_.clear();
  int64_t channels = filters;
  for (size_t b = 0; b < o.units.size(); ++b) {
    auto block = body->register_module(fmt::format("block{}", b + 1), std::make_shared<ScopeImpl>());
    const int64_t mid = filters << b;
    auto& units = blocks_.emplace_back();
    for (int64_t u = 0; u < o.units[b]; ++u) {
      units.push_back(
          block->register_module(fmt::format("unit{:02}", u + 1), PreActUnit(PreActUnitOptions{.in_channels = channels,
                                                                                               .mid_channels = mid,
                                                                                               .out_channels = 4 * mid,
                                                                                               .stride = u == 0 && b > 0 ? 2 : 1,
                                                                                               .groups = o.groups})));
      channels = 4 * mid;
    }
  }
  auto head = register_module("head", std::make_shared<ScopeImpl>());
  head_norm_ = head->register_module("gn", GroupNorm(GroupNormOptions{.channels = channels, .groups = o.groups}));
  if (o.num_classes > 0) {
    auto conv = head->register_module("conv", std::make_shared<ScopeImpl>());
    head_weight_ = conv->register_parameter("weight", at::zeros({o.num_classes, channels, 1, 1}));
    head_bias_ = conv->register_parameter("bias", at::zeros({o.num_classes}));
  }
  uint32_t id = 0;
  for (auto& entry : named_parameters()) {
    if (entry.value().dim() == 4 && !entry.key().starts_with("head.")) kaiming_normal_fan_out(entry.value(), o.seed, id);
    ++id;
  }
  use_channels_last(*this);
}

std::shared_ptr<torch::nn::Module> ResNetV2Impl::clone(const std::optional<at::Device>& device) const {
  at::NoGradGuard no_grad;
  auto copy = std::make_shared<ResNetV2Impl>(options);
  const auto from = parameters();
  auto to = copy->parameters();
  for (size_t i = 0; i < from.size(); ++i) {
    to[i].set_data(device ? from[i].to(*device, from[i].scalar_type(), /*non_blocking=*/false, /*copy=*/true) : from[i].clone());
    to[i].set_requires_grad(from[i].requires_grad());
  }
  copy->compute_type_ = compute_type_;
  copy->train(is_training());
  return copy;
}

at::Tensor ResNetV2Impl::stem(const at::Tensor& x) {
  if (x.dim() != 4 || x.size(1) != options.in_channels || x.size(2) < 1 || x.size(3) < 1) {
    throw Error(fmt::format("images must be [batch, {}, height, width], not {}", options.in_channels, fmt::join(x.sizes(), " x ")));
  }
  return zero_padded_max_pool(root_(x.to(compute_type_.value_or(x.scalar_type())).contiguous(root_->weight.suggest_memory_format())));
}

std::vector<at::Tensor> ResNetV2Impl::stages(const at::Tensor& x) {
  std::vector<at::Tensor> outputs = {stem(x)};
  for (auto& units : blocks_) {
    auto y = outputs.back();
    for (auto& unit : units) y = unit(y);
    outputs.push_back(y);
  }
  return outputs;
}

at::Tensor ResNetV2Impl::features(const at::Tensor& x) {
  auto y = stem(x);
  for (auto& units : blocks_) {
    for (auto& unit : units) y = unit(y);
  }
  return head_norm_(y).mean({2, 3}, /*keepdim=*/false, root_->weight.scalar_type());
}

at::Tensor ResNetV2Impl::forward(const at::Tensor& x) {
  const auto pooled = features(x);
  return options.num_classes > 0 ? at::linear(pooled, head_weight_.flatten(1), head_bias_) : pooled;
}

void use_channels_last(torch::nn::Module& module) {
  at::NoGradGuard no_grad;
  for (auto& parameter : module.parameters()) {
    if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
  }
}

}  // namespace zoo::nn
