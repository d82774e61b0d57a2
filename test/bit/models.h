// Small networks with random weights everywhere.
#pragma once

#include "test/files.h"
#include <libzoo/bit/names.h>
#include <libzoo/nn/res_net_v2.h>

#include <ATen/ATen.h>

namespace zoo::bit {

inline nn::ResNetV2 random_model(const nn::ResNetV2Options& options) {
  const at::NoGradGuard no_grad;
  nn::ResNetV2 model(options);
  for (auto& parameter : model->named_parameters())
    parameter.value().copy_(at::randn(parameter.value().sizes()) * 0.1 + (parameter.value().dim() == 1 ? 1 : 0));
  return model;
}

// The parameters in the layout and under the names of `naming`.
inline NamedTensors tensors_of(const nn::ResNetV2& model, Naming naming) {
  NamedTensors tensors;
  const auto parameters = model->named_parameters();
  for (const auto& parameter : parameter_table(model->options))
    tensors.emplace(parameter.name(naming), from_ours(parameter, naming, parameters[parameter.name(Naming::ours)].detach()));
  return tensors;
}

}  // namespace zoo::bit
