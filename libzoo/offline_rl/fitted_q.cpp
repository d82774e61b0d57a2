#include <libzoo/core/error.h>
#include <libzoo/core/random.h>
#include <libzoo/offline_rl/fitted_q.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

#include <algorithm>

namespace zoo::offline_rl {

FittedQ fitted_q_evaluation(const ReplayLog& log, const QAgent& policy, const FittedQOptions& o, uint64_t seed) {
  const PictureTask& task = policy.task();
  const int64_t stack = log.info().stack;
  if (task.state != std::vector<int64_t>{log.info().frame_shape[0], log.info().frame_shape[1], stack * log.channels()} ||
      task.actions < log.info().actions)
    throw UserError("the log's states and actions are not those of the agent", "evaluate an agent on a log of its own game");
  AgentOptions options = policy.options();
  options.kind = AgentKind::dqn_adam;
  options.n_step = 1;
  options.target_every = o.target_every;
  options.optimizer = {};
  options.optimizer.kind = OptimizerKind::adam, options.optimizer.form = OptimizerForm::torch;
  options.optimizer.rate = o.rate, options.optimizer.eps = 1e-8;
  QAgent values(options, task, derive_seed(seed, "values"));

  SamplingOptions sampling;
  sampling.batch_size = o.batch_size, sampling.stack = stack, sampling.shards_together = 0;
  sampling.seed = derive_seed(seed, "sampling");
  const LogSampler sampler(log, sampling);
  ReplayLog::BatchOptions batch_options;
  batch_options.stack = stack, batch_options.gamma = options.gamma;
  at::Tensor loss;
  for (int64_t update = 0; update < o.updates; ++update) {
    const auto batch = log.batch(sampler.rows(update), batch_options);
    loss = values.update(batch, policy.act(batch.next_state));
  }

  std::vector<int64_t> first;
  std::vector<double> returns;
  for (const auto& [begin, end] : log.episodes()) {
    if (!(log.flags(begin) & kFirst)) continue;
    first.push_back(begin);
    if (!(log.flags(end - 1) & kTerminal)) continue;
    double sum = 0, factor = 1;
    for (int64_t row = begin; row < end; ++row, factor *= options.gamma) sum += factor * log.reward(row);
    returns.push_back(sum);
  }
  if (first.empty()) throw UserError("the log has no first state of an episode");
  // Evenly over the log, which may have changed its player on the way.
  const int64_t count = std::min<int64_t>(o.first_states, std::ssize(first));
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < count; ++i) rows.push_back(first[size_t(i * std::ssize(first) / count)]);
  const auto states = log.states(rows, stack);
  FittedQ result;
  result.value = values.action_values(states).cpu().gather(1, policy.act(states).unsqueeze(1)).mean().item<double>();
  for (double value : returns) result.log_value += value / double(returns.size());
  result.loss = loss.item<double>();
  result.first_states = count;
  return result;
}

}  // namespace zoo::offline_rl
