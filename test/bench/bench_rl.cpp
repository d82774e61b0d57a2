// What peers/offline_rl_minatar_steps.py and offline_rl_replay_sampling.py do: random play of the five MinAtar games, and batches of
// stacked states out of a replay memory.
#include "test/bench/bench.h"

#include <libzoo/core/random.h>
#include <libzoo/rl/minatar.h>
#include <libzoo/rl/replay.h>

#include <chrono>
#include <cmath>
#include <memory>

namespace zoo::bench {
namespace {

// Steps per second of one game, the observation written after each, resets included.
double rate(rl::Environment& game, const std::vector<int64_t>& actions, std::vector<std::byte>& observation) {
  const auto start = std::chrono::steady_clock::now();
  for (const int64_t action : actions) {
    if (game.step(action).done()) game.reset();
    game.observe(observation.data());
  }
  return double(actions.size()) / std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Job env_steps(const std::string& one, int64_t steps) {
  struct Play {
    std::vector<std::unique_ptr<rl::MinAtar>> games;
    std::vector<int64_t> actions;
    std::vector<std::byte> observation = std::vector<std::byte>(1000);
    double mean = 0;
  };
  auto play = std::make_shared<Play>();
  for (const auto& name : rl::minatar_games())
    if (one == "all" || one == name) play->games.push_back(rl::make_minatar(name));
  for (auto& game : play->games) game->seed(0), game->reset();
  RandomStream random({.seed = 1});
  for (int64_t i = 0; i < steps; ++i) play->actions.push_back(int64_t(random.below(6)));
  return {.run =
              [play] {
                double logarithms = 0;
                for (auto& game : play->games) logarithms += std::log(rate(*game, play->actions, play->observation));
                play->mean = std::exp(logarithms / double(play->games.size()));
              },
          .items = double(steps * int64_t(play->games.size())),
          .unit = "steps/s",
          .rate = [play] { return play->mean; }};
}

// Episodes of 400 rows in a memory that has gone round once, and a third of it again.
Job replay_sampling(int64_t rows, int64_t batch_size, int threads) {
  constexpr int64_t kSide = 84, kEpisode = 400;
  RandomStream random({.seed = 0});
  rl::ReplayRows data{.observation = Array(DType::u8, {rows, kSide, kSide, 1}),
                      .action = Array(DType::i32, {rows}),
                      .reward = Array(DType::f32, {rows}),
                      .terminal = Array(DType::u8, {rows})};
  for (auto& pixel : data.observation.mutable_span<uint8_t>()) pixel = uint8_t(random.next());
  for (auto& action : data.action.mutable_span<int32_t>()) action = int32_t(random.below(6));
  for (auto& reward : data.reward.mutable_span<float>()) reward = float(random.below(3)) - 1;
  for (int64_t row = kEpisode - 1; row < rows; row += kEpisode) data.terminal.mutable_span<uint8_t>()[size_t(row)] = 1;
  const rl::ReplayOptions options{.frame = {.shape = {kSide, kSide, 1}}, .capacity = rows, .legacy_2019 = true};
  auto memory = std::make_shared<rl::ReplayMemory>(options, std::move(data), rows + rows / 3);
  auto batch = std::make_shared<rl::Transitions>(memory->batch(batch_size));
  auto pool = threads > 1 ? std::make_shared<ThreadPool>(threads - 1) : nullptr;
  constexpr int kBatches = 500;
  return {[=]() mutable {
            for (int i = 0; i < kBatches; ++i) memory->sample(random, *batch, pool.get());
          },
          kBatches, "batches/s"};
}

}  // namespace

std::vector<Benchmark> rl_benchmarks() {
  return {{"rl_env_steps", "random play of MinAtar, observations written; several games: the geometric mean of their rates",
           [](CLI::App& command) {
             struct Games {
               std::string game = "all";
               int64_t steps = 200'000;
             };
             auto o = std::make_shared<Games>();
             command.add_option("--game", o->game, "a game of MinAtar, or all")->capture_default_str();
             command.add_option("--steps", o->steps, "of each game")->check(CLI::PositiveNumber)->capture_default_str();
             return [o](int) { return env_steps(o->game, o->steps); };
           }},
          {"rl_replay_sampling", "batches of states of four frames of 84x84 pixels", [](CLI::App& command) {
             struct Memory {
               int64_t rows = 20'000, batch = 32;
             };
             auto o = std::make_shared<Memory>();
             command.add_option("--rows", o->rows)->check(CLI::Range(1000, 1'000'000))->capture_default_str();
             command.add_option("--batch", o->batch)->check(CLI::Range(1, 4096))->capture_default_str();
             return [o](int threads) { return replay_sampling(o->rows, o->batch, threads); };
           }}};
}

}  // namespace zoo::bench
