#include <libzoo/core/error.h>
#include <libzoo/core/log.h>
#include <libzoo/offline_rl/control_log.h>
#include <libzoo/offline_rl/convert_log.h>
#include <libzoo/offline_rl/train.h>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace zoo::offline_rl {
namespace {

constexpr int64_t kLogEvery = 100;  // updates: reading a loss back costs as much as a small update

double rounded(double value) { return std::round(1000 * value) / 1000; }

// The evaluations so far.
class Curve {
 public:
  void add(int64_t update, const rl::Evaluation& played) {
    for (double value : {double(update), played.mean_return(), played.standard_error()}) values_.push_back(value);
  }
  size_t size() const { return values_.size() / 3; }
  double mean(size_t i) const { return values_[3 * i + 1]; }

  Json result() const {
    if (size() == 0) return Json::object();
    Json rows = Json::array();
    size_t best = 0;
    double last_five = 0;
    const size_t few = std::min<size_t>(5, size());
    for (size_t i = 0; i < size(); ++i) {
      if (mean(i) > mean(best)) best = i;
      if (i + few >= size()) last_five += mean(i) / double(few);
      rows.push_back({{"update", int64_t(values_[3 * i])}, {"return", rounded(mean(i))}, {"standard error", rounded(values_[3 * i + 2])}});
    }
    return {{"best return", rounded(mean(best))},
            {"at update", int64_t(values_[3 * best])},
            {"last return", rounded(mean(size() - 1))},
            {"mean of the last five", rounded(last_five)},
            {"curve", rows}};
  }

  State state() const {
    State state;
    state.arrays.emplace("values", Array::of<double>({std::ssize(values_)}, std::span<const double>(values_)));
    return state;
  }
  void restore(const State& state) {
    const auto values = state.arrays.at("values").span<double>();
    values_.assign(values.begin(), values.end());
  }

 private:
  std::vector<double> values_;
};

// The updates of a run, whatever the agent.
Json train_agent(const TrainOptions& o, train::Run& run, const Agent& agent,
                 const std::function<train::NamedValues(int64_t update)>& step) {
  Curve curve;
  run.track("curve", curve);
  const bool plays = !agent.environment.name.empty();
  const int64_t every = o.evaluate_every > 0 ? o.evaluate_every : o.updates;
  const uint64_t seed = run.seed("evaluation");
  train::NamedValues values;
  for (int64_t update : run.steps(o.updates)) {
    values = step(update);
    if (update % kLogEvery == 0) run.log(update, values);
    if (!plays || run.dry_run() || ((update + 1) % every != 0 && update + 1 != o.updates)) continue;
    const auto played = play_episodes(agent, o.evaluation, seed, at::get_num_threads());
    curve.add(update + 1, played);
    run.evaluation(update, {{"return", played.mean_return()}, {"return_error", played.standard_error()}}, "return");
  }
  if (run.interrupted() || run.dry_run()) return nullptr;
  run.save_model([&](const std::filesystem::path& path) { save_agent(path, agent); });
  Json result = {{"agent", agent.kind()}, {"updates", o.updates}};
  for (const auto& [name, value] : values) result[name] = value.number();
  result.update(curve.result());
  return result;
}

double mean_of(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0) / double(values.size()); }

// Of the episodes that the log has as a whole; nothing if there are none.
std::optional<double> mean_return_of(const ReplayLog& log) {
  std::vector<double> returns;
  for (const auto& [begin, end] : log.episodes()) {
    if (!(log.flags(begin) & kFirst) || !(log.flags(end - 1) & (kTerminal | kTruncated))) continue;
    double sum = 0;
    for (int64_t row = begin; row < end; ++row) sum += log.reward(row);
    returns.push_back(sum);
  }
  return returns.empty() ? std::nullopt : std::optional(mean_of(returns));
}

Json train_values(const TrainOptions& o, const AgentOptions& options, train::Run& run) {
  const ReplayLog log(open_log(o.log));
  Agent agent;
  agent.options = options;
  agent.environment = o.environment.name.empty() ? environment_of(log.info().environment, o.log.string()) : o.environment;
  const PictureTask task{{log.info().frame_shape[0], log.info().frame_shape[1], log.info().stack * log.channels()}, log.info().actions};
  if (!agent.environment.name.empty()) {
    const auto played = picture_task(maker_of(agent.environment)()->spec());
    if (played.state != task.state || played.actions != task.actions)
      throw UserError(fmt::format("{}: states of {}x{}x{} and {} actions are not those of {}", o.log.string(), task.state[0], task.state[1],
                                  task.state[2], task.actions, agent.environment.name),
                      "environment.stack and minimal_actions must be as in the log");
  }
  agent.values = std::make_shared<QAgent>(options, task, run.seed("agent"), run.device());
  SamplingOptions sampling;
  sampling.batch_size = o.batch_size;
  sampling.stack = log.info().stack, sampling.horizon = options.n_step;
  sampling.shards_together = o.sampling.shards_together, sampling.updates_per_iteration = o.sampling.updates_per_iteration;
  sampling.subset = o.subset;
  sampling.seed = run.seed("sampling");
  const LogSampler sampler(log, sampling);
  ReplayLog::BatchOptions batch;
  batch.stack = sampling.stack, batch.horizon = sampling.horizon, batch.gamma = options.gamma, batch.clip_rewards = o.clip_rewards;
  log::info(fmt::format("{}: {} rows in {} shards, {} of them learnt from", o.log.string(), log.rows(), log.info().shards.size(),
                        sampler.subset_rows()));
  run.track("agent", *agent.values);
  Json result = train_agent(o, run, agent, [&](int64_t update) -> train::NamedValues {
    const auto loss = agent.values->update(log.batch(sampler.rows(update), batch));
    if (update % kLogEvery != 0 && update + 1 != o.updates) return {};
    return {{"loss", loss}};
  });
  if (const auto earned = mean_return_of(log); earned && result.is_object()) result["log return"] = rounded(*earned);
  return result;
}

Json train_control(const TrainOptions& o, const ActorCriticOptions& options, train::Run& run) {
  ControlLog log = read_control_log(o.log);
  auto& all = log.transitions;
  Agent agent;
  agent.options = options;
  agent.environment = o.environment.name.empty() ? log.environment : o.environment;
  ControlTask task{.state_size = all.state.size(1), .action_size = all.action.size(1), .max_action = all.action.abs().max().item<double>()};
  if (!agent.environment.name.empty()) {
    const auto played = control_task(maker_of(agent.environment)()->spec());
    if (played.state_size != task.state_size || played.action_size != task.action_size)
      throw UserError(fmt::format("{}: states of {} and actions of {} numbers are not those of {}", o.log.string(), task.state_size,
                                  task.action_size, agent.environment.name));
    task = played;
  }
  if (o.normalize_states) {
    agent.scale = {all.state.mean(0), all.state.std(0, /*unbiased=*/false) + 1e-3};
    all.state = agent.scale.apply(all.state), all.next_state = agent.scale.apply(all.next_state);
  }
  agent.actor = std::make_shared<ActorCritic>(options, task, run.seed("agent"), run.device());
  run.track("agent", *agent.actor);
  const uint64_t seed = run.seed("sampling");
  const auto device = run.device();
  for (auto* tensor : {&all.state, &all.action, &all.reward, &all.next_state, &all.terminal}) *tensor = tensor->to(device);
  auto rows = at::empty({o.batch_size}, at::kLong);
  Json result = train_agent(o, run, agent, [&](int64_t update) -> train::NamedValues {
    RandomStream random({.seed = seed, .epoch = uint32_t(update >> 32), .id = uint32_t(update)});
    for (int64_t i = 0; i < o.batch_size; ++i) rows.data_ptr<int64_t>()[i] = int64_t(random.below(uint64_t(log.size())));
    const auto index = rows.to(device);
    const auto of = [&](const at::Tensor& tensor) { return tensor.index_select(0, index); };
    const auto losses = agent.actor->update({of(all.state), of(all.action), of(all.reward), of(all.next_state), of(all.terminal)});
    if (update % kLogEvery != 0 && update + 1 != o.updates) return {};
    return {{"critic_loss", losses.critic}};
  });
  if (!log.returns.empty() && result.is_object()) result["log return"] = rounded(mean_of(log.returns));
  return result;
}

}  // namespace

rl::Evaluation play_episodes(const Agent& agent, const PlayOptions& o, uint64_t seed, int threads) {
  rl::EvaluationOptions options;
  options.episodes = o.episodes, options.min_steps = o.min_steps, options.max_steps = o.max_episode_steps;
  options.epsilon = o.epsilon;
  options.seed = seed, options.threads = threads;
  return rl::evaluate(maker_of(agent.environment), agent.policy(), options);
}

Json train_offline(const TrainOptions& o, train::Run& run) {
  if (const auto* values = std::get_if<AgentOptions>(&o.agent)) {
    if (is_control_log(o.log))
      throw UserError(fmt::format("{}: is a log of continuous actions", o.log.string()), "agent.type=actor_critic");
    return train_values(o, *values, run);
  }
  if (!is_control_log(o.log)) throw UserError(fmt::format("{}: is no log of continuous actions", o.log.string()), "agent.type=values");
  return train_control(o, std::get<ActorCriticOptions>(o.agent), run);
}

}  // namespace zoo::offline_rl
