#include <libzoo/core/error.h>
#include <libzoo/nn/feature_pyramid.h>
#include <libzoo/nn/initialisers.h>
#include <libzoo/nn/res_net_v2.h>
#include <libzoo/nn/scope.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

#include <memory>

namespace zoo::nn {

FeaturePyramidImpl::FeaturePyramidImpl(const FeaturePyramidOptions& options_) : options(options_) { reset(); }

void FeaturePyramidImpl::reset() {
  const auto& o = options;
  if (o.in_channels.empty() || o.channels < 1)
    throw UserError(fmt::format("{} inputs and {} channels make no feature pyramid", o.in_channels.size(), o.channels));
  auto inner = register_module("inner_blocks", std::make_shared<ScopeImpl>());
  auto layer = register_module("layer_blocks", std::make_shared<ScopeImpl>());
  inner_.clear(), layer_.clear(), coarser_.clear();
  const BiasConv2dOptions same{.in_channels = o.channels, .out_channels = o.channels, .kernel = 3, .padding = 1};
  for (size_t i = 0; i < o.in_channels.size(); ++i) {
    const auto name = std::to_string(i);
    inner_.push_back(
        inner->register_module(name, BiasConv2d(BiasConv2dOptions{.in_channels = o.in_channels[i], .out_channels = o.channels})));
    layer_.push_back(layer->register_module(name, BiasConv2d(same)));
  }
  if (o.coarser == CoarserLevels::convolutions) {
    auto extra = register_module("extra_blocks", std::make_shared<ScopeImpl>());
    BiasConv2dOptions half = same;
    half.stride = 2;
    for (const char* name : {"p6", "p7"}) coarser_.push_back(extra->register_module(name, BiasConv2d(half)));
  }
  uint32_t id = 0;
  for (auto& entry : named_parameters())
    if (entry.value().dim() == 4) truncated_normal_fan_in(entry.value(), o.seed, id++);
  use_channels_last(*this);
}

std::vector<at::Tensor> FeaturePyramidImpl::forward(const std::vector<at::Tensor>& inputs) {
  if (inputs.size() != inner_.size()) throw Error(fmt::format("a feature pyramid of {} inputs was given {}", inner_.size(), inputs.size()));
  std::vector<at::Tensor> outputs(inputs.size());
  at::Tensor above;
  for (size_t i = inputs.size(); i-- > 0;) {
    auto merged = inner_[i](inputs[i]);
    if (above.defined()) merged = merged + at::upsample_nearest2d(above, merged.sizes().slice(2));
    outputs[i] = layer_[i](merged);
    above = merged;
  }
  if (options.coarser == CoarserLevels::pool) outputs.push_back(outputs.back().slice(2, 0, INT64_MAX, 2).slice(3, 0, INT64_MAX, 2));
  for (size_t i = 0; i < coarser_.size(); ++i) outputs.push_back(coarser_[i](i == 0 ? outputs.back() : outputs.back().relu()));
  return outputs;
}

}  // namespace zoo::nn
