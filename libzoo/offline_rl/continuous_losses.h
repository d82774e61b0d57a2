// The targets and losses of TD3 (Fujimoto et al. 2018, arXiv 1802.09477), TD3+BC (Fujimoto and Gu 2021, arXiv 2106.06860), and of REM for
// continuous actions, each with its gradients; there is none through targets.
// q, reward f32, terminal u8 or bool [batch]; actions [batch, dimensions]. A step that the time limit ended is not terminal.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

namespace zoo::offline_rl {

// In units of the actions, that is, multiplied by max_action.
struct TargetNoise {
  double deviation = 0.2, clip = 0.5;
  double max_action = 1;
};

// clamp(policy_action + clamp(noise · deviation, ±clip), ±max_action); noise from N(0, 1).
at::Tensor smoothed_action(const at::Tensor& policy_action, const at::Tensor& noise, const TargetNoise& options);

struct CriticLoss {
  at::Tensor target;              // [batch]
  at::Tensor value;               // [1]
  std::vector<at::Tensor> grads;  // as the estimates that were given
};

// Two critics: r + gamma · (1 - d) · min(next_q1, next_q2), and the sum of two mean squared errors.
CriticLoss td3_critic_loss(const at::Tensor& q1, const at::Tensor& q2, const at::Tensor& next_q1, const at::Tensor& next_q2,
                           const at::Tensor& reward, const at::Tensor& terminal, double gamma);

// K critics q, next_q [batch, K], mixed by one alpha [K] on both sides: the mean of (target - Σ α_k q_k)². With K = 1 it is DDPG's.
CriticLoss mixed_critic_loss(const at::Tensor& q, const at::Tensor& next_q, const at::Tensor& alpha, const at::Tensor& reward,
                             const at::Tensor& terminal, double gamma);

struct ActorLoss {
  at::Tensor value;               // [1]
  at::Tensor grad_q;              // as q
  at::Tensor grad_policy_action;  // of the cloning term alone
};

// -mean q, over batch and, if there are several, critics. With bc_alpha (TD3+BC): -λ mean q + mean (policy_action - action)², λ = bc_alpha / mean |q|
// without a gradient.
ActorLoss actor_loss(const at::Tensor& q, const at::Tensor& policy_action = {}, const at::Tensor& action = {},
                     std::optional<double> bc_alpha = {});

}  // namespace zoo::offline_rl
