#include <libzoo/core/random.h>
#include <libzoo/nn/initialisers.h>

#include <ATen/ATen.h>

#include <cmath>

namespace zoo::nn {

void kaiming_normal_fan_out(at::Tensor& weight, uint64_t seed, uint32_t id) {
  at::NoGradGuard no_grad;
  const double deviation = std::sqrt(2.0 / double(weight.size(0) * weight[0][0].numel()));
  auto values = at::empty(weight.sizes(), at::kFloat);
  RandomStream random({.seed = seed, .id = id, .purpose = Purpose::initialisation});
  float* to = values.data_ptr<float>();
  for (int64_t i = 0; i < values.numel(); i += 2) {
    const auto pair = random.normal_pair();
    to[i] = float(deviation * pair[0]);
    if (i + 1 < values.numel()) to[i + 1] = float(deviation * pair[1]);
  }
  weight.copy_(values);
}

}  // namespace zoo::nn
