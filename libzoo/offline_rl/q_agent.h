// Agents that value discrete actions: DQN, its ensembles, REM, QR-DQN and C51, learning from batches of transitions.
//
//   QAgent agent({.kind = AgentKind::rem, .network = NetworkKind::minatar}, {.state = {10, 10, 4}, .actions = 6}, seed);
//   auto loss = agent.update(batch);
//   auto actions = agent.act(states);   // greedy, i64 [batch]
#pragma once

#include <libzoo/core/state.h>
#include <libzoo/offline_rl/agent_options.h>
#include <libzoo/offline_rl/losses.h>
#include <libzoo/offline_rl/replay_log.h>
#include <libzoo/offline_rl/trunk.h>
#include <libzoo/optim/optimizer.h>

#include <c10/core/Device.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace zoo::offline_rl {

// What the log or the environment fixes.
struct PictureTask {
  std::vector<int64_t> state;  // height, width, channels (frames · channels of one)
  int64_t actions = 0;
};

// What "unset" stands for.
NetworkKind network_of(const AgentOptions& options, const PictureTask& task);
int64_t heads_of(const AgentOptions& options, const PictureTask& task);

class QAgent {
 public:
  QAgent(const AgentOptions& options, const PictureTask& task, uint64_t seed, at::Device device = at::kCPU);

  // One step of the optimiser; the target network follows every target_every updates. Returns the loss, [1]. The mixture is a function of (seed,
  // number of updates so far).
  at::Tensor update(const TransitionBatch& batch);
  // Towards the values of a policy that takes next_action, i64 [batch], in the next states, instead of the best (dqn_adam alone).
  at::Tensor update(const TransitionBatch& batch, const at::Tensor& next_action);

  // These may be called from several threads at once.
  // Greedy on the plain mean over heads, i64 [batch] on the CPU.
  at::Tensor act(const at::Tensor& state) const;
  // [batch, actions]: that mean, or expectations.
  at::Tensor action_values(const at::Tensor& state) const;
  // The same by a random mixture (rem_multi_network) or one of the networks (bootstrapped_dqn), drawn anew for each episode: their exploration. Others: as
  // action_values().
  at::Tensor exploring_values(const at::Tensor& state, int64_t episode) const;

  int64_t updates() const { return updates_; }
  const AgentOptions& options() const { return options_; }
  const PictureTask& task() const { return task_; }

  // Names as in QNetwork, with net1. … before them where there are several; PyTorch's layout.
  std::map<std::string, at::Tensor> weights() const;
  void load(const std::map<std::string, at::Tensor>& weights);  // into networks and targets

  State state() const;
  void restore(const State& state);

 private:
  struct Net {
    QNetwork network{nullptr};
    std::unique_ptr<Trunk> trunk;
    mutable at::Tensor features, weight;  // of the last layer, folded if there is a mixture: kept for the way back
  };
  using Nets = std::vector<Net>;
  Nets make_nets() const;
  // [batch, actions, n]: n heads, or mixtures of them by alpha [heads, n].
  at::Tensor estimates(const Nets& nets, const at::Tensor& state, const at::Tensor& alpha, bool keep) const;
  void backward(const Nets& nets, const at::Tensor& grad, const at::Tensor& alpha) const;
  void copy_to_target();
  at::Tensor mean_mixture() const;

  AgentOptions options_;
  PictureTask task_;
  int64_t heads_;
  uint64_t seed_;
  at::Device device_;
  Nets online_, target_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  double rate_;
  int64_t updates_ = 0;
};

}  // namespace zoo::offline_rl
