#include <libzoo/offline_rl/losses.h>

#include <ATen/ATen.h>

namespace zoo::offline_rl {
namespace {

// r + discount · (1 - d) · next, next [batch, …].
at::Tensor backed_up(const Outcomes& o, const at::Tensor& next) {
  auto goes_on = (1 - o.terminal.to(next.scalar_type())) * o.discount;
  auto reward = o.reward.to(next.scalar_type());
  if (next.dim() == 2) goes_on = goes_on.unsqueeze(1), reward = reward.unsqueeze(1);
  return at::addcmul(reward, goes_on, next);
}

// [batch, 1, n] of [batch, actions, n].
at::Tensor action_index(const at::Tensor& action, const at::Tensor& q) { return action.view({-1, 1, 1}).expand({-1, 1, q.size(2)}); }

// q[b, action[b], :]: [batch, n].
at::Tensor of_action(const at::Tensor& q, const at::Tensor& action) { return q.gather(1, action_index(action, q)).squeeze(1); }

// The gradient [batch, n] of the chosen actions among zeros for the others.
at::Tensor among_actions(const at::Tensor& grad, const at::Tensor& action, const at::Tensor& q) {
  return at::zeros_like(q, at::MemoryFormat::Contiguous).scatter_(1, action_index(action, q), grad.unsqueeze(1));
}

at::Tensor huber(const at::Tensor& u, double delta) {
  // With v = clamp(u): v · (u - v/2) is u²/2 inside and delta · (|u| - delta/2) outside.
  const auto v = u.clamp(-delta, delta);
  return v * (u - v / 2);
}

}  // namespace

at::Tensor dqn_target(const at::Tensor& next_q, const Outcomes& outcomes, const at::Tensor& next_q_online) {
  if (next_q_online.defined()) return backed_up(outcomes, next_q.gather(1, next_q_online.argmax(1, true)).squeeze(1));
  return backed_up(outcomes, next_q.amax(1));
}

Loss huber_loss(const at::Tensor& pred, const at::Tensor& target, double delta, HuberReduction reduction) {
  const auto u = pred - target;
  const auto each = huber(u, delta), slope = u.clamp(-delta, delta);
  switch (reduction) {
    case HuberReduction::mean: return {each.mean().view({1}), slope / double(u.numel()), target};
    case HuberReduction::sum: return {each.sum().view({1}), slope, target};
    default: return {each, slope, target};
  }
}

Loss mixture_loss(const at::Tensor& q, const at::Tensor& next_q, const Outcomes& outcomes, at::Tensor* chosen) {
  const auto estimate = of_action(q, outcomes.action);
  if (chosen) *chosen = estimate;
  auto loss = offline_rl::huber_loss(estimate, backed_up(outcomes, next_q.amax(1)));
  loss.grad = among_actions(loss.grad, outcomes.action, q);
  return loss;
}

Loss rem_loss(const at::Tensor& q, const at::Tensor& next_q, const at::Tensor& alpha, const Outcomes& outcomes, at::Tensor* chosen) {
  auto loss = mixture_loss(q.matmul(alpha), next_q.matmul(alpha), outcomes, chosen);
  loss.grad = loss.grad.matmul(alpha.t());
  return loss;
}

Loss ensemble_loss(const at::Tensor& q, const at::Tensor& next_q, const Outcomes& outcomes, EnsembleTarget target) {
  auto best = target == EnsembleTarget::per_head ? next_q.amax(1) : next_q.mean(2, true).amax(1).expand({-1, q.size(2)});
  auto loss = offline_rl::huber_loss(of_action(q, outcomes.action), backed_up(outcomes, best));
  loss.grad = among_actions(loss.grad, outcomes.action, q);
  return loss;
}

Loss quantile_huber_loss(const at::Tensor& quantiles, const at::Tensor& next_quantiles, const Outcomes& outcomes, double kappa) {
  const int64_t n = quantiles.size(2);
  const auto best = next_quantiles.mean(2).argmax(1);
  const auto target = backed_up(outcomes, of_action(next_quantiles, best));
  const auto estimate = of_action(quantiles, outcomes.action);
  const auto u = target.unsqueeze(1) - estimate.unsqueeze(2);  // [batch, i, j]
  const auto tau = (at::arange(n, u.options()) + 0.5) / double(n);
  const auto weight = (tau.view({1, n, 1}) - u.lt(0).to(u.scalar_type())).abs();
  const auto each = kappa > 0 ? huber(u, kappa) : u.abs(), slope = kappa > 0 ? u.clamp(-kappa, kappa) : u.sign();
  const auto per_sample = (weight * each).sum({1, 2}) / double(n);
  const auto grad = (weight * slope).sum(2) / (-double(n) * double(u.size(0)));
  return {per_sample.mean().view({1}), among_actions(grad, outcomes.action, quantiles), target, per_sample};
}

at::Tensor project_distribution(const at::Tensor& support, const at::Tensor& weights, const at::Tensor& target_support) {
  const int64_t n = target_support.size(0);
  const auto low = target_support[0], high = target_support[n - 1];
  const auto step = (high - low) / double(n - 1);
  const auto clipped = at::minimum(at::maximum(support, low), high);
  const auto distance = (clipped.unsqueeze(1) - target_support.view({1, n, 1})).abs() / step;  // [batch, N, M]
  return ((1 - distance).clamp(0, 1) * weights.unsqueeze(1)).sum(2);
}

at::Tensor expected_values(const at::Tensor& logits, const Atoms& atoms) {
  return logits.softmax(-1).matmul(at::linspace(atoms.v_min, atoms.v_max, logits.size(-1), logits.options()));
}

Loss categorical_loss(const at::Tensor& logits, const at::Tensor& next_logits, const Outcomes& outcomes, const Atoms& atoms) {
  const int64_t count = logits.size(2);
  const auto support = at::linspace(atoms.v_min, atoms.v_max, count, logits.options());
  const auto next = of_action(next_logits.softmax(2), expected_values(next_logits, atoms).argmax(1));
  const auto moved = backed_up(outcomes, support.unsqueeze(0).expand({logits.size(0), count}));
  const auto target = project_distribution(moved, next, support);
  const auto log_probability = of_action(logits, outcomes.action).log_softmax(1);
  const auto per_sample = -(target * log_probability).sum(1);
  // Σ target is 1 but for rounding; it is kept, so that the gradient is that of the value.
  const auto grad = (log_probability.exp() * target.sum(1, true) - target) / double(logits.size(0));
  return {per_sample.mean().view({1}), among_actions(grad, outcomes.action, logits), target, per_sample};
}

at::Tensor greedy_action(const at::Tensor& q) { return (q.dim() == 3 ? q.mean(2) : q).argmax(1); }

}  // namespace zoo::offline_rl
