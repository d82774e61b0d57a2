#include <libzoo/core/random.h>
#include <libzoo/nn/initialisers.h>

#include <ATen/ATen.h>

#include <array>
#include <cmath>

namespace zoo::nn {

namespace {

// Normal values times `deviation`, those beyond `limit` deviations left out, in the order of the stream.
void fill(at::Tensor& weight, double deviation, double limit, uint64_t seed, uint32_t id) {
  at::NoGradGuard no_grad;
  auto values = at::empty(weight.sizes(), at::kFloat);
  RandomStream random({.seed = seed, .id = id, .purpose = Purpose::initialisation});
  float* to = values.data_ptr<float>();
  for (int64_t i = 0; i < values.numel();) {
    for (const double value : random.normal_pair())
      if (i < values.numel() && std::abs(value) <= limit) to[i++] = float(deviation * value);
  }
  weight.copy_(values);
}

constexpr double kNoLimit = 1e9;

}  // namespace

void kaiming_normal_fan_out(at::Tensor& weight, uint64_t seed, uint32_t id) {
  fill(weight, std::sqrt(2.0 / double(weight.size(0) * weight[0][0].numel())), kNoLimit, seed, id);
}

void truncated_normal_fan_in(at::Tensor& weight, uint64_t seed, uint32_t id) {
  constexpr double kDeviationOfTheRest = 0.87962566103423978;  // of a normal distribution cut at two deviations
  fill(weight, std::sqrt(1.0 / double(weight[0].numel())) / kDeviationOfTheRest, 2, seed, id);
}

void uniform(at::Tensor& weight, double limit, uint64_t seed, uint32_t id) {
  at::NoGradGuard no_grad;
  auto values = at::empty(weight.sizes(), at::kFloat);
  RandomStream random({.seed = seed, .id = id, .purpose = Purpose::initialisation});
  float* to = values.data_ptr<float>();
  for (int64_t i = 0; i < values.numel(); ++i) to[i] = float((2 * double(random.uniform()) - 1) * limit);
  weight.copy_(values);
}

void normal(at::Tensor& weight, double deviation, uint64_t seed, uint32_t id) { fill(weight, deviation, kNoLimit, seed, id); }

}  // namespace zoo::nn
