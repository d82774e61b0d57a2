// Agents for continuous actions: TD3, TD3+BC, DDPG, and REM over critics, behind one set of options.
//
//   ActorCritic agent({.kind = ActorCriticKind::td3_bc}, {.state_size = 3, .action_size = 1, .max_action = 2}, seed);
//   agent.update(batch);
//   auto action = agent.act(state);   // f32 [batch, action_size], without noise
//
// Sources: sfujim/TD3 and sfujim/TD3_BC; Lillicrap et al. 2016 (arXiv 1509.02971) for DDPG. rem_td3 is this library's: K critics, of which every update
// mixes all by one random convex combination, and an actor that climbs their mean.
#pragma once

#include <libzoo/core/options.h>
#include <libzoo/core/random.h>
#include <libzoo/core/state.h>
#include <libzoo/optim/adam.h>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace zoo::offline_rl {

enum class ActorCriticKind { td3, td3_bc, ddpg, rem_td3 };
constexpr auto enum_names(ActorCriticKind) {
  return EnumNames<ActorCriticKind, 4>{{{ActorCriticKind::td3, "td3"},
                                        {ActorCriticKind::td3_bc, "td3_bc"},
                                        {ActorCriticKind::ddpg, "ddpg"},
                                        {ActorCriticKind::rem_td3, "rem_td3"}}};
}

struct ActorCriticOptions {
  static constexpr const char* kType = "actor_critic";

  ActorCriticKind kind = ActorCriticKind::td3;
  std::vector<int64_t> hidden = {256, 256};
  bool late_action = false;
  int64_t critics = 4;
  double gamma = 0.99;
  double tau = 0.005;
  double policy_noise = 0.2, noise_clip = 0.5;
  int64_t policy_every = 2;
  double bc_alpha = 2.5;
  double actor_rate = 3e-4, critic_rate = 3e-4;
  double critic_weight_decay = 0;
};

template <class Field>
void fields(Field& field, ActorCriticOptions& o) {
  field("kind", o.kind,
        "td3; td3_bc: with a cloning term, for narrow logs; ddpg: one critic, no smoothing, every update moves all; rem_td3: random "
        "mixtures of several "
        "critics");
  field("hidden", o.hidden, "units of the hidden layers, of actor and critics", not_empty(), at_least(1));
  field("late_action", o.late_action, "the action joins a critic at its second layer, as in DDPG's paper");
  field("critics", o.critics, "of rem_td3", at_least(1));
  field("gamma", o.gamma, "discount of a step", between(0.0, 1.0));
  field("tau", o.tau, "share of the networks in their targets, at each update of these", between(0.0, 1.0));
  field("policy_noise", o.policy_noise, "deviation of the noise on target actions, in largest actions", non_negative());
  field("noise_clip", o.noise_clip, "its bound, in largest actions", non_negative());
  field("policy_every", o.policy_every, "updates of the critics for one of the actor and the targets", at_least(1));
  field("bc_alpha", o.bc_alpha, "of td3_bc: weight of the critic against cloning", positive());
  field("actor_rate", o.actor_rate, "learning rate of Adam", positive());
  field("critic_rate", o.critic_rate, "the same for the critics", positive());
  field("critic_weight_decay", o.critic_weight_decay, "L2", non_negative());
}

// What the task fixes.
struct ControlTask {
  int64_t state_size = 0, action_size = 0;
  double max_action = 1;
};

// f32 [batch, …]; terminal u8: 0 where a time limit ended the episode.
struct ControlBatch {
  at::Tensor state, action, reward, next_state, terminal;
};

// Dense layers fc1 … fcN with ReLU between; a second input joins the first at layer `join` (0: the first).
class MultiLayer : public torch::nn::Module {
 public:
  struct Shape {
    int64_t inputs, joined = 0, outputs;
    std::vector<int64_t> hidden;
    int64_t join = 0;
  };
  MultiLayer(const Shape& shape, uint64_t seed, uint32_t id);  // uniform(±1/sqrt(fan_in)), PyTorch's law
  at::Tensor forward(const at::Tensor& x, const at::Tensor& joined = {}) const;

 private:
  std::vector<at::Tensor> weights_, biases_;
  int64_t join_;
};

class ActorCritic {
 public:
  ActorCritic(const ActorCriticOptions& options, const ControlTask& task, uint64_t seed, at::Device device = at::kCPU);

  struct Losses {
    at::Tensor critic;  // [1]
    at::Tensor actor;  // [1]; undefined if the actor was not updated
  };
  // Noise and mixture are functions of (seed, number of updates so far).
  Losses update(const ControlBatch& batch);
  // With given noise from N(0, 1), as actions, and the critics' mixture [critics].
  Losses update(const ControlBatch& batch, const at::Tensor& noise, const at::Tensor& alpha = {});

  at::Tensor act(const at::Tensor& state) const;  // [batch, action_size], in ±max_action
  int64_t updates() const { return updates_; }

  // actor.…, critic1.…, and the same under target/: views.
  std::map<std::string, at::Tensor> weights() const;
  std::map<std::string, at::Tensor> target_weights() const;
  void load(const std::map<std::string, at::Tensor>& weights);  // into networks and targets. Throws UserError naming what does not fit

  State state() const;
  void restore(const State& state);

 private:
  struct Networks : torch::nn::Module {
    std::shared_ptr<MultiLayer> actor;
    std::vector<std::shared_ptr<MultiLayer>> critics;
    at::Tensor q(const at::Tensor& state, const at::Tensor& action) const;  // [batch, critics]
  };
  std::shared_ptr<Networks> make_networks() const;
  at::Tensor policy(const Networks& networks, const at::Tensor& state) const;
  void follow();

  ActorCriticOptions options_;
  ControlTask task_;
  uint64_t seed_;
  at::Device device_;
  std::shared_ptr<Networks> online_, target_;
  std::unique_ptr<optim::Adam> actor_adam_, critic_adam_;
  int64_t updates_ = 0;
};

}  // namespace zoo::offline_rl
