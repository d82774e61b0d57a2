// Agents for continuous actions: TD3, TD3+BC, DDPG, and REM over critics, behind one set of options.
//
//   ActorCritic agent({.kind = ActorCriticKind::td3_bc}, {.state_size = 3, .action_size = 1, .max_action = 2}, seed);
//   agent.update(batch);
//   auto action = agent.act(state);   // f32 [batch, action_size], without noise
//
// Sources: sfujim/TD3 and sfujim/TD3_BC; Lillicrap et al. 2016 (arXiv 1509.02971) for DDPG. rem_td3 is this library's: K critics, of which every update
// mixes all by one random convex combination, and an actor that climbs their mean.
#pragma once

#include <libzoo/core/random.h>
#include <libzoo/core/state.h>
#include <libzoo/offline_rl/agent_options.h>
#include <libzoo/optim/adam.h>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace zoo::offline_rl {

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
