#include <libzoo/bit/detector.h>
#include <libzoo/core/error.h>
#include <libzoo/core/random.h>
#include <libzoo/nn/initialisers.h>
#include <libzoo/nn/scope.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

#include <cmath>
#include <memory>

namespace zoo::bit {
namespace {

constexpr double kPrior = 0.01;  // probability of every class at first
constexpr size_t kStages = 4, kFirstTap = 2;

}  // namespace

DetectorImpl::DetectorImpl(nn::ResNetV2 backbone_, const DetectorOptions& options_) : options(options_) {
  backbone = register_module("backbone", std::move(backbone_));
  const auto& body = backbone->options;
  if (body.units.size() != kStages)
    throw UserError(fmt::format("a detector needs a backbone of {} stages, this one has {}", kStages, body.units.size()));
  if (options.num_classes < 1) throw UserError(fmt::format("a detector needs at least one class, not {}", options.num_classes));
  auto taps = register_module("taps", std::make_shared<nn::ScopeImpl>());
  std::vector<int64_t> channels;
  for (size_t stage = kFirstTap; stage <= kStages; ++stage) {
    channels.push_back(int64_t(64 * body.width) * (2 << stage));
    taps_.push_back(taps->register_module(std::to_string(stage - kFirstTap),
                                          nn::GroupNorm(nn::GroupNormOptions{.channels = channels.back(), .groups = body.groups})));
  }
  fpn_ = register_module("fpn", nn::FeaturePyramid(nn::FeaturePyramidOptions{.in_channels = channels,
                                                                             .channels = options.channels,
                                                                             .coarser = nn::CoarserLevels::convolutions,
                                                                             .seed = derive_seed(options.seed, "fpn")}));
  auto head = register_module("head", std::make_shared<nn::ScopeImpl>());
  classes_ = make_head(*head, "class_convs", "class_logits", options.num_classes);
  boxes_ = make_head(*head, "box_convs", "box_codes", 4);
  at::NoGradGuard no_grad;
  classes_.last->bias.fill_(-std::log((1 - kPrior) / kPrior));
  nn::use_channels_last(*head);
}

DetectorImpl::Head DetectorImpl::make_head(torch::nn::Module& scope, const std::string& name, const std::string& last, int64_t values) {
  const uint64_t seed = derive_seed(options.seed, name);
  nn::BiasConv2dOptions conv{.in_channels = options.channels, .out_channels = options.channels, .kernel = 3, .padding = 1};
  auto convs = scope.register_module(name, std::make_shared<nn::ScopeImpl>());
  Head head;
  for (int64_t i = 0; i < options.depth; ++i) {
    head.convs.push_back(convs->register_module(std::to_string(i), nn::BiasConv2d(conv)));
    nn::kaiming_normal_fan_out(head.convs.back()->weight, seed, uint32_t(i));
  }
  conv.out_channels = options.anchors.per_cell() * values;
  head.last = scope.register_module(last, nn::BiasConv2d(conv));
  nn::normal(head.last->weight, 0.01, seed, uint32_t(options.depth));
  return head;
}

at::Tensor DetectorImpl::apply(Head& head, const at::Tensor& level, int64_t values) {
  at::Tensor x = level;
  for (auto& conv : head.convs) x = conv(x).relu_();
  return head.last(x).permute({0, 2, 3, 1}).reshape({level.size(0), -1, values});
}

DetectorOutput DetectorImpl::forward(const at::Tensor& images) {
  const auto stages = backbone->stages(images);  // the stem's first
  std::vector<at::Tensor> tapped;
  for (size_t i = 0; i < taps_.size(); ++i) tapped.push_back(taps_[i](stages[kFirstTap + i]));
  std::vector<at::Tensor> logits, codes;
  for (const at::Tensor& level : fpn_(tapped)) {
    logits.push_back(apply(classes_, level, options.num_classes));
    codes.push_back(apply(boxes_, level, 4));
  }
  return {at::cat(logits, 1), at::cat(codes, 1)};
}

}  // namespace zoo::bit
