#include <libzoo/core/error.h>
#include <libzoo/io/tensor.h>
#include <libzoo/nn/initialisers.h>
#include <libzoo/offline_rl/actor_critic.h>
#include <libzoo/offline_rl/continuous_losses.h>
#include <libzoo/offline_rl/simplex.h>
#include <libzoo/offline_rl/state_parts.h>
#include <libzoo/train/module_state.h>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

namespace zoo::offline_rl {
namespace {

std::map<std::string, at::Tensor> named(const torch::nn::Module& module) {
  std::map<std::string, at::Tensor> result;
  for (const auto& entry : module.named_parameters()) result.emplace(entry.key(), entry.value().detach());
  return result;
}

torch::OrderedDict<std::string, at::Tensor> parameters_of(const torch::nn::Module& module, bool actor) {
  torch::OrderedDict<std::string, at::Tensor> result;
  for (const auto& entry : module.named_parameters())
    if (entry.key().starts_with("actor") == actor) result.insert(entry.key(), entry.value());
  return result;
}

}  // namespace

MultiLayer::MultiLayer(const Shape& shape, uint64_t seed, uint32_t id) : join_(shape.join) {
  int64_t inputs = shape.inputs;
  for (size_t i = 0; i <= shape.hidden.size(); ++i) {
    if (int64_t(i) == shape.join) inputs += shape.joined;
    const int64_t outputs = i < shape.hidden.size() ? shape.hidden[i] : shape.outputs;
    auto weight = at::empty({outputs, inputs}), bias = at::empty({outputs});
    const double limit = 1 / std::sqrt(double(inputs));
    nn::uniform(weight, limit, seed, id + uint32_t(2 * i));
    nn::uniform(bias, limit, seed, id + uint32_t(2 * i + 1));
    const auto layer = register_module(fmt::format("fc{}", i + 1), std::make_shared<torch::nn::Module>());
    weights_.push_back(layer->register_parameter("weight", weight));
    biases_.push_back(layer->register_parameter("bias", bias));
    inputs = outputs;
  }
}

at::Tensor MultiLayer::forward(const at::Tensor& x, const at::Tensor& joined) const {
  auto y = x;
  for (size_t i = 0; i < weights_.size(); ++i) {
    if (joined.defined() && int64_t(i) == join_) y = at::cat({y, joined}, 1);
    y = at::linear(y, weights_[i], biases_[i]);
    if (i + 1 < weights_.size()) y = y.relu();
  }
  return y;
}

at::Tensor ActorCritic::Networks::q(const at::Tensor& state, const at::Tensor& action) const {
  std::vector<at::Tensor> values;
  for (const auto& critic : critics) values.push_back(critic->forward(state, action));
  return at::cat(values, 1);
}

std::shared_ptr<ActorCritic::Networks> ActorCritic::make_networks() const {
  auto networks = std::make_shared<Networks>();
  uint32_t id = 0;
  const auto next_id = [&] { return std::exchange(id, id + 100); };
  networks->actor = networks->register_module(
      "actor",
      std::make_shared<MultiLayer>(MultiLayer::Shape{.inputs = task_.state_size, .outputs = task_.action_size, .hidden = options_.hidden},
                                   seed_, next_id()));
  const int64_t count = options_.kind == ActorCriticKind::rem_td3 ? options_.critics : options_.kind == ActorCriticKind::ddpg ? 1 : 2;
  for (int64_t k = 0; k < count; ++k)
    networks->critics.push_back(networks->register_module(
        fmt::format("critic{}", k + 1), std::make_shared<MultiLayer>(MultiLayer::Shape{.inputs = task_.state_size,
                                                                                       .joined = task_.action_size,
                                                                                       .outputs = 1,
                                                                                       .hidden = options_.hidden,
                                                                                       .join = options_.late_action ? 1 : 0},
                                                                     seed_, next_id())));
  networks->to(device_);
  return networks;
}

ActorCritic::ActorCritic(const ActorCriticOptions& options, const ControlTask& task, uint64_t seed, at::Device device)
    : options_(options), task_(task), seed_(seed), device_(device), online_(make_networks()), target_(make_networks()) {
  for (auto& parameter : target_->parameters()) parameter.set_requires_grad(false);
  actor_adam_ = std::make_unique<optim::Adam>(parameters_of(*online_, true), optim::AdamOptions{});
  critic_adam_ =
      std::make_unique<optim::Adam>(parameters_of(*online_, false), optim::AdamOptions{.weight_decay = options_.critic_weight_decay});
}

at::Tensor ActorCritic::policy(const Networks& networks, const at::Tensor& state) const {
  return networks.actor->forward(state).tanh() * task_.max_action;
}

at::Tensor ActorCritic::act(const at::Tensor& state) const {
  const at::NoGradGuard no_grad;
  return policy(*online_, state.to(device_)).cpu();
}

ActorCritic::Losses ActorCritic::update(const ControlBatch& batch) {
  RandomStream random({.seed = seed_, .epoch = uint32_t(updates_ >> 32), .id = uint32_t(updates_), .copy = 2});
  auto noise = at::empty(batch.action.sizes(), at::kFloat);
  float* to = noise.data_ptr<float>();
  for (int64_t i = 0; i < noise.numel(); i += 2) {
    const auto pair = random.normal_pair();
    to[i] = float(pair[0]);
    if (i + 1 < noise.numel()) to[i + 1] = float(pair[1]);
  }
  at::Tensor alpha;
  if (options_.kind == ActorCriticKind::rem_td3) alpha = draw_simplex(options_.critics, 1, random).flatten().to(device_);
  return update(batch, noise.to(device_), alpha);
}

ActorCritic::Losses ActorCritic::update(const ControlBatch& batch, const at::Tensor& noise, const at::Tensor& alpha) {
  const auto& o = options_;
  const bool ddpg = o.kind == ActorCriticKind::ddpg;
  ++updates_;
  at::Tensor next_q;
  {
    const at::NoGradGuard no_grad;
    auto next_action = policy(*target_, batch.next_state);
    if (!ddpg)
      next_action = smoothed_action(
          next_action, noise,
          {.deviation = o.policy_noise * task_.max_action, .clip = o.noise_clip * task_.max_action, .max_action = task_.max_action});
    next_q = target_->q(batch.next_state, next_action);
  }
  Losses losses;
  critic_adam_->zero_grad();
  const auto q = online_->q(batch.state, batch.action);
  CriticLoss critic;
  if (o.kind == ActorCriticKind::td3 || o.kind == ActorCriticKind::td3_bc) {
    critic = td3_critic_loss(q.detach().select(1, 0), q.detach().select(1, 1), next_q.select(1, 0), next_q.select(1, 1), batch.reward,
                             batch.terminal, o.gamma);
    critic.grads = {at::stack(critic.grads, 1)};
  } else {
    const auto mixture = ddpg ? at::ones({1}, q.options().requires_grad(false)) : alpha;
    critic = mixed_critic_loss(q.detach(), next_q, mixture, batch.reward, batch.terminal, o.gamma);
  }
  q.backward(critic.grads[0]);
  critic_adam_->step(o.critic_rate);
  losses.critic = critic.value;
  if (!ddpg && updates_ % o.policy_every != 0) return losses;

  const auto action = policy(*online_, batch.state);
  at::Tensor value;
  if (o.kind == ActorCriticKind::rem_td3)
    value = online_->q(batch.state, action);
  else
    value = online_->critics[0]->forward(batch.state, action);
  const bool cloning = o.kind == ActorCriticKind::td3_bc;
  const auto actor = actor_loss(value.detach(), action.detach(), batch.action, cloning ? std::optional(o.bc_alpha) : std::nullopt);
  actor_adam_->zero_grad();
  std::vector<at::Tensor> outputs = {value}, grads = {actor.grad_q};
  if (cloning) outputs.push_back(action), grads.push_back(actor.grad_policy_action);
  torch::autograd::backward(outputs, grads);  // what reaches the critics is dropped before their next step
  actor_adam_->step(o.actor_rate);
  follow();
  losses.actor = actor.value;
  return losses;
}

void ActorCritic::follow() {
  const at::NoGradGuard no_grad;
  const auto online = online_->parameters(), target = target_->parameters();
  for (size_t i = 0; i < online.size(); ++i) target[i].mul_(1 - options_.tau).add_(online[i], options_.tau);
}

std::map<std::string, at::Tensor> ActorCritic::weights() const { return named(*online_); }
std::map<std::string, at::Tensor> ActorCritic::target_weights() const { return named(*target_); }

void ActorCritic::load(const std::map<std::string, at::Tensor>& weights) {
  const at::NoGradGuard no_grad;
  const auto online = this->weights(), target = target_weights();
  std::vector<std::string> complaints;
  for (const auto& [name, parameter] : online) {
    const auto found = weights.find(name);
    if (found == weights.end())
      complaints.push_back(name + " is missing");
    else if (found->second.sizes() != parameter.sizes())
      complaints.push_back(
          fmt::format("{} is {} and must be {}", name, fmt::join(found->second.sizes(), "x"), fmt::join(parameter.sizes(), "x")));
  }
  for (const auto& entry : weights)
    if (!online.contains(entry.first)) complaints.push_back(entry.first + " is not one of this agent's");
  if (!complaints.empty()) throw UserError(fmt::format("the weights do not fit the agent: {}", fmt::join(complaints, "; ")));
  for (const auto& [name, value] : weights) {
    online.at(name).copy_(value);
    target.at(name).copy_(value);
  }
}

State ActorCritic::state() const {
  State state;
  put_part(state, "online", train::module_state(*online_));
  put_part(state, "target", train::module_state(*target_));
  put_part(state, "actor_adam", actor_adam_->state());
  put_part(state, "critic_adam", critic_adam_->state());
  state.values["updates"] = updates_;
  return state;
}

void ActorCritic::restore(const State& state) {
  train::restore_module(*online_, part_of(state, "online"), "actor and critics");
  train::restore_module(*target_, part_of(state, "target"), "targets");
  actor_adam_->restore(part_of(state, "actor_adam"));
  critic_adam_->restore(part_of(state, "critic_adam"));
  updates_ = state.values.at("updates").get<int64_t>();
}

}  // namespace zoo::offline_rl
