// Gradients held against central differences in float64.
#pragma once

#include "test/catch.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <functional>
#include <vector>

namespace zoo::test {

using Tensors = std::vector<at::Tensor>;

inline double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  REQUIRE(a.sizes() == b.sizes());
  return a.numel() == 0 ? 0 : (a.detach().to(at::kDouble) - b.detach().to(at::kDouble)).abs().max().item<double>();
}

// Gradients of Σ function(inputs) · cotangent.
inline Tensors gradients(const std::function<at::Tensor(const Tensors&)>& function, const Tensors& inputs, const at::Tensor& cotangent) {
  Tensors leaves;
  for (const auto& input : inputs) leaves.push_back(input.detach().clone(at::MemoryFormat::Preserve).set_requires_grad(true));
  return torch::autograd::grad({function(leaves)}, leaves, {cotangent});
}

// Every input must be float64. Tries at most `most` elements of each, evenly spread.
inline void check_gradients(const std::function<at::Tensor(const Tensors&)>& function, const Tensors& inputs, double tolerance = 1e-7,
                            int64_t most = 60) {
  const double step = 1e-6;
  const auto cotangent = at::randn_like(function(inputs));
  const auto analytic = gradients(function, inputs, cotangent);
  for (size_t i = 0; i < inputs.size(); ++i) {
    CHECK(analytic[i].strides() == at::empty_like(inputs[i]).strides());
    const auto flat = analytic[i].contiguous().flatten();
    const int64_t stride = std::max<int64_t>(1, flat.numel() / most);
    for (int64_t j = 0; j < flat.numel(); j += stride) {
      Tensors moved = inputs;
      const auto value = [&](double delta) {
        auto values = inputs[i].contiguous().clone();
        values.view(-1)[j] += delta;
        moved[i] = at::empty_like(inputs[i]).copy_(values);
        return (function(moved) * cotangent).sum().item<double>();
      };
      const double numeric = (value(step) - value(-step)) / (2 * step);
      INFO("input " << i << ", element " << j);
      CHECK(flat[j].item<double>() == Approx(numeric).epsilon(tolerance * 10).margin(tolerance));
    }
  }
}

inline at::Tensor channels_last(const at::Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

}  // namespace zoo::test
