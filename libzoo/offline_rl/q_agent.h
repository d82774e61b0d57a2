// Agents that value discrete actions: DQN, its ensembles, REM, QR-DQN and C51, learning from batches of transitions.
//
//   QAgent agent({.kind = AgentKind::rem, .network = NetworkKind::minatar}, {.state = {10, 10, 4}, .actions = 6}, seed);
//   auto loss = agent.update(batch);
//   auto actions = agent.act(states);   // greedy, i64 [batch]
#pragma once

#include <libzoo/core/options.h>
#include <libzoo/core/state.h>
#include <libzoo/offline_rl/losses.h>
#include <libzoo/offline_rl/replay_log.h>
#include <libzoo/offline_rl/trunk.h>
#include <libzoo/optim/optimizer.h>

#include <c10/core/Device.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace zoo::offline_rl {

enum class AgentKind { dqn, dqn_adam, ensemble_dqn, averaged_ensemble_dqn, rem, rem_multi_network, bootstrapped_dqn, qr_dqn, c51 };
constexpr auto enum_names(AgentKind) {
  return EnumNames<AgentKind, 9>{{{AgentKind::dqn, "dqn"},
                                  {AgentKind::dqn_adam, "dqn_adam"},
                                  {AgentKind::ensemble_dqn, "ensemble_dqn"},
                                  {AgentKind::averaged_ensemble_dqn, "averaged_ensemble_dqn"},
                                  {AgentKind::rem, "rem"},
                                  {AgentKind::rem_multi_network, "rem_multi_network"},
                                  {AgentKind::bootstrapped_dqn, "bootstrapped_dqn"},
                                  {AgentKind::qr_dqn, "qr_dqn"},
                                  {AgentKind::c51, "c51"}}};
}

enum class NetworkKind { nature, minatar };
constexpr auto enum_names(NetworkKind) {
  return EnumNames<NetworkKind, 2>{{{NetworkKind::nature, "nature"}, {NetworkKind::minatar, "minatar"}}};
}

enum class OptimizerKind { adam, rms_prop };
constexpr auto enum_names(OptimizerKind) {
  return EnumNames<OptimizerKind, 2>{{{OptimizerKind::adam, "adam"}, {OptimizerKind::rms_prop, "rms_prop"}}};
}
enum class OptimizerForm { tensorflow, torch };
constexpr auto enum_names(OptimizerForm) {
  return EnumNames<OptimizerForm, 2>{{{OptimizerForm::tensorflow, "tensorflow"}, {OptimizerForm::torch, "torch"}}};
}

struct AgentOptimizerOptions {
  std::optional<OptimizerKind> kind;
  OptimizerForm form = OptimizerForm::tensorflow;
  std::optional<double> rate, eps;
  double decay = 0.95, momentum = 0;
  bool centered = true;
};

template <class Field>
void fields(Field& field, AgentOptimizerOptions& o) {
  field("kind", o.kind, "unset: rms_prop for dqn, adam for the others");
  field("form", o.form, "tensorflow: epsilon as TensorFlow 1 adds it, as the papers' agents were trained; torch: as PyTorch does");
  field("rate", o.rate, "learning rate; unset: 2.5e-4 for dqn and c51, 5e-5 for the others", positive());
  field("eps", o.eps,
        "unset: 1e-5 for rms_prop; for adam 3.125e-4, for separate networks a tenth of it. The mean over K heads makes gradients K times "
        "smaller: "
        "where rewards are rare divide by about K",
        non_negative());
  field("decay", o.decay, "of rms_prop's averages", between(0.0, 1.0));
  field("momentum", o.momentum, "of rms_prop", between(0.0, 1.0));
  field("centered", o.centered, "rms_prop subtracts the mean gradient's square");
}

struct AgentOptions {
  static constexpr const char* kType = "values";

  AgentKind kind = AgentKind::rem;
  std::optional<NetworkKind> network;
  Padding padding = Padding::same;
  std::optional<int64_t> heads;
  int64_t mixtures = 1;
  double gamma = 0.99;
  int64_t n_step = 1;
  bool double_q = false;
  double kappa = 1;
  double v_min = -10, v_max = 10;
  int64_t target_every = 2000;
  AgentOptimizerOptions optimizer;
};

template <class Field>
void fields(Field& field, AgentOptions& o) {
  field("kind", o.kind,
        "dqn; dqn_adam; ensemble_dqn, averaged_ensemble_dqn, rem: heads on one body; rem_multi_network, bootstrapped_dqn: networks of "
        "their own; qr_dqn: "
        "quantiles; c51: a distribution over atoms");
  field("network", o.network,
        "nature: of DQN, for pictures; minatar: a small one, for planes of 10x10. Unset: by the size of the states, 32 and above being "
        "pictures");
  field("padding", o.padding, "of nature: same, as the papers' agents; valid, as most PyTorch ports");
  field("heads", o.heads, "heads, quantiles, atoms or networks; unset: 200 with nature and 20 with minatar, 51 atoms, 4 networks",
        at_least(1));
  field("mixtures", o.mixtures, "of rem: random mixtures per update", at_least(1));
  field("gamma", o.gamma, "discount of a step", between(0.0, 1.0));
  field("n_step", o.n_step, "rewards that are summed before a target is asked", at_least(1));
  field("double_q", o.double_q, "dqn and rem: the best next action by the learning network (double DQN)");
  field("kappa", o.kappa, "of qr_dqn: where its loss turns linear; 0: the plain quantile loss", non_negative());
  field("v_min", o.v_min, "of c51: its lowest atom");
  field("v_max", o.v_max, "of c51: its highest atom");
  field("target_every", o.target_every, "updates between two copies to the target network", at_least(1));
  field("optimizer", o.optimizer, "");
}

inline void check(const AgentOptions& o, Problems& problems) {
  if (!(o.v_max > o.v_min)) problems.add("v_max", "must be above v_min");
}

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
