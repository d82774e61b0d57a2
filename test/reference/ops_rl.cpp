// Binds the reference cases minatar.*, and those of offline_rl.* that are environments and replay memories, to the public API.
#include "test/reference/case.h"

#include <libzoo/core/error.h>
#include <libzoo/core/json.h>
#include <libzoo/rl/rl.h>

#include <algorithm>

namespace zoo::reference {
namespace {

constexpr uint64_t kHashStart = 0xcbf29ce484222325;

// FNV-1a, 64 bits.
uint64_t hash(std::span<const uint8_t> bytes, uint64_t value = kHashStart) {
  for (const uint8_t byte : bytes) value = (value ^ byte) * 0x100000001b3;
  return value;
}

std::vector<uint32_t> words_of(Case& c) {
  std::vector<uint32_t> words;
  for (const int64_t word : c.array("words").span<int64_t>()) words.push_back(uint32_t(word));
  return words;
}

rl::MinAtarOptions minatar_options(const Case& c) {
  return {.sticky_action_prob = c.number("sticky_action_prob"), .difficulty_ramping = c.flag("difficulty_ramping")};
}

std::vector<uint8_t> observation_of(const rl::Environment& game) {
  std::vector<uint8_t> bytes(game.spec().observation.bytes());
  game.observe(bytes.data());
  return bytes;
}

// The states that a case lists, whole or as hashes.
struct Seen {
  std::vector<uint8_t> planes;
  std::vector<int64_t> hashes;

  void add(const rl::Environment& game) {
    const auto bytes = observation_of(game);
    planes.insert(planes.end(), bytes.begin(), bytes.end());
    hashes.push_back(int64_t(hash(bytes)));
  }
  void expect(Case& c, const std::string& name, int64_t channels) const {
    if (c.wants(name + "_hash")) return c.expect(name + "_hash", hashes);
    Array array(DType::boolean, {int64_t(hashes.size()), 10, 10, channels});
    std::copy(planes.begin(), planes.end(), reinterpret_cast<uint8_t*>(array.mutable_data()));
    c.expect(name, array);
  }
};

void minatar_game(Case& c, const std::string& name) {
  const auto game = rl::make_minatar(name, minatar_options(c));
  game->feed(rl::WordSource::of(words_of(c)));
  game->reset();
  Seen states, resets;
  states.add(*game);
  std::vector<int32_t> reward, executed, difficulty;
  std::vector<uint8_t> terminal;
  for (const int64_t action : c.array("action").span<int64_t>()) {
    const auto result = game->step(action);
    states.add(*game);
    reward.push_back(int32_t(result.reward));
    terminal.push_back(result.terminal);
    executed.push_back(int32_t(game->executed_action()));
    difficulty.push_back(int32_t(game->difficulty()));
    if (result.terminal && c.flag("auto_reset")) {
      game->reset();
      resets.add(*game);
    }
  }
  const int64_t channels = game->spec().observation.shape.back(), steps = int64_t(reward.size());
  states.expect(c, "observation", channels);
  resets.expect(c, "reset_observation", channels);
  c.expect("reward", Array::of<int32_t>({steps}, reward));
  c.expect("terminal", Array::of<uint8_t>({steps}, terminal));
  c.expect("executed_action", Array::of<int32_t>({steps}, executed));
  c.expect("difficulty", Array::of<int32_t>({steps}, difficulty));
  c.expect("words_used", std::vector<int64_t>{int64_t(game->words().used())});
}

void run_hash(Case& c) {
  const auto game = rl::make_minatar(c.text("game"), minatar_options(c));
  game->seed(uint64_t(c.integer("seed")));
  game->reset();
  uint64_t value = hash(observation_of(*game));
  int64_t reward_sum = 0, episodes = 0;
  for (const int64_t action : c.array("action").span<int64_t>()) {
    const auto result = game->step(action);
    const uint8_t after[2] = {uint8_t(result.reward), result.terminal};
    value = hash(after, hash(observation_of(*game), value));
    reward_sum += int64_t(result.reward);
    if (!result.terminal) continue;
    ++episodes;
    game->reset();
    value = hash(observation_of(*game), value);
  }
  c.expect("hash", std::vector<int64_t>{int64_t(value)});
  c.expect("reward_sum", std::vector<int64_t>{reward_sum});
  c.expect("episodes", std::vector<int64_t>{episodes});
}

void draws(Case& c) {
  auto words = rl::WordSource::of(words_of(c));
  const auto kind = c.array("kind").span<int64_t>(), low = c.array("low").span<int64_t>(), high = c.array("high").span<int64_t>();
  std::vector<double> values;
  for (size_t i = 0; i < kind.size(); ++i) values.push_back(kind[i] == 0 ? words.uniform() : double(words.integer(low[i], high[i])));
  c.expect("value", values);
  c.expect("words_used", std::vector<int64_t>{int64_t(words.used())});
}

void mt19937_words(Case& c) {
  rl::WordSource source{uint64_t(c.integer("seed"))};
  std::vector<int64_t> words(size_t(c.integer("count")));
  for (int64_t& word : words) word = source.next();
  c.expect("words", words);
}

void pendulum_step(Case& c) {
  const auto start = c.array("initial_state").span<double>();
  rl::PendulumState state{start[0], start[1]};
  std::vector<double> states, observations, rewards;
  for (const float torque : c.array("action").span<float>()) {
    rewards.push_back(rl::pendulum_step(state, torque));
    states.insert(states.end(), {state.angle, state.velocity});
    const auto observation = state.observation();
    observations.insert(observations.end(), observation.begin(), observation.end());
  }
  const int64_t steps = int64_t(rewards.size());
  c.expect("state", Array::of<double>({steps, 2}, states));
  c.expect("observation", Array::of<double>({steps, 3}, observations));
  c.expect("reward", rewards);
}

void sticky_actions(Case& c) {
  const auto action = c.array("action").span<int64_t>();
  const auto uniform = c.array("uniform").span<double>();
  const auto reset_before = c.array("reset_before").span<uint8_t>();
  const size_t frames = uniform.size() / action.size();
  rl::StickyActions sticky(c.number("repeat_action_probability"));
  std::vector<int64_t> executed;
  for (size_t t = 0; t < action.size(); ++t) {
    if (reset_before[t]) sticky.reset();
    for (size_t frame = 0; frame < frames; ++frame) executed.push_back(sticky.execute(action[t], uniform[t * frames + frame]));
  }
  c.expect("executed", Array::of<int64_t>({int64_t(action.size()), int64_t(frames)}, executed));
}

void atari_preprocess(Case& c) {
  const auto& frames = c.array("frames");
  const int64_t count = frames.shape()[0], height = frames.shape()[1], width = frames.shape()[2], skip = c.integer("frame_skip"),
                size = c.integer("screen_size");
  rl::ScreenPool pool(height, width, skip, size);
  const auto before = c.array("buffer").span<uint8_t>();
  std::copy(before.begin(), before.end(), pool.buffers().begin());
  const size_t screen = size_t(height * width);
  for (int64_t frame = 1; frame <= count; ++frame) {
    const bool over = frame == count && count < skip;
    if (!over && pool.wants(frame)) pool.capture(frame, frames.span<uint8_t>().subspan(size_t(frame - 1) * screen, screen));
  }
  pool.pool();
  Array observation(DType::u8, {size, size});
  pool.write(observation.mutable_span<uint8_t>().data());
  c.expect("observation", observation);
  c.expect("buffer_after", Array::of<uint8_t>({2, height, width}, std::span<const uint8_t>(pool.buffers())));
}

void grayscale(Case& c) {
  const auto& rgb = c.array("rgb");
  Array grey(DType::u8, {rgb.shape()[0], rgb.shape()[1]});
  rl::grayscale(rgb.span<uint8_t>(), grey.mutable_span<uint8_t>());
  c.expect("gray", grey);
}

void epsilon_schedule(Case& c) {
  const rl::EpsilonSchedule schedule{c.integer("decay_period"), c.integer("warmup_steps"), c.number("epsilon")};
  std::vector<double> epsilon;
  for (const int64_t step : c.array("step").span<int64_t>()) epsilon.push_back(rl::epsilon_at(step, schedule));
  c.expect("epsilon", epsilon);
}

// The first `rows` rows.
Array head(const Array& array, int64_t rows) {
  auto shape = array.shape();
  shape[0] = rows;
  return Array(array.dtype(), std::move(shape), array.data(), array.owner());
}

void replay_window(Case& c) {
  const auto& observation = c.array("observation");
  const std::vector<int64_t> frame(observation.shape().begin() + 1, observation.shape().end());
  rl::ReplayMemory memory({.frame = {.type = DType::u8, .shape = frame},
                           .capacity = c.integer("capacity"),
                           .stack = c.integer("stack_size"),
                           .n_step = c.integer("n_step"),
                           .gamma = c.number("gamma"),
                           .legacy_2019 = c.flag("legacy_2019")});
  const auto action = c.array("action").span<int64_t>();
  const auto reward = c.array("reward").span<float>();
  const auto terminal = c.array("terminal").span<uint8_t>(), end = c.array("episode_end").span<uint8_t>();
  const size_t bytes = memory.options().frame.bytes();
  for (size_t t = 0; t < action.size(); ++t)
    memory.add(observation.data() + t * bytes, action[t], reward[t], terminal[t] != 0, end[t] && !terminal[t]);

  const int64_t capacity = memory.options().capacity, written = std::min(memory.add_count(), capacity);
  c.expect("add_count", std::vector<int64_t>{memory.add_count()});
  c.expect("invalid_range", rl::invalid_range(memory.cursor(), capacity, memory.options().stack, memory.options().n_step));
  const auto [low, high] = memory.draw_range();
  c.expect("draw_range", std::vector<int64_t>{low, high});
  c.expect("rows_observation", head(memory.rows().observation, written));
  c.expect("rows_terminal", head(memory.rows().terminal, written));

  Array valid(DType::boolean, {capacity});
  const auto indices = memory.valid_indices();
  for (const int64_t index : indices) valid.mutable_data()[index] = std::byte(1);
  c.expect("valid", valid);
  const int64_t rows = int64_t(indices.size());
  auto batch = memory.batch(rows);
  batch.index = indices;
  memory.gather(batch);
  std::vector<int64_t> actions(batch.action.span<int32_t>().begin(), batch.action.span<int32_t>().end());
  std::vector<double> rewards(batch.reward.span<float>().begin(), batch.reward.span<float>().end());
  c.expect("index", indices);
  c.expect("state", batch.state);
  c.expect("next_state", batch.next_state);
  c.expect("sampled_action", actions);
  c.expect("sampled_reward", rewards);
  c.expect("sampled_terminal", batch.terminal);
}

}  // namespace

OpTable rl_ops() {
  OpTable ops{{"minatar.run_hash", run_hash},
              {"minatar.draws", draws},
              {"minatar.mt19937_words", mt19937_words},
              {"offline_rl.pendulum_step", pendulum_step},
              {"offline_rl.sticky_actions", sticky_actions},
              {"offline_rl.atari_preprocess", atari_preprocess},
              {"offline_rl.grayscale", grayscale},
              {"offline_rl.epsilon_schedule", epsilon_schedule},
              {"offline_rl.replay_window", replay_window}};
  for (const auto& game : rl::minatar_games()) ops["minatar." + game] = [game](Case& c) { minatar_game(c, game); };
  return ops;
}

}  // namespace zoo::reference
