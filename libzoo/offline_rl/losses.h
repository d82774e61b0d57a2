// The losses of value-based agents on a batch of transitions, each with its gradient by the estimates; there is none through targets.
// q [batch, actions] or [batch, actions, heads]; action i64, reward f32 (the n-step sum), terminal u8 or bool, [batch].
//
//   auto loss = rem_loss(q, next_q, draw_simplex(200, 1, random), {.action = a, .reward = r, .terminal = d, .discount = 0.99});
//   q.backward(loss.grad);
//
// Sources: "An Optimistic Perspective on Offline RL" (arXiv 1907.04543) and its code for the ensembles and REM, Dabney et al. 2018
// (arXiv 1710.10044) for QR-DQN, Bellemare et al. 2017 (arXiv 1707.06887) for C51, with Dopamine's conventions.
#pragma once

#include <ATen/core/Tensor.h>

namespace zoo::offline_rl {

struct Outcomes {
  at::Tensor action, reward, terminal;
  double discount = 0.99;  // of what follows: gamma^n for n-step returns
};

struct Loss {
  at::Tensor value;   // [1]
  at::Tensor grad;    // as the estimates
  at::Tensor target;
  at::Tensor per_sample = {};  // [batch], of the distributional losses
};

// r + discount · (1 - d) · max_a next_q, [batch]. With next_q_online its best action is looked up in next_q (double Q-learning, van
// Hasselt et al. 2016).
at::Tensor dqn_target(const at::Tensor& next_q, const Outcomes& outcomes, const at::Tensor& next_q_online = {});

// u²/2 for |u| <= delta, else delta · (|u| - delta/2), of u = pred - target. The gradient is that of the mean or the sum; for `none`, whose value
// has the shape of pred, that of the sum.
enum class HuberReduction { mean, sum, none };
Loss huber_loss(const at::Tensor& pred, const at::Tensor& target, double delta = 1, HuberReduction reduction = HuberReduction::mean);

// One Huber loss for each of the last axis, and their mean: q, next_q [batch, actions, mixtures]. The maximum is taken after mixing. With one
// mixture of one head this is DQN. `chosen`, unless null, receives the estimates of the actions taken, [batch, mixtures].
Loss mixture_loss(const at::Tensor& q, const at::Tensor& next_q, const Outcomes& outcomes, at::Tensor* chosen = nullptr);

// REM: alpha [heads, mixtures] mixes the heads of all samples, online and target alike.
Loss rem_loss(const at::Tensor& q, const at::Tensor& next_q, const at::Tensor& alpha, const Outcomes& outcomes,
              at::Tensor* chosen = nullptr);

// Ensemble-DQN: every head has its own target with its own maximum, or, averaged, all have one from the heads' mean. The mean over batch and heads.
// target [batch, heads].
enum class EnsembleTarget { per_head, averaged };
Loss ensemble_loss(const at::Tensor& q, const at::Tensor& next_q, const Outcomes& outcomes, EnsembleTarget target);

// Quantile regression: Σ_i mean_j |τ_i - 1{u_ij < 0}| L_κ(u_ij), u_ij = target_j - θ_i, and the mean over the batch. No division by κ; κ = 0 is the
// plain quantile loss. quantiles [batch, actions, N], target [batch, N].
Loss quantile_huber_loss(const at::Tensor& quantiles, const at::Tensor& next_quantiles, const Outcomes& outcomes, double kappa = 1);

// Mass `weights` at `support`, both [batch, M], onto the equally spaced target_support [N]: clipped to its range and split over the two
// neighbours. [batch, N].
at::Tensor project_distribution(const at::Tensor& support, const at::Tensor& weights, const at::Tensor& target_support);

// The cross-entropy of the projected target distribution. logits [batch, actions, atoms] over atoms from v_min to v_max.
struct Atoms {
  double v_min = -10, v_max = 10;
};
Loss categorical_loss(const at::Tensor& logits, const at::Tensor& next_logits, const Outcomes& outcomes, const Atoms& atoms = {});

// The expectation of each action, [batch, actions].
at::Tensor expected_values(const at::Tensor& logits, const Atoms& atoms = {});

// The best action of the heads' mean, i64 [batch]; the first of equals.
at::Tensor greedy_action(const at::Tensor& q);

}  // namespace zoo::offline_rl
