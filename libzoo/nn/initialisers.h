// Initial values of weights, drawn from our own counter-based streams: a function of (seed, id) alone.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace zoo::nn {

// Normal with deviation sqrt(2 / fan_out), fan_out = filters · kernel area (He et al. 2015). weight [filters, channels, h, w] f32;
// `id` tells the tensors of one network apart.
void kaiming_normal_fan_out(at::Tensor& weight, uint64_t seed, uint32_t id);

// TensorFlow's variance scaling, "truncated_normal" and fan_in: normal values, drawn again beyond two deviations, whose
// deviation afterwards is sqrt(1 / fan_in), fan_in = channels · kernel area. weight [filters, channels, …] f32.
void truncated_normal_fan_in(at::Tensor& weight, uint64_t seed, uint32_t id);

// Uniform in [-limit, limit). weight f32 of any shape, filled in row-major order.
void uniform(at::Tensor& weight, double limit, uint64_t seed, uint32_t id);

// Normal with mean 0. weight f32 of any shape.
void normal(at::Tensor& weight, double deviation, uint64_t seed, uint32_t id);

}  // namespace zoo::nn
