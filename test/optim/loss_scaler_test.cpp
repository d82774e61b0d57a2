#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/optim/loss_scaler.h>

#include <ATen/ATen.h>

#include <cmath>

using namespace zoo;
using optim::LossScaler;

namespace {

std::vector<at::Tensor> with_gradients(const at::Tensor& gradient) {
  auto parameter = at::zeros_like(gradient);
  parameter.mutable_grad() = gradient.clone();
  return {parameter, at::zeros({2})};
}

}  // namespace

TEST_CASE("gradients of a scaled loss come back as they would be without", "[optim]") {
  LossScaler scaler;
  const auto gradient = at::tensor({1.0f, -0.25f, 1e-6f});
  const auto parameters = with_gradients(gradient * scaler.factor());
  CHECK(scaler.unscale(parameters));
  CHECK(parameters[0].grad().equal(gradient));
  CHECK(scaler.factor() == 65536);
}

TEST_CASE("a step with an infinite or undefined gradient is left out, and the factor halved", "[optim]") {
  LossScaler scaler;
  for (const float bad : {INFINITY, -INFINITY, float(NAN)}) {
    const double before = scaler.factor();
    CHECK_FALSE(scaler.unscale(with_gradients(at::tensor({1.0f, bad}))));
    CHECK(scaler.factor() == before / 2);
  }
}

TEST_CASE("the factor doubles after a long time without trouble, and goes on after a restart", "[optim]") {
  const auto parameters = with_gradients(at::ones({3}));
  LossScaler scaler({.factor = 8, .growth_interval = 3}), other({.factor = 2, .growth_interval = 3});
  scaler.unscale(parameters), scaler.unscale(parameters);
  CHECK(scaler.factor() == 8);
  other.restore(scaler.state());
  for (auto* each : {&scaler, &other}) {
    CHECK(each->unscale(parameters));
    CHECK(each->factor() == 16);
  }
  CHECK_THROWS_AS(other.restore(State()), Error);
  CHECK(other.factor() == 16);
}

TEST_CASE("switched off, the factor is 1 and nothing is touched", "[optim]") {
  LossScaler scaler({.on = false});
  const auto parameters = with_gradients(at::tensor({INFINITY}));
  CHECK(scaler.factor() == 1);
  CHECK(scaler.unscale(parameters));
  CHECK(parameters[0].grad().item<float>() == INFINITY);
}
