#include "test/catch.h"

#include <libzoo/offline_rl/continuous_losses.h>
#include <libzoo/offline_rl/losses.h>
#include <libzoo/offline_rl/simplex.h>

#include <ATen/ATen.h>

#include <functional>

using namespace zoo;
using namespace zoo::offline_rl;


namespace {

constexpr int64_t kBatch = 5, kActions = 3;

at::Tensor random(at::IntArrayRef shape, double scale = 2) { return at::randn(shape, at::kDouble) * scale; }

Outcomes outcomes() {
  return {.action = at::randint(kActions, {kBatch}, at::kLong),
          .reward = random({kBatch}),
          .terminal = at::tensor({0, 1, 0, 0, 1}, at::kByte),
          .discount = 0.9};
}

// The largest difference between a gradient and central differences of the loss.
double gradient_error(const at::Tensor& x, const at::Tensor& grad, const std::function<double(const at::Tensor&)>& loss) {
  constexpr double kStep = 1e-6;
  const auto flat = x.flatten(), given = grad.flatten();
  double worst = 0;
  for (int64_t i = 0; i < flat.numel(); ++i) {
    const auto moved = [&](double by) {
      auto y = flat.clone();
      y[i] += by;
      return loss(y.view(x.sizes()));
    };
    worst = std::max(worst, std::abs((moved(kStep) - moved(-kStep)) / (2 * kStep) - given[i].item<double>()));
  }
  return worst;
}

}  // namespace

TEST_CASE("the gradients of value losses are those of their values", "[offline_rl]") {
  at::manual_seed(1);
  const int64_t heads = 4;
  const auto o = outcomes();
  const auto q = random({kBatch, kActions, heads}), next = random({kBatch, kActions, heads});
  const auto alpha = simplex_of(at::rand({heads, 2}, at::kDouble));
  const std::vector<std::pair<const char*, std::function<Loss(const at::Tensor&)>>> losses = {
      {"mixture", [&](const at::Tensor& x) { return mixture_loss(x, next, o); }},
      {"rem", [&](const at::Tensor& x) { return rem_loss(x, next, alpha, o); }},
      {"ensemble", [&](const at::Tensor& x) { return ensemble_loss(x, next, o, EnsembleTarget::per_head); }},
      {"averaged", [&](const at::Tensor& x) { return ensemble_loss(x, next, o, EnsembleTarget::averaged); }},
      {"quantile", [&](const at::Tensor& x) { return quantile_huber_loss(x, next, o, 1); }},
      {"plain quantile", [&](const at::Tensor& x) { return quantile_huber_loss(x, next, o, 0); }},
      {"categorical", [&](const at::Tensor& x) { return categorical_loss(x, next, o, {-3, 3}); }},
  };
  for (const auto& [name, loss] : losses) {
    INFO(name);
    CHECK(gradient_error(q, loss(q).grad, [&](const at::Tensor& x) { return loss(x).value.item<double>(); }) < 1e-7);
  }
}

TEST_CASE("mixing heads before the maximum is not mixing their maxima", "[offline_rl]") {
  // Two heads that prefer different actions: mixed evenly both actions are worth 0.5, but the mean of the heads' maxima is 1.
  const auto next = at::tensor({1.0, 0.0, 0.0, 1.0}, at::kDouble).view({1, 2, 2}), q = at::zeros({1, 2, 2}, at::kDouble);
  const Outcomes o{
      .action = at::zeros({1}, at::kLong), .reward = at::zeros({1}, at::kDouble), .terminal = at::zeros({1}, at::kByte), .discount = 1};
  const auto half = at::full({2, 1}, 0.5, at::kDouble);
  CHECK(rem_loss(q, next, half, o).target.item<double>() == 0.5);
  CHECK(ensemble_loss(q, next, o, EnsembleTarget::per_head).target.mean().item<double>() == 1);
  CHECK(ensemble_loss(q, next, o, EnsembleTarget::averaged).target.mean().item<double>() == 0.5);
}

TEST_CASE("with one head REM, the ensembles and DQN are one", "[offline_rl]") {
  at::manual_seed(2);
  const auto o = outcomes();
  const auto q = random({kBatch, kActions, 1}), next = random({kBatch, kActions, 1});
  const auto dqn = offline_rl::huber_loss(q.squeeze(2).gather(1, o.action.unsqueeze(1)).squeeze(1), dqn_target(next.squeeze(2), o));
  const auto one = at::ones({1, 1}, at::kDouble);
  for (const Loss& loss : {rem_loss(q, next, one, o), ensemble_loss(q, next, o, EnsembleTarget::per_head), mixture_loss(q, next, o)}) {
    CHECK(loss.value.item<double>() == Approx(dqn.value.item<double>()));
    CHECK(at::allclose(loss.grad.sum({1, 2}), dqn.grad));
  }
}

TEST_CASE("REM's weights are not those of a flat Dirichlet distribution", "[offline_rl]") {
  // K = 2: Var = 3/4 - ln 2. The standard error of a variance over 200,000 draws is below 3e-4.
  RandomStream random({.seed = 3});
  const auto alpha = draw_simplex(2, 200'000, random);
  CHECK(alpha.sum(0).sub(1).abs().max().item<double>() < 1e-6);
  CHECK(alpha[0].var().item<double>() == Approx(0.75 - std::log(2.0)).margin(1e-3));
}

TEST_CASE("the gradients of actor-critic losses are those of their values", "[offline_rl]") {
  at::manual_seed(4);
  const auto reward = random({kBatch}), terminal = at::tensor({0, 1, 0, 0, 1}, at::kByte);
  const auto q1 = random({kBatch}), q2 = random({kBatch}), next1 = random({kBatch}), next2 = random({kBatch});
  const auto twin = td3_critic_loss(q1, q2, next1, next2, reward, terminal, 0.9);
  CHECK(gradient_error(q1, twin.grads[0], [&](const at::Tensor& x) {
          return td3_critic_loss(x, q2, next1, next2, reward, terminal, 0.9).value.item<double>();
        }) < 1e-7);
  CHECK(at::allclose(twin.target, reward + 0.9 * (1 - terminal) * at::minimum(next1, next2)));

  const auto q = random({kBatch, 3}), next = random({kBatch, 3}), alpha = simplex_of(at::rand({3, 1}, at::kDouble)).flatten();
  CHECK(gradient_error(q, mixed_critic_loss(q, next, alpha, reward, terminal, 0.9).grads[0], [&](const at::Tensor& x) {
          return mixed_critic_loss(x, next, alpha, reward, terminal, 0.9).value.item<double>();
        }) < 1e-7);

  const auto policy = random({kBatch, 2}), action = random({kBatch, 2});
  const auto cloning = actor_loss(q1, policy, action, 2.5);
  CHECK(gradient_error(policy, cloning.grad_policy_action,
                       [&](const at::Tensor& x) { return actor_loss(q1, x, action, 2.5).value.item<double>(); }) < 1e-7);
  // λ = 2.5 / mean |q| is a constant on the way back.
  CHECK(at::allclose(cloning.grad_q, at::full({kBatch}, -2.5 / q1.abs().mean().item<double>() / kBatch, at::kDouble)));
  CHECK(at::allclose(actor_loss(q).grad_q, at::full({kBatch, 3}, -1.0 / 15, at::kDouble)));
}

TEST_CASE("target actions are smoothed within the clip and the action's bounds", "[offline_rl]") {
  const auto action = smoothed_action(at::tensor({0.0, 0.0, 1.9, -1.9}), at::tensor({1.0, 10.0, 10.0, -1.0}),
                                      {.deviation = 0.4, .clip = 1.0, .max_action = 2.0});
  CHECK(at::allclose(action, at::tensor({0.4, 1.0, 2.0, -2.0})));
}
