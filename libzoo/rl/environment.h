// What an agent plays: a game or a control task that takes one action at a time. Its picture of the world is written into the
// caller's memory, on request, so that steps that nobody looks at cost nothing.
//
//   auto game = rl::make_environment("minatar/breakout");
//   game->seed(7);
//   game->reset();
//   for (rl::StepResult step; !step.done();) { game->observe(state.data()); step = game->step(choose(state)); }
//
// An episode ends `terminal`, when the game says so, or `truncated`, when a time limit cuts it: then the state after it still
// has a value, and learners bootstrap from it. After either, reset() comes before the next step().
#pragma once

#include <libzoo/core/state.h>
#include <libzoo/io/image.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace zoo::rl {

struct ObservationSpec {
  DType type = DType::u8;           // boolean (planes of 0 and 1), u8 (pixels) or f32
  std::vector<int64_t> shape = {};  // [height, width, channels], or [values]

  int64_t items() const { return count(shape); }
  size_t bytes() const { return size_t(items()) * item_size(type); }
};

// Discrete (count > 0): actions 0 … count-1. Continuous (size > 0): `size` floats in [low, high].
struct ActionSpec {
  int64_t count = 0;
  std::vector<int64_t> minimal = {};  // the discrete actions that do something in this game, ascending
  int64_t size = 0;
  float low = 0, high = 0;

  bool discrete() const { return count > 0; }
};

struct EnvironmentSpec {
  std::string name;  // as in the catalogue: "minatar/breakout"
  ObservationSpec observation;
  ActionSpec action;
  int64_t time_limit = 0;  // steps after which an episode is truncated; 0: none
};

struct StepResult {
  double reward = 0;
  bool terminal = false;
  bool truncated = false;

  bool done() const { return terminal || truncated; }
};

class Environment {
 public:
  virtual ~Environment() = default;

  virtual const EnvironmentSpec& spec() const = 0;

  // Starts the random numbers anew; the game itself stays where it is until reset(). Equal seeds and actions give equal episodes.
  virtual void seed(uint64_t seed) = 0;
  virtual void reset() = 0;

  // The one for the kind of action that spec() names; the other throws Error. Throws Error on a discrete action out of range;
  // continuous ones are clipped to their range.
  virtual StepResult step(int64_t action);
  virtual StepResult step(std::span<const float> action);

  // Writes spec().observation.bytes() bytes.
  virtual void observe(void* to) const = 0;

  // For people. text(): lines of characters, for a terminal. picture(): RGB.
  virtual std::string text() const = 0;
  virtual io::Image picture() const = 0;

  // Game and random numbers; a restored environment continues bit for bit. restore throws Error if the state is not one of this
  // environment, or impossible in it, and then leaves it as it was.
  virtual State state() const = 0;
  virtual void restore(const State& state) = 0;
};

// Throws Error unless 0 <= action < count.
void check_action(int64_t action, const EnvironmentSpec& spec);

}  // namespace zoo::rl
