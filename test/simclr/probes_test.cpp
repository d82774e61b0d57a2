#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/simclr/distillation.h>
#include <libzoo/simclr/probes.h>

#include <ATen/ATen.h>

#include <cmath>

using namespace zoo;

TEST_CASE("A logistic probe ends where its gradient vanishes", "[simclr]") {
  at::manual_seed(1);
  const auto labels = at::randint(0, 3, {90}, at::kLong);
  const auto features = at::randn({90, 5}) + labels.unsqueeze(1);
  const bool standardize = GENERATE(true, false);
  const auto probe = simclr::fit_logistic_probe(features, labels, {.num_classes = 3, .l2 = 0.01, .standardize = standardize});
  REQUIRE(probe.converged);
  auto weight = probe.weight.clone().requires_grad_();
  auto bias = probe.bias.clone().requires_grad_();
  const auto x = (features.to(at::kDouble) - probe.mean) / probe.deviation;
  const auto objective = at::cross_entropy_loss(at::linear(x, weight, bias), labels) + 0.005 * weight.square().sum();
  objective.backward();
  REQUIRE(weight.grad().abs().max().item<double>() < 1e-6);
  REQUIRE(bias.grad().abs().max().item<double>() < 1e-6);
  REQUIRE_THAT(probe.objective, Catch::Matchers::WithinAbs(objective.item<double>(), 1e-10));
  REQUIRE((probe.probabilities(features).sum(1) - 1).abs().max().item<double>() < 1e-12);
}

TEST_CASE("The nearest neighbours vote by their angle", "[simclr]") {
  const auto train = at::tensor({1.0, 0.0, 0.9, 0.1, 0.0, 5.0, -1.0, 0.0}).view({4, 2});
  const auto labels = at::tensor({0, 0, 1, 2}, at::kLong);
  const auto result =
      simclr::knn_probe(train, labels, at::tensor({100.0, 1.0, 0.0, 0.001}).view({2, 2}), {.num_classes = 3, .k = 1, .temperature = 0.1});
  REQUIRE(result.prediction[0].item<int64_t>() == 0);
  REQUIRE(result.prediction[1].item<int64_t>() == 1);
  REQUIRE_THAT(result.scores[1][1].item<double>(), Catch::Matchers::WithinAbs(std::exp(10.0), 1e-6));
  REQUIRE_THROWS_WITH(simclr::knn_probe(train, labels, train, {.num_classes = 3, .k = 5}), Contains("k must be 1 to 4"));
  REQUIRE_THROWS_WITH(simclr::knn_probe(train, labels, train, {.num_classes = 2, .k = 1}), Contains("labels must be 0 to 1"));
}

TEST_CASE("Probes refuse features that are not finite", "[simclr]") {
  auto features = at::ones({4, 2});
  features[1][1] = std::nan("");
  REQUIRE_THROWS_WITH(simclr::fit_logistic_probe(features, at::zeros({4}, at::kLong), {.num_classes = 2}), Contains("not finite"));
}

TEST_CASE("A student that agrees with its teacher has no gradient, and the teacher never has one", "[simclr]") {
  const auto teacher = at::randn({6, 4}).requires_grad_(), student = teacher.detach().clone().requires_grad_();
  simclr::distillation_loss(student, teacher, 2.0).backward();
  REQUIRE(student.grad().abs().max().item<double>() < 1e-6);
  REQUIRE(!teacher.grad().defined());
  REQUIRE_THROWS_WITH(simclr::distillation_loss(student, at::ones({6, 3}), 1.0), Contains("same [batch, classes]"));
  REQUIRE_THROWS_WITH(simclr::distillation_loss(student, teacher, 0.0), Contains("temperature"));
}
