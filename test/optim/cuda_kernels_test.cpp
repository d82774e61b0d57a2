// The CUDA kernel of SGD, run on the CPU (test/cuda_emulation.h) and held against the loop for the CPU.
#include "test/cuda_emulation.h"
#include "test/catch.h"

#include <libzoo/optim/kernels/sgd.cu>

#include <ATen/ATen.h>

using namespace zoo;
using namespace zoo::optim::kernels;

TEST_CASE("SGD's CUDA kernel takes the steps of the CPU's, over tensors of all sizes", "[optim]") {
  const bool nesterov = GENERATE(false, true), with_velocity = GENERATE(true, false);
  const SgdFactors factors{0.1, 0.9, 0.01, nesterov};
  // More than one launch holds; ends that fill no pack; more than one chunk.
  std::vector<int64_t> counts(50, 3);
  counts[7] = 33001, counts[20] = 16384, counts[49] = 100;
  std::vector<at::Tensor> parameters, expected, grads, velocities, expected_velocities;
  for (const int64_t count : counts) {
    parameters.push_back(at::randn({count}));
    expected.push_back(parameters.back().clone());
    velocities.push_back(at::full({count}, 1e30));
    expected_velocities.push_back(velocities.back().clone());
  }
  for (const bool first : {true, false}) {
    grads.clear();
    std::vector<CudaSgdTensor<float>> tensors;
    for (size_t i = 0; i < counts.size(); ++i) {
      grads.push_back(at::randn({counts[i]}));
      auto* velocity = with_velocity ? velocities[i].data_ptr<float>() : nullptr;
      tensors.push_back({parameters[i].data_ptr<float>(), grads[i].data_ptr<float>(), velocity, counts[i], first});
      sgd(factors, expected[i].data_ptr<float>(), grads[i].data_ptr<float>(),
          with_velocity ? expected_velocities[i].data_ptr<float>() : nullptr, first, counts[i]);
    }
    sgd_cuda(factors, tensors.data(), int64_t(tensors.size()), nullptr);
    for (size_t i = 0; i < counts.size(); ++i) {
      CHECK(parameters[i].allclose(expected[i], 1e-6, 1e-6));
      CHECK(velocities[i].allclose(expected_velocities[i], 1e-6, 1e-6));
    }
  }
}

TEST_CASE("SGD's CUDA kernel computes in float32 for tensors of 16 bits", "[optim]") {
  const auto parameter = at::randn({1000}).to(at::kBFloat16), grad = at::randn({1000}).to(at::kBFloat16),
             velocity = at::zeros({1000}, at::kBFloat16);
  const auto exact = parameter.to(at::kFloat) - 0.1 * (grad.to(at::kFloat) + 0.01 * parameter.to(at::kFloat));
  const CudaSgdTensor<at::BFloat16> tensor{parameter.data_ptr<at::BFloat16>(), grad.data_ptr<at::BFloat16>(),
                                           velocity.data_ptr<at::BFloat16>(), 1000, true};
  sgd_cuda({0.1, 0.9, 0.01, false}, &tensor, 1, nullptr);
  CHECK(parameter.allclose(exact.to(at::kBFloat16), 0.01, 1e-3));
  CHECK((parameter.to(at::kFloat) - exact).abs().max().item<double>() < 0.016);  // half a place of the largest
}
