#include <libzoo/core/error.h>
#include <libzoo/core/log.h>
#include <libzoo/io/tensor.h>
#include <libzoo/offline_rl/control_log.h>
#include <libzoo/offline_rl/convert_log.h>
#include <libzoo/offline_rl/log.h>
#include <libzoo/offline_rl/logged_buffer.h>
#include <libzoo/rl/exploration.h>
#include <libzoo/rl/replay.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

#include <algorithm>

namespace zoo::offline_rl {
namespace {

constexpr int64_t kWindow = 200;  // episodes of a moving mean
constexpr int64_t kRows = 20;     // of the returns in the result

// Returns of the episodes that have ended, and the one that goes on.
struct Returns {
  std::vector<double> ended;
  double current = 0;
  int64_t steps = 0;
  std::vector<double> rows;  // step, mean over the window; pairs

  double recent() const {
    const size_t n = std::min<size_t>(ended.size(), kWindow);
    double sum = 0;
    for (size_t i = ended.size() - n; i < ended.size(); ++i) sum += ended[i];
    return n ? sum / double(n) : 0;
  }
  double mean() const {
    double sum = 0;
    for (double value : ended) sum += value;
    return ended.empty() ? 0 : sum / double(ended.size());
  }
  State state() const {
    State state;
    state.arrays.emplace("ended", Array::of<double>({std::ssize(ended)}, std::span<const double>(ended)));
    state.arrays.emplace("rows", Array::of<double>({std::ssize(rows)}, std::span<const double>(rows)));
    state.values = {{"current", current}, {"steps", steps}};
    return state;
  }
  void restore(const State& state) {
    const auto get = [&](const char* name) {
      const auto values = state.arrays.at(name).span<double>();
      return std::vector<double>(values.begin(), values.end());
    };
    ended = get("ended"), rows = get("rows");
    current = state.values.at("current").get<double>();
    steps = state.values.at("steps").get<int64_t>();
  }
};

// What both kinds of task share: the game, its returns, and the steps of the run.
class Play {
 public:
  Play(const LogOptions& options, train::Run& run) : options_(options), run_(run), game_(maker_of(options.environment)()) {
    game_->seed(run.seed("environment"));
    game_->reset();
    run.track("game", *game_);
    run.track("returns", returns_);
  }

  rl::Environment& game() { return *game_; }
  const Returns& returns() const { return returns_; }
  int64_t episode() const { return std::ssize(returns_.ended); }

  // Counts a step, which the limit may cut.
  void count(rl::StepResult& result) {
    returns_.current += result.reward;
    if (++returns_.steps >= options_.max_episode_steps && !result.terminal) result.truncated = true;
  }
  // Starts the next episode if this one is over.
  void finish(int64_t step, const rl::StepResult& result) {
    if (result.done()) {
      returns_.ended.push_back(returns_.current);
      run_.log(step, {{"return", returns_.current}, {"episode_steps", returns_.steps}, {"recent_return", returns_.recent()}});
      returns_.current = 0, returns_.steps = 0;
      game_->reset();
    }
    if ((step + 1) % std::max<int64_t>(1, options_.steps / kRows) == 0)
      returns_.rows.push_back(double(step + 1)), returns_.rows.push_back(returns_.recent());
  }
  Json result() const {
    Json rows = Json::array();
    for (size_t i = 0; i < returns_.rows.size(); i += 2)
      rows.push_back({{"step", int64_t(returns_.rows[i])}, {"return of the last 200", returns_.rows[i + 1]}});
    return {{"steps", options_.steps},
            {"episodes", episode()},
            {"mean return", returns_.mean()},
            {"return of the last 200", returns_.recent()},
            {"returns", rows}};
  }

 private:
  const LogOptions& options_;
  train::Run& run_;
  std::unique_ptr<rl::Environment> game_;
  Returns returns_;
};

std::filesystem::path log_folder(const train::Run& run) { return run.directory() / "replay_logs"; }

Agent agent_of(const LogOptions& o, train::Run& run, const rl::EnvironmentSpec& spec) {
  if (o.behaviour == Behaviour::checkpoint) {
    auto agent = load_agent(o.checkpoint, run.device());
    agent.environment = o.environment;
    return agent;
  }
  Agent agent;
  agent.options = o.agent;
  agent.environment = o.environment;
  if (const auto* options = std::get_if<AgentOptions>(&o.agent))
    agent.values = std::make_shared<QAgent>(*options, picture_task(spec), run.seed("agent"), run.device());
  else
    agent.actor = std::make_shared<ActorCritic>(std::get<ActorCriticOptions>(o.agent), control_task(spec), run.seed("agent"), run.device());
  return agent;
}

at::Tensor tensor_of(const Array& array) { return io::to_tensor(array); }

// The newest picture of a stack, as the shards hold it.
class FrameView {
 public:
  FrameView(const PictureTask& task, int64_t stack) : task_(task), stack_(std::max<int64_t>(1, stack)) {}
  std::vector<int64_t> shape() const {
    const int64_t channels = task_.state[2] / stack_;
    auto shape = std::vector<int64_t>{task_.state[0], task_.state[1]};
    if (channels > 1) shape.push_back(channels);
    return shape;
  }
  std::span<const uint8_t> of(std::span<const uint8_t> observation) {
    if (stack_ == 1) return observation;
    const auto channels = size_t(task_.state[2]);
    frame_.resize(observation.size() / channels);
    for (size_t i = 0; i < frame_.size(); ++i) frame_[i] = observation[i * channels + channels - 1];
    return frame_;
  }
  int64_t stack() const { return stack_; }

 private:
  PictureTask task_;
  int64_t stack_;
  std::vector<uint8_t> frame_;
};

Json log_pictures(const LogOptions& o, train::Run& run) {
  Play play(o, run);
  auto& game = play.game();
  const PictureTask task = picture_task(game.spec());
  Agent agent = agent_of(o, run, game.spec());
  FrameView frames(task, o.environment.stack);
  const bool learns = o.behaviour == Behaviour::learning;

  LoggedBufferOptions buffer_options;
  buffer_options.folder = log_folder(run);
  buffer_options.capacity = o.shard_rows, buffer_options.stack = frames.stack(), buffer_options.frame_shape = frames.shape();
  buffer_options.clip_rewards = o.clip_rewards, buffer_options.compression = int(o.compression);
  LoggedBuffer buffer(buffer_options);
  rl::ReplayOptions memory_options;
  memory_options.frame.shape = frames.shape();
  memory_options.capacity = learns ? std::min(o.online.memory_rows, (o.steps + 1) * frames.stack() + 8) : frames.stack() + 8;
  memory_options.stack = frames.stack();
  if (const auto* options = std::get_if<AgentOptions>(&o.agent))
    memory_options.n_step = options->n_step, memory_options.gamma = options->gamma;
  rl::ReplayMemory memory(memory_options);
  auto batch = memory.batch(o.online.batch_size);
  run.track("log", buffer);
  if (learns) run.track("memory", memory), run.track("agent", *agent.values);
  if (!run.dry_run()) {
    ConvertOptions about;
    about.stack = frames.stack(), about.actions = task.actions, about.environment = environment_text(o.environment);
    write_about(log_folder(run), about);
  }

  const rl::EpsilonSchedule schedule{
      .decay_period = o.online.epsilon_decay_steps, .warmup_steps = o.online.warmup_steps, .epsilon = o.online.epsilon};
  const uint64_t exploration = run.seed("exploration"), sampling = run.seed("sampling");
  std::vector<std::byte> observation(game.spec().observation.bytes());
  const auto state_shape = [&](const Array& array) {
    return tensor_of(array).view({o.online.batch_size, task.state[0], task.state[1], task.state[2]});
  };
  for (int64_t step : run.steps(o.steps)) {
    game.observe(observation.data());
    RandomStream random({.seed = exploration, .id = uint32_t(step)});
    const double epsilon = o.behaviour == Behaviour::random ? 1 : learns ? rl::epsilon_at(step, schedule) : o.online.epsilon;
    int64_t action = int64_t(random.below(uint64_t(task.actions)));
    if (random.uniform64() > epsilon) {
      const auto state = picture_states(observation, task);
      action =
          (learns ? agent.values->exploring_values(state, play.episode()) : agent.values->action_values(state)).argmax(1).item<int64_t>();
    }
    auto result = game.step(action);
    play.count(result);
    const auto frame = frames.of({reinterpret_cast<const uint8_t*>(observation.data()), observation.size()});
    buffer.add(frame, action, result.reward, result.done());
    if (learns) {
      memory.add(frame.data(), action, result.reward, result.terminal, result.truncated);
      if (step >= o.online.warmup_steps && step % o.online.update_every == 0) {
        RandomStream draw({.seed = sampling, .id = uint32_t(step)});
        memory.sample(draw, batch);
        agent.values->update({state_shape(batch.state), tensor_of(batch.action).to(at::kLong), tensor_of(batch.reward),
                              state_shape(batch.next_state), tensor_of(batch.terminal)});
      }
    }
    play.finish(step, result);
  }
  if (run.interrupted() || run.dry_run()) return nullptr;
  buffer.close();
  if (o.behaviour != Behaviour::random) run.save_model([&](const std::filesystem::path& path) { save_agent(path, agent); });
  Json result = play.result();
  result["log"] = log_folder(run).string();
  result["shards"] = buffer.shards();
  return result;
}

Json log_control(const LogOptions& o, train::Run& run) {
  Play play(o, run);
  auto& game = play.game();
  const ControlTask task = control_task(game.spec());
  Agent agent = agent_of(o, run, game.spec());
  const bool learns = o.behaviour == Behaviour::learning;
  ControlLogWriter writer(log_folder(run), task, o.environment, o.shard_rows);
  rl::ReplayOptions memory_options;
  memory_options.frame = game.spec().observation;
  memory_options.capacity = learns ? std::min(o.online.memory_rows, o.steps + 8) : 8;
  memory_options.stack = 1;
  memory_options.action_size = task.action_size;
  rl::ReplayMemory memory(memory_options);
  auto batch = memory.batch(o.online.batch_size);
  run.track("log", writer);
  if (learns) run.track("memory", memory), run.track("agent", *agent.actor);

  const uint64_t exploration = run.seed("exploration"), sampling = run.seed("sampling");
  auto state = at::empty({1, task.state_size}), next = at::empty({1, task.state_size});
  const auto values_of = [](const at::Tensor& tensor) { return std::span(tensor.const_data_ptr<float>(), size_t(tensor.numel())); };
  const auto rows = [&](const Array& array) { return tensor_of(array).view({o.online.batch_size, -1}); };
  for (int64_t step : run.steps(o.steps)) {
    game.observe(state.data_ptr());
    RandomStream random({.seed = exploration, .id = uint32_t(step)});
    auto action = at::empty({1, task.action_size});
    float* a = action.data_ptr<float>();
    if (o.behaviour == Behaviour::random || (learns && step < o.online.warmup_steps)) {
      for (int64_t i = 0; i < task.action_size; ++i) a[i] = float(random.uniform(-task.max_action, task.max_action));
    } else {
      action = agent.actor->act(agent.scale.apply(state)).contiguous();
      a = action.data_ptr<float>();
      if (learns)
        for (int64_t i = 0; i < task.action_size; ++i)
          a[i] = float(std::clamp(a[i] + o.online.action_noise * random.normal(), -task.max_action, task.max_action));
    }
    auto result = game.step(values_of(action));
    play.count(result);
    game.observe(next.data_ptr());
    writer.add(values_of(state), values_of(action), result.reward, values_of(next), result.terminal, result.truncated);
    if (learns) {
      memory.add(state.data_ptr(), values_of(action), result.reward, result.terminal, result.truncated);
      if (step >= o.online.warmup_steps && step % o.online.update_every == 0) {
        RandomStream draw({.seed = sampling, .id = uint32_t(step)});
        memory.sample(draw, batch);
        agent.actor->update(
            {rows(batch.state), rows(batch.action), tensor_of(batch.reward), rows(batch.next_state), tensor_of(batch.terminal)});
      }
    }
    play.finish(step, result);
  }
  if (run.interrupted() || run.dry_run()) return nullptr;
  writer.close();
  if (o.behaviour != Behaviour::random) run.save_model([&](const std::filesystem::path& path) { save_agent(path, agent); });
  Json result = play.result();
  result["log"] = log_folder(run).string();
  return result;
}

}  // namespace

Json log_play(const LogOptions& options, train::Run& run) {
  const auto spec = maker_of(options.environment)()->spec();
  return spec.action.discrete() ? log_pictures(options, run) : log_control(options, run);
}

}  // namespace zoo::offline_rl
