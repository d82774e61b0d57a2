// Binds the reference cases offline_rl.* of agents, logs and statistics to the public API. One entry per op; no tolerance lives here.
#include "test/reference/case.h"

#include <libzoo/core/error.h>
#include <libzoo/core/json.h>
#include <libzoo/eval/interval.h>
#include <libzoo/eval/run_scores.h>
#include <libzoo/io/crc32c.h>
#include <libzoo/io/tensor.h>
#include <libzoo/offline_rl/actor_critic.h>
#include <libzoo/offline_rl/continuous_losses.h>
#include <libzoo/offline_rl/d4rl.h>
#include <libzoo/offline_rl/importance_sampling.h>
#include <libzoo/offline_rl/logged_buffer.h>
#include <libzoo/offline_rl/losses.h>
#include <libzoo/offline_rl/normalized_score.h>
#include <libzoo/offline_rl/q_network.h>
#include <libzoo/offline_rl/replay_shard.h>
#include <libzoo/offline_rl/rl_unplugged.h>
#include <libzoo/offline_rl/simplex.h>
#include <libzoo/optim/adam.h>
#include <libzoo/optim/rms_prop.h>

#include <ATen/ATen.h>

#include <cmath>

namespace zoo::reference {
namespace {

using namespace offline_rl;

Outcomes outcomes_of(const Case& c) {
  return {.action = c.has_input("action") ? c.input("action") : at::Tensor(),
          .reward = c.input("reward"),
          .terminal = c.input("terminal"),
          .discount = std::pow(c.number("gamma"), double(c.integer("n_step", 1)))};
}

std::vector<double> doubles(const Case& c, const char* name) {
  const auto values = c.array(name).span<double>();
  return {values.begin(), values.end()};
}

eval::RunScores scores_of(const Case& c, const char* name = "scores") {
  eval::RunScores scores;
  scores.runs = c.array(name).shape()[0], scores.tasks = c.array(name).shape()[1];
  scores.values = doubles(c, name);
  return scores;
}

void expect_loss(Case& c, const Loss& loss, const char* grad) {
  c.expect("loss", loss.value);
  c.expect(grad, loss.grad);
}

void op_dqn_target(Case& c) {
  c.expect("target", dqn_target(c.input("next_q"), outcomes_of(c), c.flag("double") ? c.input("next_q_online") : at::Tensor()));
}

void op_huber_loss(Case& c) {
  const auto reduction = c.text("reduction");
  expect_loss(c,
              offline_rl::huber_loss(c.input("pred"), c.input("target"), c.number("delta"),
                                     reduction == "mean"  ? HuberReduction::mean
                                     : reduction == "sum" ? HuberReduction::sum
                                                          : HuberReduction::none),
              "grad_pred");
}

void op_ensemble_loss(Case& c) {
  const auto loss = ensemble_loss(c.input("q"), c.input("next_q"), outcomes_of(c),
                                  c.text("target") == "per_head" ? EnsembleTarget::per_head : EnsembleTarget::averaged);
  expect_loss(c, loss, "grad_q");
  c.expect("target", loss.target);
}

void op_rem_loss(Case& c) {
  at::Tensor chosen;
  const auto loss = rem_loss(c.input("q"), c.input("next_q"), c.input("alpha"), outcomes_of(c), &chosen);
  expect_loss(c, loss, "grad_q");
  c.expect("target", loss.target);
  c.expect("chosen_q", chosen);
}

void op_simplex_moments(Case& c) {
  RandomStream random({.seed = 1});
  const int64_t heads = c.integer("heads"), samples = c.integer("samples");
  const auto alpha = draw_simplex(heads, samples, random).to(at::kDouble);
  const auto mean = alpha.mean(1, true), apart = alpha - mean;
  c.expect("mean", mean[0].item<double>());
  c.expect("variance", apart[0].square().mean().item<double>());
  c.expect("covariance", (apart[0] * apart[1]).mean().item<double>());
  c.expect("max_mean", alpha.amax(0).mean().item<double>());
}

void op_qr_loss(Case& c) {
  const auto loss = quantile_huber_loss(c.input("quantiles"), c.input("next_quantiles"), outcomes_of(c), c.number("kappa"));
  expect_loss(c, loss, "grad_quantiles");
  c.expect("target", loss.target);
  c.expect("loss_per_sample", loss.per_sample);
}

void op_c51_loss(Case& c) {
  const auto loss =
      categorical_loss(c.input("logits"), c.input("next_logits"), outcomes_of(c), {.v_min = c.number("v_min"), .v_max = c.number("v_max")});
  expect_loss(c, loss, "grad_logits");
  c.expect("target_distribution", loss.target);
  c.expect("loss_per_sample", loss.per_sample);
}

TargetNoise noise_options(const Case& c) {
  return {.deviation = c.number("policy_noise"), .clip = c.number("noise_clip"), .max_action = c.number("max_action")};
}

void op_td3_targets(Case& c) {
  const auto loss = td3_critic_loss(c.input("q1"), c.input("q2"), c.input("next_q1"), c.input("next_q2"), c.input("reward"),
                                    c.input("terminal"), c.number("gamma"));
  c.expect("target", loss.target);
  c.expect("critic_loss", loss.value);
  c.expect("grad_q1", loss.grads[0]);
  c.expect("grad_q2", loss.grads[1]);
}

std::optional<double> bc_alpha(const Case& c) { return c.has("bc_alpha") ? std::optional(c.number("bc_alpha")) : std::nullopt; }

void op_td3_actor_loss(Case& c) {
  const auto loss = actor_loss(c.input("q"), c.input("policy_action"), c.input("action"), bc_alpha(c));
  c.expect("loss", loss.value);
  c.expect("grad_q", loss.grad_q);
  c.expect("grad_policy_action", loss.grad_policy_action);
}

void op_rem_td3(Case& c) {
  const auto q = c.input("q");
  const auto critic = mixed_critic_loss(q, c.input("next_q"), c.input("alpha"), c.input("reward"), c.input("terminal"), c.number("gamma"));
  c.expect("target", critic.target);
  c.expect("critic_loss", critic.value);
  c.expect("grad_q", critic.grads[0]);
  const auto actor = actor_loss(q);
  c.expect("actor_loss", actor.value);
  c.expect("actor_grad_q", actor.grad_q);
}

void op_td3_update(Case& c) {
  const auto weights = c.weights();
  const auto first = weights.at("actor.fc1.weight"), last = weights.at("actor.fc3.weight");
  const double max_action = c.number("max_action");
  ActorCriticOptions options;
  options.kind = bc_alpha(c) ? ActorCriticKind::td3_bc : ActorCriticKind::td3;
  options.hidden = {first.size(0), last.size(1)};
  options.gamma = c.number("gamma"), options.tau = c.number("tau");
  options.policy_noise = c.number("policy_noise") / max_action, options.noise_clip = c.number("noise_clip") / max_action;
  options.policy_every = c.integer("policy_freq");
  options.bc_alpha = bc_alpha(c).value_or(options.bc_alpha);
  options.actor_rate = options.critic_rate = c.number("lr");
  ActorCritic agent(options, {.state_size = first.size(1), .action_size = last.size(0), .max_action = max_action}, 0);
  agent.load(weights);
  const auto state = c.input("state"), action = c.input("action"), next = c.input("next_state"), reward = c.input("reward"),
             terminal = c.input("terminal"), noise = c.input("noise");
  std::vector<at::Tensor> critic, actor;
  for (int64_t u = 0; u < state.size(0); ++u) {
    const auto losses = agent.update({state[u], action[u], reward[u], next[u], terminal[u]}, noise[u]);
    critic.push_back(losses.critic);
    if (losses.actor.defined()) actor.push_back(losses.actor);
  }
  c.expect("critic_loss", at::cat(critic));
  c.expect("actor_loss", at::cat(actor));
  for (const auto& [name, value] : agent.weights()) c.expect("weights/" + name, value);
  for (const auto& [name, value] : agent.target_weights()) c.expect("target_weights/" + name, value);
}

QNetworkOptions network_options(const Case& c) {
  QNetworkOptions o;
  o.filters = c.integers("filters"), o.kernels = c.integers("kernels"), o.strides = c.integers("strides");
  o.hidden = c.integer("hidden");
  o.actions = c.integer("actions"), o.heads = c.integer("heads");
  o.padding = c.text("padding") == "same" ? Padding::same : Padding::valid;
  return o;
}

void op_nature_dqn(Case& c) {
  const at::NoGradGuard no_grad;
  const auto state = c.input("state");
  auto options = network_options(c);
  options.input = {state.size(1), state.size(2), state.size(3)};
  options.input_scale = c.number("input_scale");
  QNetwork net(options);
  load_weights(*net, c.weights(), c.text("weights_layout") == "tf" ? WeightsLayout::tensorflow : WeightsLayout::torch);
  const auto q = net(state);
  c.expect("q", options.heads == 1 ? q.squeeze(2) : q);
}

void op_network_size(Case& c) {
  auto options = network_options(c);
  options.input = c.integers("input");
  const auto size = network_size(options);
  c.expect("parameters", size.parameters);
  c.expect("flat_features", size.flat_features);
  c.expect("init_limit", size.fan_in_limits);
}

// In double: the totals are small beside the parameters.
void optimizer_steps(Case& c, const std::function<std::unique_ptr<optim::Optimizer>(const at::Tensor&)>& make) {
  auto param = c.input("param").to(at::kDouble);
  const auto start = param.clone();
  const auto optimizer = make(param);
  std::vector<at::Tensor> after;
  for (const auto& grad : c.input("grads").to(at::kDouble).unbind()) {
    param.mutable_grad() = grad.contiguous();
    optimizer->step(c.number("lr"));
    after.push_back(param.clone());
  }
  c.expect("params", at::stack(after));
  c.expect("total_change", param - start);
}

void op_adam_steps(Case& c) {
  optimizer_steps(c, [&](const at::Tensor& param) {
    return std::make_unique<optim::Adam>(std::vector{param}, optim::AdamOptions{.beta1 = c.number("beta1"),
                                                                                .beta2 = c.number("beta2"),
                                                                                .eps = c.number("epsilon"),
                                                                                .epsilon_hat = c.text("mode") == "tf_epsilon_hat"});
  });
}

void op_rmsprop_steps(Case& c) {
  optimizer_steps(c, [&](const at::Tensor& param) {
    return std::make_unique<optim::RmsProp>(
        std::vector{param},
        optim::RmsPropOptions{.decay = c.number("decay"),
                              .momentum = c.number("momentum"),
                              .eps = c.number("epsilon"),
                              .centered = c.flag("centered"),
                              .form = c.text("mode") == "tf" ? optim::RmsPropForm::tensorflow : optim::RmsPropForm::torch});
  });
}

void op_logged_buffer(Case& c) {
  const int64_t capacity = c.integer("capacity"), stack = c.integer("stack_size"), horizon = c.integer("n_step");
  rl::ReplayOptions options;
  options.frame.shape = {1};
  options.capacity = capacity, options.stack = stack, options.n_step = horizon;
  options.legacy_2019 = true;
  rl::ReplayMemory memory(options);
  std::vector<int64_t> counts, ranges;
  const uint8_t frame = 0;
  for (int64_t length : c.array("episode_length").span<int64_t>())
    for (int64_t step = 0; step < length; ++step) {
      memory.add(&frame, 0, 0, step + 1 == length);
      if (!shard_is_due(memory)) continue;
      counts.push_back(memory.add_count());
      for (int64_t index : rl::invalid_range(memory.cursor(), capacity, stack, horizon)) ranges.push_back(index);
    }
  c.expect("file_add_count", counts);
  c.expect("file_invalid_range", at::tensor(ranges, at::kLong).view({std::ssize(counts), horizon + stack}));
  c.expect("final_add_count", memory.cursor());
}

io::Bytes bytes_of(const Array& array) { return {{reinterpret_cast<const uint8_t*>(array.data()), array.bytes()}, array.owner()}; }

void op_dqn_replay_shard(Case& c) {
  std::map<std::string, io::Bytes> files;
  for (const auto& name : c.input_names())
    if (name.starts_with("files/")) files.emplace(name.substr(6), bytes_of(c.array(name)));
  const auto shard = ShardReader(std::move(files), c.integer("suffix")).read();
  c.expect("observation", shard.observation);
  c.expect("action", shard.action);
  c.expect("reward", shard.reward);
  c.expect("terminal", shard.terminal);
  c.expect("add_count", shard.add_count);
  c.expect("invalid_range", shard.invalid_range);
}

void unplugged_episodes(Case& c, io::Compression compression) {
  UnpluggedEpisodes episodes(bytes_of(c.array("file")), "file", compression);
  std::vector<at::Tensor> observation;
  std::vector<int64_t> action, length, id, checkpoint;
  std::vector<float> reward, clipped, discount, earned, clipped_earned;
  std::vector<uint8_t> first, last, terminal;
  const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  while (const auto e = episodes.next()) {
    observation.push_back(io::to_tensor(e->observation));
    append(action, e->action);
    append(reward, e->reward), append(clipped, e->clipped_reward), append(discount, e->discount);
    for (int64_t t = 0; t < e->steps(); ++t) {
      const bool ends = t + 1 == e->steps();
      first.push_back(t == 0), last.push_back(ends), terminal.push_back(ends && e->terminal);
    }
    length.push_back(e->steps()), id.push_back(e->episode_id), checkpoint.push_back(e->checkpoint_id);
    earned.push_back(e->episode_return), clipped_earned.push_back(e->clipped_episode_return);
  }
  const auto truth = [](const std::vector<uint8_t>& values) { return at::tensor(values, at::kByte).to(at::kBool); };
  c.expect("observation", at::cat(observation));
  c.expect("action", action);
  c.expect("reward", at::tensor(reward)), c.expect("clipped_reward", at::tensor(clipped)), c.expect("discount", at::tensor(discount));
  c.expect("is_first", truth(first)), c.expect("is_last", truth(last)), c.expect("is_terminal", truth(terminal));
  c.expect("episode_length", length), c.expect("episode_id", id), c.expect("checkpoint_id", checkpoint);
  c.expect("episode_return", at::tensor(earned)), c.expect("clipped_episode_return", at::tensor(clipped_earned));
}

void unplugged_transitions(Case& c, io::Compression compression) {
  UnpluggedTransitions transitions(bytes_of(c.array("file")), "file", compression);
  std::vector<at::Tensor> before, after;
  std::vector<int64_t> action, next_action, id;
  std::vector<float> reward, discount, earned;
  while (const auto t = transitions.next()) {
    before.push_back(io::to_tensor(t->o_t)), after.push_back(io::to_tensor(t->o_tp1));
    action.push_back(t->a_t), next_action.push_back(t->a_tp1), id.push_back(t->episode_id);
    reward.push_back(t->r_t), discount.push_back(t->d_t), earned.push_back(t->episode_return);
  }
  c.expect("o_t", at::stack(before)), c.expect("o_tp1", at::stack(after));
  c.expect("a_t", action), c.expect("a_tp1", next_action), c.expect("episode_id", id);
  c.expect("r_t", at::tensor(reward)), c.expect("d_t", at::tensor(discount)), c.expect("episode_return", at::tensor(earned));
}

void op_rl_unplugged_decode(Case& c) {
  const auto compression = io::compression_named(c.text("compression"));
  c.text("layout") == "episodes" ? unplugged_episodes(c, compression) : unplugged_transitions(c, compression);
}

void op_masked_crc32c(Case& c) {
  const uint32_t crc = io::crc32c(bytes_of(c.array("data")).view);
  c.expect("crc", int64_t(crc));
  c.expect("masked", int64_t(io::mask_crc(crc)));
}

void op_normalized_score(Case& c) {
  const auto scores = doubles(c, "score");
  const auto mode = c.text("mode");
  std::vector<double> normalized;
  int64_t above = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (mode == "human_random") {
      normalized.push_back(human_normalized(c.texts("games")[i], scores[i]));
    } else if (mode == "dqn_random") {
      const double dqn = doubles(c, "dqn")[i];
      normalized.push_back(dqn_normalized(scores[i], dqn, doubles(c, "random")[i]));
      above += scores[i] > dqn;
    } else {
      normalized.push_back(between_scores(scores[i], c.number("low"), c.number("high")));
    }
  }
  c.expect("normalized", normalized);
  if (c.wants("median")) c.expect("median", eval::median(normalized));
  if (c.wants("above_dqn")) c.expect("above_dqn", above);
}

void op_iqm(Case& c) {
  const auto scores = scores_of(c);
  c.expect("mean", eval::mean_score(scores));
  c.expect("median", eval::median_score(scores));
  c.expect("iqm", eval::interquartile_mean(scores));
  c.expect("optimality_gap", eval::optimality_gap(scores, c.number("gamma")));
}

void op_performance_profile(Case& c) {
  const auto scores = scores_of(c);
  const auto tau = doubles(c, "tau");
  c.expect("profile", eval::performance_profile(scores, tau));
  c.expect("mean_profile", eval::mean_performance_profile(scores, tau));
}

void op_stratified_bootstrap(Case& c) {
  const auto metric = c.text("metric");
  const auto interval = eval::bootstrap(scores_of(c),
                                        metric == "mean"     ? eval::mean_score
                                        : metric == "median" ? eval::median_score
                                                             : eval::interquartile_mean,
                                        c.number("confidence"), c.array("index").span<uint8_t>());
  c.expect("low", interval.low);
  c.expect("high", interval.high);
  c.expect("replicates", interval.replicates);
}

void op_importance_sampling(Case& c) {
  WeightedEpisodes episodes;
  episodes.episodes = c.array("ratio").shape()[0], episodes.steps = c.array("ratio").shape()[1];
  episodes.ratio = doubles(c, "ratio"), episodes.reward = doubles(c, "reward");
  episodes.q = doubles(c, "q"), episodes.v = doubles(c, "v");
  const auto value = importance_sampling(episodes, c.number("gamma"));
  c.expect("tis", value.trajectory);
  c.expect("pdis", value.per_decision);
  c.expect("dr", value.doubly_robust);
  if (c.wants("snis")) c.expect("snis", value.self_normalized_trajectory);
  if (c.wants("snpdis")) c.expect("snpdis", value.self_normalized_per_decision);
}

void op_d4rl_transitions(Case& c) {
  const auto flags = [&](const char* name) {
    return std::span(reinterpret_cast<const uint8_t*>(c.array(name).data()), c.array(name).bytes());
  };
  const auto terminals = flags("terminals");
  const auto rows =
      d4rl_rows(terminals, c.has_input("timeouts") ? std::optional(flags("timeouts")) : std::nullopt, c.integer("max_episode_steps"));
  const auto index = at::tensor(rows, at::kLong);
  c.expect("row", rows);
  c.expect("next_observations", c.input("observations").index_select(0, index + 1));
  c.expect("terminal", c.input("terminals").index_select(0, index));
}

}  // namespace

OpTable offline_rl_ops() {
  return {
      {"offline_rl.dqn_target", op_dqn_target},
      {"offline_rl.huber_loss", op_huber_loss},
      {"offline_rl.ensemble_loss", op_ensemble_loss},
      {"offline_rl.rem_loss", op_rem_loss},
      {"offline_rl.sample_simplex", [](Case& c) { c.expect("alpha", simplex_of(c.input("uniform"))); }},
      {"offline_rl.simplex_moments", op_simplex_moments},
      {"offline_rl.greedy_action", [](Case& c) { c.expect("action", greedy_action(c.input("q"))); }},
      {"offline_rl.qr_loss", op_qr_loss},
      {"offline_rl.c51_project",
       [](Case& c) { c.expect("projected", project_distribution(c.input("support"), c.input("weights"), c.input("target_support"))); }},
      {"offline_rl.c51_loss", op_c51_loss},
      {"offline_rl.td3_target_action",
       [](Case& c) { c.expect("action", smoothed_action(c.input("policy_action"), c.input("noise"), noise_options(c))); }},
      {"offline_rl.td3_targets", op_td3_targets},
      {"offline_rl.td3_actor_loss", op_td3_actor_loss},
      {"offline_rl.td3_update", op_td3_update},
      {"offline_rl.rem_td3", op_rem_td3},
      {"offline_rl.nature_dqn", op_nature_dqn},
      {"offline_rl.network_size", op_network_size},
      {"offline_rl.adam_steps", op_adam_steps},
      {"offline_rl.rmsprop_steps", op_rmsprop_steps},
      {"offline_rl.logged_buffer", op_logged_buffer},
      {"offline_rl.dqn_replay_shard", op_dqn_replay_shard},
      {"offline_rl.shard_suffixes", [](Case& c) { c.expect("suffix", shard_suffixes(c.texts("names"))); }},
      {"offline_rl.rl_unplugged_decode", op_rl_unplugged_decode},
      {"offline_rl.masked_crc32c", op_masked_crc32c},
      {"offline_rl.normalized_score", op_normalized_score},
      {"offline_rl.iqm", op_iqm},
      {"offline_rl.probability_of_improvement",
       [](Case& c) { c.expect("probability", eval::probability_of_improvement(scores_of(c, "scores_x"), scores_of(c, "scores_y"))); }},
      {"offline_rl.performance_profile", op_performance_profile},
      {"offline_rl.stratified_bootstrap", op_stratified_bootstrap},
      {"offline_rl.importance_sampling", op_importance_sampling},
      {"offline_rl.d4rl_transitions", op_d4rl_transitions},
  };
}

}  // namespace zoo::reference
