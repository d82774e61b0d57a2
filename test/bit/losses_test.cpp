#include "test/catch.h"

#include <libzoo/bit/losses.h>
#include <libzoo/core/error.h>

#include <ATen/ATen.h>

#include <cmath>

using namespace zoo::bit;

TEST_CASE("Sigmoid cross-entropy sums over classes and stays finite for large logits", "[bit]") {
  // Logit 0: ln 2 whatever the target; logit x with target 0: softplus(x).
  const auto logits = at::tensor({0.0, 0.0, 300.0, -300.0}).view({2, 2}), targets = at::tensor({0.0, 1.0, 0.0, 1.0}).view({2, 2});
  const auto loss = sigmoid_cross_entropy(logits, targets);
  REQUIRE(loss[0].item<double>() == Approx(2 * std::log(2.0)));
  REQUIRE(loss[1].item<double>() == Approx(600));
}

TEST_CASE("Sigmoid cross-entropy has the gradient sigmoid(x) - target", "[bit]") {
  auto logits = at::randn({4, 7}, at::kDouble).requires_grad_();
  const auto targets = at::rand({4, 7}, at::kDouble);
  sigmoid_cross_entropy(logits, targets).sum().backward();
  REQUIRE(at::allclose(logits.grad(), at::sigmoid(logits.detach()) - targets));
}

TEST_CASE("A student that equals its teacher has no distillation loss and no gradient", "[bit]") {
  const auto teacher = at::randn({5, 8}, at::kDouble);
  for (double temperature : {0.5, 1.0, 4.0}) {
    auto student = teacher.clone().requires_grad_();
    const auto loss = distillation_loss(teacher, student, temperature);
    REQUIRE(loss.abs().max().item<double>() < 1e-12);
    loss.sum().backward();
    REQUIRE(student.grad().abs().max().item<double>() < 1e-12);
  }
}

TEST_CASE("The distillation gradient is t (softmax(S/t) - softmax(T/t)), and none reaches the teacher", "[bit]") {
  auto teacher = at::randn({5, 8}, at::kDouble).requires_grad_(), student = at::randn({5, 8}, at::kDouble).requires_grad_();
  distillation_loss(teacher, student, 3).sum().backward();
  REQUIRE(at::allclose(student.grad(), 3 * (at::softmax(student.detach() / 3, 1) - at::softmax(teacher.detach() / 3, 1))));
  REQUIRE_FALSE(teacher.grad().defined());
}

TEST_CASE("The losses refuse tensors that do not belong together", "[bit]") {
  REQUIRE_THROWS_WITH(sigmoid_cross_entropy(at::zeros({2, 3}), at::zeros({2})), Contains("got [2, 3] and [2]"));
  REQUIRE_THROWS_WITH(distillation_loss(at::zeros({2, 3}), at::zeros({2, 4}), 1), Contains("got [2, 3] and [2, 4]"));
  REQUIRE_THROWS_WITH(distillation_loss(at::zeros({2, 3}), at::zeros({2, 3}), 0), Contains("temperature > 0, got 0"));
}
