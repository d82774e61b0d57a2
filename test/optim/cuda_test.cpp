#include "test/cuda.h"

#include <libzoo/optim/sgd.h>

#include <ATen/ATen.h>

using namespace zoo;

TEST_CASE("SGD on a GPU takes the steps of the CPU", "[optim][cuda]") {
  if (!test::has_gpu()) return;
  std::vector<at::Tensor> here, there;
  for (const int64_t count : {3, 100'000, 16'384, 7}) {
    here.push_back(at::randn({count}).set_requires_grad(true));
    there.push_back(here.back().detach().cuda().set_requires_grad(true));
  }
  optim::Sgd on_cpu(here, {.momentum = 0.9, .weight_decay = 1e-3, .nesterov = true}),
      on_gpu(there, {.momentum = 0.9, .weight_decay = 1e-3, .nesterov = true});
  for (int step = 0; step < 3; ++step) {
    for (size_t i = 0; i < here.size(); ++i) {
      here[i].mutable_grad() = at::randn_like(here[i]);
      there[i].mutable_grad() = here[i].grad().cuda();
    }
    on_cpu.step(0.1);
    on_gpu.step(0.1);
  }
  for (size_t i = 0; i < here.size(); ++i) CHECK(there[i].cpu().allclose(here[i], 1e-5, 1e-6));
}
