#include <libzoo/core/error.h>
#include <libzoo/nn/scope.h>
#include <libzoo/simclr/network.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

#include <regex>

namespace zoo::simclr {

std::optional<nn::ResNetOptions> encoder_options(const NetworkOptions& o) {
  if (o.encoder == "small") return {};
  static const std::regex pattern("r(\\d{2,3})_([1-9])x(_sk[01])?");
  std::smatch parts;
  if (!std::regex_match(o.encoder, parts, pattern))
    throw UserError(fmt::format("no encoder is called '{}'", o.encoder),
                    "r<depth>_<width>x, for example r18_1x, r50_2x or r152_3x_sk1 (with selective kernels); or small");
  return nn::res_net_options(std::stoll(parts[1]), {.width = std::stoll(parts[2]),
                                                    .sk_ratio = parts[3] == "_sk1" ? 0.0625 : 0,
                                                    .se_ratio = o.se_ratio,
                                                    .small_stem = o.small_stem,
                                                    .seed = o.seed});
}

void ClassifierImpl::reset() {
  if (features_ < 1 || classes_ < 1) throw Error(fmt::format("a classifier of {} classes on {} features", classes_, features_));
  weight = register_parameter("weight", at::zeros({classes_, features_}));
  bias = register_parameter("bias", at::zeros({classes_}));
}

at::Tensor ClassifierImpl::forward(const at::Tensor& x) { return at::linear(x, weight, bias); }

NetworkImpl::NetworkImpl(const NetworkOptions& options_) : options(options_) {
  const auto& o = options;
  if (const auto encoder = encoder_options(o))
    res_net = register_module("encoder", nn::ResNet(*encoder));
  else
    small_net = register_module("encoder", SmallNet(o.seed));
  projection = register_module("projector", ProjectionHead(ProjectionHeadOptions{.mode = o.head,
                                                                                 .layers = o.head_layers,
                                                                                 .input_dim = num_features(),
                                                                                 .output_dim = o.head_outputs,
                                                                                 .keep = o.head_keep,
                                                                                 .seed = o.seed.value_or(0)}));
  if (o.num_classes > 0) {
    auto scope = register_module("classifier", std::make_shared<nn::ScopeImpl>());
    classifier = scope->register_module("head", Classifier(o.head_keep >= 0 ? projection->kept_width() : num_features(), o.num_classes));
  }
}

int64_t NetworkImpl::num_features() const { return res_net.is_empty() ? SmallNetImpl::kChannels.back() : res_net->num_features(); }

at::Tensor NetworkImpl::features(const at::Tensor& images) { return res_net.is_empty() ? small_net(images) : res_net(images); }

at::Tensor NetworkImpl::classify(const at::Tensor& features) {
  if (classifier.is_empty()) throw Error("the network has no classifier");
  return classifier(options.head_keep >= 0 ? project(features) : features);
}

void NetworkImpl::freeze_after(int64_t group) {
  if (group < -1 || group > 4) throw UserError(fmt::format("there is no group {} to freeze up to", group), "-1 (none) to 4 (all)");
  const auto& encoder = res_net.is_empty() ? static_cast<const torch::nn::Module&>(*small_net) : *res_net;
  for (const auto& child : encoder.named_children()) {
    const int64_t number = child.key() == "stem" ? 0 : child.key().back() - '0';
    if (number > group) continue;
    for (auto& parameter : child.value()->parameters()) parameter.requires_grad_(false);
    frozen_.push_back(child.value());
  }
  train(is_training());
}

void NetworkImpl::freeze_projection() {
  for (auto& parameter : projection->parameters()) parameter.requires_grad_(false);
  frozen_.push_back(projection.ptr());
  train(is_training());
}

void NetworkImpl::train(bool on) {
  torch::nn::Module::train(on);
  for (auto& part : frozen_) part->train(false);
}

optim::Role NetworkImpl::role(const std::string& parameter) const {
  if (parameter.starts_with("classifier.")) return optim::Role::supervised_head;
  const auto parent = named_modules().find(parameter.substr(0, parameter.rfind('.')));
  if (parent && dynamic_cast<const nn::BatchNormImpl*>(parent->get())) return optim::Role::batch_norm;
  return parameter.ends_with(".bias") ? optim::Role::bias : optim::Role::weight;
}

std::map<std::string, at::Tensor> named_tensors(const Network& network) {
  std::map<std::string, at::Tensor> tensors;
  for (const auto& entry : network->named_parameters()) tensors.emplace(NetworkImpl::file_name(entry.key()), entry.value().detach());
  for (const auto& entry : network->named_buffers()) tensors.emplace(NetworkImpl::file_name(entry.key()), entry.value());
  return tensors;
}

}  // namespace zoo::simclr
