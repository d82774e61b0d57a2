#include <libzoo/simclr/projection_head.h>

#include <libzoo/core/error.h>
#include <libzoo/nn/initialisers.h>
#include <libzoo/nn/scope.h>

#include <ATen/ATen.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zoo::simclr {
namespace {

int64_t all_layers(const ProjectionHeadOptions& o) { return o.mode == HeadMode::none ? 0 : o.mode == HeadMode::linear ? 1 : o.layers; }

}  // namespace

int64_t ProjectionHeadImpl::kept_width() const {
  const int64_t layers = all_layers(options);
  return layers == 0 || (options.keep >= 0 && options.keep < layers) ? options.input_dim : options.output_dim;
}

ProjectionHeadImpl::ProjectionHeadImpl(const ProjectionHeadOptions& options_) : options(options_) { reset(); }

void ProjectionHeadImpl::reset() {
  const auto& o = options;
  if (o.layers < 1 || o.input_dim < 1 || o.output_dim < 1)
    throw UserError(fmt::format("a projection head of {} layers from {} to {} values", o.layers, o.input_dim, o.output_dim),
                    "each must be at least 1");
  weights_.clear();
  norms_.clear();
  const int64_t layers = all_layers(o);
  if (o.keep < -1 || o.keep > layers)
    throw UserError(fmt::format("a projection head of {} layers has no first {}", layers, o.keep), "the selector must be 0 to its layers");
  auto projection = register_module("projection", std::make_shared<nn::ScopeImpl>());
  for (int64_t i = 0; i < (o.keep < 0 ? layers : o.keep); ++i) {
    const bool last = i + 1 == layers;
    const int64_t out = last ? o.output_dim : o.input_dim;
    auto layer = projection->register_module(std::to_string(i), std::make_shared<nn::ScopeImpl>());
    at::Tensor weight = at::empty({out, o.input_dim});
    nn::normal(weight, 0.01, o.seed, uint32_t(i));
    weights_.push_back(layer->register_parameter("weight", weight));
    norms_.push_back(layer->register_module(
        "bn", nn::BatchNorm(nn::BatchNormOptions{.channels = out, .eps = o.bn_eps, .momentum = o.bn_momentum, .bias = !last})));
  }
}

std::vector<at::Tensor> ProjectionHeadImpl::states(const at::Tensor& features) {
  if (features.dim() != 2 || features.size(1) != options.input_dim)
    throw Error(fmt::format("features must be [batch, {}], not [{}]", options.input_dim, fmt::join(features.sizes(), ", ")));
  std::vector<at::Tensor> states = {features};
  for (size_t i = 0; i < weights_.size(); ++i) {
    const auto y = at::linear(states.back(), weights_[i]);
    states.push_back(int64_t(i) + 1 < all_layers(options) ? norms_[i]->relu(y) : norms_[i](y));
  }
  return states;
}

}  // namespace zoo::simclr
