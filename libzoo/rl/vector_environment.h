// Many copies ("lanes") of one environment, stepped together; a lane whose episode ends is reset at once.
//
//   rl::VectorEnvironment games([] { return rl::make_environment("minatar/breakout"); }, 64, seed, threads);
//   games.reset(observation);                                     // [lanes, …] bytes of the caller
//   games.step(actions, {observation, reward, terminal, truncated});
#pragma once

#include <libzoo/core/thread_pool.h>
#include <libzoo/rl/environment.h>

#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace zoo::rl {

using EnvironmentMaker = std::function<std::unique_ptr<Environment>()>;

// Where a step of all lanes is written.
struct StepBatch {
  std::span<std::byte> observation;                  // [lanes, …]: after the reset where an episode ended
  std::span<float> reward;                           // [lanes]
  std::span<uint8_t> terminal, truncated;            // [lanes], 0 or 1
  std::span<std::byte> final_observation = {};       // [lanes, …] or empty: before that reset, written only where an episode ended
};

class VectorEnvironment {
 public:
  // Lane i plays with a seed derived from `seed` and i, whatever the number of lanes and threads. Throws Error unless lanes >= 1
  // and threads >= 1.
  VectorEnvironment(const EnvironmentMaker& make, int64_t lanes, uint64_t seed, int threads = 1);

  const EnvironmentSpec& spec() const { return lanes_.front()->spec(); }
  int64_t size() const { return int64_t(lanes_.size()); }
  Environment& lane(int64_t index) { return *lanes_[size_t(index)]; }

  // These throw Error if a span has not the size that its comment says.
  void reset(std::span<std::byte> observation);
  void step(std::span<const int64_t> actions, const StepBatch& to);  // discrete, [lanes]
  void step(std::span<const float> actions, const StepBatch& to);    // continuous, [lanes, size]

  // Arrays and values of all lanes, under "lanes".
  State state() const;
  void restore(const State& state);

 private:
  template <class ActionOf>
  void step_all(ActionOf action_of, const StepBatch& to);
  void check(const StepBatch& to) const;

  std::vector<std::unique_ptr<Environment>> lanes_;
  std::unique_ptr<ThreadPool> pool_;  // none for one thread
};

// The seed of a numbered part (a lane, an episode) of a run.
uint64_t numbered_seed(uint64_t seed, int64_t number);

}  // namespace zoo::rl
