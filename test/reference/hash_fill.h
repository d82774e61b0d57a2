// The weights of the reference cases of networks too big to store: every value is a hash of its place in an official file.
// All arithmetic is 32-bit with wrap-around; the value itself is float64 before it is scaled.
#pragma once

#include <ATen/ATen.h>
#include <libzoo/bit/names.h>
#include <libzoo/nn/res_net_v2.h>

#include <cstdint>

namespace zoo::reference {

// In [-1, 1): element i of the k-th array.
inline double hash_value(uint32_t k, uint32_t i) {
  uint32_t h = (i * 2654435761u) ^ (k * 2246822519u + 374761393u);
  h ^= h >> 15;
  h *= 2246822519u;
  h ^= h >> 13;
  h *= 3266489917u;
  h ^= h >> 16;
  return 2 * (double(h) / 4294967296.0) - 1;
}

// float64 [count]: elements start, start + 1, …
inline at::Tensor hash_values(int64_t k, int64_t start, int64_t count) {
  auto values = at::empty({count}, at::kDouble);
  double* to = values.mutable_data_ptr<double>();
  for (int64_t i = 0; i < count; ++i) to[i] = hash_value(uint32_t(k), uint32_t(start + i));
  return values;
}

// k counts the official names in ascending order, i the elements in the official layout.
inline void fill_hash(nn::ResNetV2& model) {
  const at::NoGradGuard no_grad;
  auto parameters = model->named_parameters();
  int64_t k = 0;
  for (const auto& parameter : bit::parameter_table(model->options)) {
    using Kind = bit::ParameterKind;
    const double offset = parameter.kind == Kind::norm_weight ? 1 : 0;
    const double scale = parameter.kind == Kind::kernel ? 0.05 : parameter.kind == Kind::head_kernel ? 0.02 : 0.1;
    const auto values = (hash_values(k++, 0, parameter.count()) * scale + offset).to(at::kFloat);
    const auto laid_out = values.view(parameter.shape_in(bit::Naming::official));
    parameters[parameter.name(bit::Naming::ours)].copy_(bit::to_ours(parameter, bit::Naming::official, laid_out));
  }
}

// A network with hash weights; in evaluation and training alike, since it has no mode.
inline nn::ResNetV2 hash_model(const nn::ResNetV2Options& options) {
  nn::ResNetV2 model(options);
  fill_hash(model);
  return model;
}

}  // namespace zoo::reference
