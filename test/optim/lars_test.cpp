#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/optim/lars.h>

#include <ATen/ATen.h>

using namespace zoo;
using optim::Lars;
using optim::Role;

namespace {

torch::OrderedDict<std::string, at::Tensor> two_parameters() {
  torch::OrderedDict<std::string, at::Tensor> parameters;
  at::manual_seed(1);
  parameters.insert("weight", at::randn({3, 4}).requires_grad_());
  parameters.insert("bias", at::randn({4}).requires_grad_());
  return parameters;
}

Role role(const std::string& name) { return name == "bias" ? Role::bias : Role::weight; }

void give_gradients(torch::OrderedDict<std::string, at::Tensor>& parameters, double scale) {
  for (auto& entry : parameters) entry.value().mutable_grad() = entry.value().detach() * scale + 0.1;
}

}  // namespace

TEST_CASE("The step of a weight does not depend on its gradient's size; that of a bias does", "[optim]") {
  std::vector<at::Tensor> weights, biases;
  for (const double scale : {1.0, 1000.0}) {
    auto parameters = two_parameters();
    Lars lars(parameters, role, {.momentum = 0});
    for (auto& entry : parameters) entry.value().mutable_grad() = at::ones_like(entry.value()) * scale;
    lars.step(1);
    weights.push_back(parameters["weight"].detach());
    biases.push_back(parameters["bias"].detach());
  }
  REQUIRE((weights[0] - weights[1]).abs().max().item<float>() < 1e-6f);
  REQUIRE((biases[0] - biases[1]).abs().min().item<float>() > 900);
}

TEST_CASE("A restored optimiser goes on as if nothing had happened", "[optim]") {
  auto first = two_parameters(), second = two_parameters();
  Lars whole(first, role, {.weight_decay = 1e-3});
  for (int i = 0; i < 3; ++i) {
    give_gradients(first, 0.5);
    whole.step(0.1);
  }
  {
    const at::NoGradGuard no_grad;
    for (auto& entry : second) entry.value().copy_(first[entry.key()]);
  }
  Lars rest(second, role, {.weight_decay = 1e-3});
  rest.restore(whole.state());
  for (auto* parameters : {&first, &second}) give_gradients(*parameters, 0.25);
  whole.step(0.2);
  rest.step(0.2);
  for (const auto& entry : first) REQUIRE(at::equal(entry.value(), second[entry.key()]));
}

TEST_CASE("A weight of zeros moves, and one without a gradient stays", "[optim]") {
  auto parameters = two_parameters();
  {
    const at::NoGradGuard no_grad;
    parameters["weight"].zero_();
  }
  Lars lars(parameters, role, {});
  parameters["weight"].mutable_grad() = at::ones({3, 4});
  const auto bias = parameters["bias"].detach().clone();
  lars.step(0.5);
  REQUIRE(at::allclose(parameters["weight"], at::full({3, 4}, -0.5)));
  REQUIRE(at::equal(parameters["bias"], bias));
}

TEST_CASE("LARS refuses what it cannot be given", "[optim]") {
  auto parameters = two_parameters();
  REQUIRE_THROWS_WITH(Lars(parameters, role, {.weight_decay = -1}), Contains("must not be negative"));
  Lars lars(parameters, role, {});
  State other;
  other.values["kind"] = "sgd";
  REQUIRE_THROWS_WITH(lars.restore(other), Contains("not one of this optimiser"));
}

TEST_CASE("The kernels step as the composed operations do, in all forms, whatever the size", "[optim]") {
  const bool nesterov = GENERATE(false, true), rate_in_velocity = GENERATE(false, true);
  const auto type = GENERATE(at::kFloat, at::kDouble);
  const optim::LarsOptions options{.weight_decay = 0.01, .nesterov = nesterov, .rate_in_velocity = rate_in_velocity};
  // Gradients that lie in memory as their parameters do go to the kernels, transposed ones don't.
  torch::OrderedDict<std::string, at::Tensor> fused, composed;
  for (const auto& [name, rows] : {std::pair("weight", int64_t(7)), std::pair("large", int64_t(1200)), std::pair("bias", int64_t(5))}) {
    at::manual_seed(rows);
    fused.insert(name, at::randn({rows, 130}, type));
    composed.insert(name, fused[name].clone());
  }
  Lars ours(fused, role, options), theirs(composed, role, options);
  for (int step = 0; step < 3; ++step) {
    at::manual_seed(100 + step);
    for (auto& entry : fused) {
      const auto grad = at::randn_like(entry.value());
      entry.value().mutable_grad() = grad;
      composed[entry.key()].mutable_grad() = grad.t().contiguous().t();
    }
    ours.step(0.3 + 0.1 * step);
    theirs.step(0.3 + 0.1 * step);
  }
  for (const auto& entry : fused) {
    INFO(entry.key());
    const auto difference = (entry.value() - composed[entry.key()]).norm() / composed[entry.key()].norm();
    REQUIRE(difference.item<double>() < (type == at::kFloat ? 1e-6 : 1e-14));
  }
}
