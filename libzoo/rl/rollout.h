// Playing whole episodes with a policy, many at a time.
//
//   const auto played = rl::evaluate(make, policy, {.episodes = 200, .epsilon = 0.001, .seed = 3, .threads = 2});
//   played.mean_return();
//
// Episode e is played in a fresh environment with seeds derived from `seed` and e. It meets the policy in a batch with the other
// episodes of its group (those with the same e modulo `groups`), so what is returned does not depend on the number of threads, and
// with a policy that looks at each row alone not on groups and lanes either.
#pragma once

#include <libzoo/rl/vector_environment.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace zoo::rl {

// Observations in, one action each out.
struct PolicyBatch {
  std::span<const std::byte> observation;  // [rows, …] as the environment's spec says
  std::span<const int64_t> episode;        // [rows]: the number of the episode that each belongs to
  std::span<const int64_t> step;           // [rows]: the number of the step in it, from 0
  std::span<int64_t> action;               // [rows] if actions are discrete, to be filled
  std::span<float> values;                 // [rows, size] if continuous, to be filled

  int64_t rows() const { return int64_t(episode.size()); }
};
// Called from several threads at once, on batches of different groups.
using Policy = std::function<void(const PolicyBatch& batch)>;

struct EvaluationOptions {
  int64_t episodes = 100;
  int64_t min_steps = 0;      // > 0: instead, as many episodes as it takes to have played so many steps
  int64_t max_steps = 27'000;  // of an episode; it is cut there
  double epsilon = 0;         // probability of a random action where they are discrete; at 1 no policy is needed
  uint64_t seed = 0;
  int64_t lanes = 16;  // episodes of a group that are played at once
  int64_t groups = 4;  // batches in flight at once, at most
  int threads = 1;
};

struct Episode {
  double total = 0;  // undiscounted sum of rewards
  int64_t steps = 0;
  bool terminal = false;  // else it was cut
};

struct Evaluation {
  std::vector<Episode> episodes;

  int64_t steps() const;
  double mean_return() const;     // NaN if there is no episode
  double standard_error() const;  // of the mean
};

// Throws UserError for options that make no sense, and what the policy or an environment throws.
Evaluation evaluate(const EnvironmentMaker& make, const Policy& policy, const EvaluationOptions& options);

}  // namespace zoo::rl
