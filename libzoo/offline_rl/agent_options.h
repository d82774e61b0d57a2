// Options of agents: those that value discrete actions, and actors with critics for continuous ones.
#pragma once

#include <libzoo/core/options.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace zoo::offline_rl {

// same: ⌈n / stride⌉ outputs, the odd zero on the right and below, as TensorFlow pads (Dopamine). valid: none, as the network of Mnih et al.
// 2015 and most PyTorch ports have it.
enum class Padding { same, valid };
constexpr auto enum_names(Padding) { return EnumNames<Padding, 2>{{{Padding::same, "same"}, {Padding::valid, "valid"}}}; }

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

using AgentChoice = std::variant<AgentOptions, ActorCriticOptions>;

}  // namespace zoo::offline_rl
