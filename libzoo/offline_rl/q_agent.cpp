#include <libzoo/core/error.h>
#include <libzoo/offline_rl/q_agent.h>
#include <libzoo/offline_rl/simplex.h>
#include <libzoo/offline_rl/state_parts.h>
#include <libzoo/optim/adam.h>
#include <libzoo/optim/rms_prop.h>
#include <libzoo/train/module_state.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

#include <cmath>

namespace zoo::offline_rl {
namespace {

constexpr double kAtariEps = 0.01 / 32;

bool has_networks(AgentKind kind) { return kind == AgentKind::rem_multi_network || kind == AgentKind::bootstrapped_dqn; }
bool mixes(AgentKind kind) { return kind == AgentKind::rem || kind == AgentKind::rem_multi_network; }
bool is_dqn(AgentKind kind) { return kind == AgentKind::dqn || kind == AgentKind::dqn_adam; }

QNetworkOptions network_options(const AgentOptions& o, const PictureTask& task, int64_t heads) {
  const bool nature = network_of(o, task) == NetworkKind::nature;
  QNetworkOptions net =
      nature ? nature_network(task.actions, heads, task.state.at(2)) : minatar_network(task.state.at(2), task.actions, heads);
  net.input = task.state;
  if (nature) net.padding = o.padding;
  net.initial_weights = is_dqn(o.kind) || has_networks(o.kind) ? InitialWeights::glorot : InitialWeights::fan_in;
  return net;
}

struct OptimizerChoice {
  OptimizerKind kind;
  double rate, eps;
};
OptimizerChoice optimizer_of(const AgentOptions& o) {
  const auto kind = o.optimizer.kind.value_or(o.kind == AgentKind::dqn ? OptimizerKind::rms_prop : OptimizerKind::adam);
  const bool fast = o.kind == AgentKind::dqn || o.kind == AgentKind::c51;
  const double eps = kind == OptimizerKind::rms_prop ? 1e-5 : has_networks(o.kind) ? kAtariEps / 10 : kAtariEps;
  return {kind, o.optimizer.rate.value_or(fast ? 2.5e-4 : 5e-5), o.optimizer.eps.value_or(eps)};
}

std::string prefix_of(size_t net, size_t nets) { return nets == 1 ? "" : fmt::format("net{}.", net + 1); }

}  // namespace

NetworkKind network_of(const AgentOptions& o, const PictureTask& task) {
  return o.network.value_or(task.state.at(0) >= 32 ? NetworkKind::nature : NetworkKind::minatar);
}

int64_t heads_of(const AgentOptions& o, const PictureTask& task) {
  if (is_dqn(o.kind)) return 1;
  if (o.heads) return *o.heads;
  if (has_networks(o.kind)) return 4;
  if (o.kind == AgentKind::c51) return 51;
  return network_of(o, task) == NetworkKind::nature ? 200 : 20;
}

QAgent::Nets QAgent::make_nets() const {
  Nets nets;
  const bool several = has_networks(options_.kind);
  for (int64_t i = 0; i < (several ? heads_ : 1); ++i) {
    auto options = network_options(options_, task_, several ? 1 : heads_);
    options.seed = derive_seed(seed_, fmt::format("network {}", i));
    Net net;
    net.network = QNetwork(options);
    net.network->to(device_);
    net.trunk = std::make_unique<Trunk>(net.network);
    nets.push_back(std::move(net));
  }
  return nets;
}

QAgent::QAgent(const AgentOptions& options, const PictureTask& task, uint64_t seed, at::Device device)
    : options_(options),
      task_(task),
      heads_(heads_of(options, task)),
      seed_(seed),
      device_(device),
      online_(make_nets()),
      target_(make_nets()) {
  torch::OrderedDict<std::string, at::Tensor> parameters;
  for (size_t i = 0; i < online_.size(); ++i)
    for (const auto& entry : online_[i].network->named_parameters())
      parameters.insert(prefix_of(i, online_.size()) + entry.key(), entry.value());
  const auto choice = optimizer_of(options_);
  const auto& o = options_.optimizer;
  const bool tensorflow = o.form == OptimizerForm::tensorflow;
  rate_ = choice.rate;
  if (choice.kind == OptimizerKind::adam)
    optimizer_ = std::make_unique<optim::Adam>(parameters, optim::AdamOptions{.eps = choice.eps, .epsilon_hat = tensorflow});
  else
    optimizer_ = std::make_unique<optim::RmsProp>(
        parameters, optim::RmsPropOptions{.decay = o.decay,
                                          .momentum = o.momentum,
                                          .eps = choice.eps,
                                          .centered = o.centered,
                                          .form = tensorflow ? optim::RmsPropForm::tensorflow : optim::RmsPropForm::torch});
  copy_to_target();
}

// By linearity mixing the last layer's weights is mixing what it gives: with 200 heads a hundredth of the work.
at::Tensor QAgent::estimates(const Nets& nets, const at::Tensor& state, const at::Tensor& alpha, bool keep) const {
  const int64_t actions = task_.actions, batch = state.size(0);
  std::vector<at::Tensor> each;
  for (const auto& net : nets) {
    auto features = net.trunk->forward(state, keep);
    const at::NoGradGuard no_grad;
    at::Tensor weight = net.network->head_weight, bias = net.network->head_bias;
    if (nets.size() == 1 && alpha.defined()) {
      weight = mix_heads(weight, alpha);
      bias = mix_heads(bias, alpha);
    }
    each.push_back(at::addmm(bias, features, weight.t()).view({batch, actions, -1}));
    if (keep) net.features = std::move(features), net.weight = weight;
  }
  if (nets.size() == 1) return each[0];
  const auto all = at::cat(each, 2);
  return alpha.defined() ? all.matmul(alpha) : all;
}

void QAgent::backward(const Nets& nets, const at::Tensor& grad, const at::Tensor& alpha) const {
  const int64_t batch = grad.size(0);
  const at::NoGradGuard no_grad;
  const auto per_head = nets.size() > 1 && alpha.defined() ? grad.matmul(alpha.t()) : grad;
  for (size_t i = 0; i < nets.size(); ++i) {
    const Net& net = nets[i];
    const auto own = (nets.size() > 1 ? per_head.select(2, int64_t(i)) : per_head).reshape({batch, -1});
    auto weight = at::mm(own.t(), net.features), bias = own.sum(0);
    if (nets.size() == 1 && alpha.defined()) {
      weight = unmix_heads(weight, alpha);
      bias = unmix_heads(bias, alpha);
    }
    net.network->head_weight.mutable_grad() = weight;
    net.network->head_bias.mutable_grad() = bias;
    net.trunk->backward(at::mm(own, net.weight));
    net.features = at::Tensor();
  }
}

at::Tensor QAgent::mean_mixture() const { return at::full({heads_, 1}, 1.0 / double(heads_), at::TensorOptions(device_)); }

at::Tensor QAgent::update(const TransitionBatch& batch) { return update(batch, {}); }

at::Tensor QAgent::update(const TransitionBatch& given, const at::Tensor& next_action) {
  const auto to_device = [&](const at::Tensor& tensor) { return tensor.to(device_, /*non_blocking=*/true); };
  const TransitionBatch batch{to_device(given.state), to_device(given.action), to_device(given.reward), to_device(given.next_state),
                              to_device(given.terminal)};
  const Outcomes outcomes{batch.action, batch.reward, batch.terminal, std::pow(options_.gamma, double(options_.n_step))};
  RandomStream random({.seed = seed_, .epoch = uint32_t(updates_ >> 32), .id = uint32_t(updates_), .copy = 3});
  at::Tensor alpha;
  if (mixes(options_.kind)) alpha = draw_simplex(heads_, options_.mixtures, random).to(device_);
  optimizer_->zero_grad();
  auto next = estimates(target_, batch.next_state, alpha, false);
  if (next_action.defined())
    next = next.gather(1, next_action.to(device_).view({-1, 1, 1}).expand({-1, 1, next.size(2)}));
  else if (options_.double_q && (is_dqn(options_.kind) || mixes(options_.kind)))
    next = next.gather(1, estimates(online_, batch.next_state, alpha, false).argmax(1, true));
  const auto q = estimates(online_, batch.state, alpha, true);
  const Loss loss = [&] {
    const at::NoGradGuard no_grad;
    switch (options_.kind) {
      case AgentKind::ensemble_dqn:
      case AgentKind::bootstrapped_dqn: return ensemble_loss(q, next, outcomes, EnsembleTarget::per_head);
      case AgentKind::averaged_ensemble_dqn: return ensemble_loss(q, next, outcomes, EnsembleTarget::averaged);
      case AgentKind::qr_dqn: return quantile_huber_loss(q, next, outcomes, options_.kappa);
      case AgentKind::c51: return categorical_loss(q, next, outcomes, {options_.v_min, options_.v_max});
      default: return mixture_loss(q, next, outcomes);
    }
  }();
  backward(online_, loss.grad, alpha);
  optimizer_->step(rate_);
  if (++updates_ % options_.target_every == 0) copy_to_target();
  return loss.value;
}

at::Tensor QAgent::action_values(const at::Tensor& state) const {
  const at::NoGradGuard no_grad;
  if (options_.kind == AgentKind::c51)
    return expected_values(estimates(online_, state.to(device_), {}, false), {options_.v_min, options_.v_max});
  return estimates(online_, state.to(device_), mean_mixture(), false).squeeze(2);
}

at::Tensor QAgent::exploring_values(const at::Tensor& state, int64_t episode) const {
  if (!has_networks(options_.kind)) return action_values(state);
  const at::NoGradGuard no_grad;
  RandomStream random({.seed = seed_, .id = uint32_t(episode), .copy = 4});
  at::Tensor alpha = at::zeros({heads_, 1});
  if (options_.kind == AgentKind::rem_multi_network)
    alpha = draw_simplex(heads_, 1, random);
  else
    alpha[int64_t(random.below(uint64_t(heads_)))] = 1;
  return estimates(online_, state.to(device_), alpha.to(device_), false).squeeze(2);
}

at::Tensor QAgent::act(const at::Tensor& state) const { return action_values(state).argmax(1).cpu(); }

void QAgent::copy_to_target() {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < online_.size(); ++i) {
    const auto from = online_[i].network->parameters(), to = target_[i].network->parameters();
    for (size_t p = 0; p < from.size(); ++p) to[p].copy_(from[p]);
  }
}

std::map<std::string, at::Tensor> QAgent::weights() const {
  std::map<std::string, at::Tensor> result;
  for (size_t i = 0; i < online_.size(); ++i)
    for (auto& [name, tensor] : torch_weights(*online_[i].network)) result.emplace(prefix_of(i, online_.size()) + name, tensor);
  return result;
}

void QAgent::load(const std::map<std::string, at::Tensor>& weights) {
  for (size_t i = 0; i < online_.size(); ++i) {
    const std::string prefix = prefix_of(i, online_.size());
    std::map<std::string, at::Tensor> own;
    for (const auto& [name, tensor] : weights)
      if (name.starts_with(prefix)) own.emplace(name.substr(prefix.size()), tensor);
    load_weights(*online_[i].network, own);
  }
  copy_to_target();
}

State QAgent::state() const {
  State state;
  for (size_t i = 0; i < online_.size(); ++i) {
    put_part(state, fmt::format("online{}", i + 1), train::module_state(*online_[i].network));
    put_part(state, fmt::format("target{}", i + 1), train::module_state(*target_[i].network));
  }
  put_part(state, "optimizer", optimizer_->state());
  state.values["updates"] = updates_;
  return state;
}

void QAgent::restore(const State& state) {
  for (size_t i = 0; i < online_.size(); ++i) {
    train::restore_module(*online_[i].network, part_of(state, fmt::format("online{}", i + 1)), "agent");
    train::restore_module(*target_[i].network, part_of(state, fmt::format("target{}", i + 1)), "target");
  }
  optimizer_->restore(part_of(state, "optimizer"));
  updates_ = state.values.at("updates").get<int64_t>();
}

}  // namespace zoo::offline_rl
