#include <libzoo/offline_rl/continuous_losses.h>

#include <ATen/ATen.h>

namespace zoo::offline_rl {
namespace {

at::Tensor backed_up(const at::Tensor& next, const at::Tensor& reward, const at::Tensor& terminal, double gamma) {
  return reward + gamma * (1 - terminal.to(next.scalar_type())) * next;
}

}  // namespace

at::Tensor smoothed_action(const at::Tensor& policy_action, const at::Tensor& noise, const TargetNoise& o) {
  return (policy_action + (noise * o.deviation).clamp(-o.clip, o.clip)).clamp(-o.max_action, o.max_action);
}

CriticLoss td3_critic_loss(const at::Tensor& q1, const at::Tensor& q2, const at::Tensor& next_q1, const at::Tensor& next_q2,
                           const at::Tensor& reward, const at::Tensor& terminal, double gamma) {
  const auto target = backed_up(at::minimum(next_q1, next_q2), reward, terminal, gamma);
  const auto u1 = q1 - target, u2 = q2 - target;
  const double scale = 2.0 / double(q1.numel());
  CriticLoss loss;
  loss.target = target;
  loss.value = (u1.square().mean() + u2.square().mean()).view({1});
  loss.grads = {u1 * scale, u2 * scale};
  return loss;
}

CriticLoss mixed_critic_loss(const at::Tensor& q, const at::Tensor& next_q, const at::Tensor& alpha, const at::Tensor& reward,
                             const at::Tensor& terminal, double gamma) {
  const auto target = backed_up(next_q.matmul(alpha), reward, terminal, gamma);
  const auto u = q.matmul(alpha) - target;
  CriticLoss loss;
  loss.target = target;
  loss.value = u.square().mean().view({1});
  loss.grads = {(u * (2.0 / double(u.numel()))).unsqueeze(1) * alpha.unsqueeze(0)};
  return loss;
}

ActorLoss actor_loss(const at::Tensor& q, const at::Tensor& policy_action, const at::Tensor& action, std::optional<double> bc_alpha) {
  ActorLoss loss;
  const double n = double(q.numel());
  if (!bc_alpha) {
    loss.value = -q.mean().view({1});
    loss.grad_q = at::full_like(q, -1 / n);
    if (policy_action.defined()) loss.grad_policy_action = at::zeros_like(policy_action);
    return loss;
  }
  const auto lambda = *bc_alpha / q.abs().mean();
  const auto apart = policy_action - action;
  loss.value = (apart.square().mean() - lambda * q.mean()).view({1});
  loss.grad_q = (-lambda / n).expand_as(q);
  loss.grad_policy_action = apart * (2.0 / double(apart.numel()));
  return loss;
}

}  // namespace zoo::offline_rl
