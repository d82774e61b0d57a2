// Statistics over a few runs of each of several tasks (Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the Statistical
// Precipice"; what rliable computes, in double).
//
//   RunScores scores{.runs = 5, .tasks = 26, .values = normalized};            // values[run · tasks + task]
//   double middle = interquartile_mean(scores);
//   auto interval = bootstrap(scores, interquartile_mean, {.seed = 1});         // interval.low, interval.high
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace zoo::eval {

struct RunScores {
  int64_t runs = 0, tasks = 0;
  std::vector<double> values;  // [runs, tasks]

  double at(int64_t run, int64_t task) const { return values[size_t(run * tasks + task)]; }
};

// All throw Error if there are no scores or their number is not runs · tasks.
double mean_score(const RunScores& scores);          // of the tasks' means
double median_score(const RunScores& scores);        // over the tasks, of their means
double interquartile_mean(const RunScores& scores);  // of all scores, the ⌊n/4⌋ lowest and highest left out
double optimality_gap(const RunScores& scores, double target = 1);  // target - mean min(score, target)

// P(a run of x scores more than a run of y on the same task), ties counting one half; the mean over the tasks. The number of runs may
// differ, that of tasks not.
double probability_of_improvement(const RunScores& x, const RunScores& y);

// The fraction of all scores, or of the tasks' means, above each threshold.
std::vector<double> performance_profile(const RunScores& scores, std::span<const double> thresholds);
std::vector<double> mean_performance_profile(const RunScores& scores, std::span<const double> thresholds);

using Metric = std::function<double(const RunScores&)>;

struct BootstrapOptions {
  int64_t replicates = 50'000;
  double confidence = 0.95;
  uint64_t seed = 0;
};

struct BootstrapInterval {
  double low = 0, high = 0;         // percentiles, linearly interpolated
  std::vector<double> replicates;   // in the order of drawing
};

// Stratified: the runs are drawn again, with replacement, independently for each task.
BootstrapInterval bootstrap(const RunScores& scores, const Metric& metric, const BootstrapOptions& options = {});
// The same of given draws: index[(replicate · runs + run) · tasks + task] is the run that takes the place of `run`.
BootstrapInterval bootstrap(const RunScores& scores, const Metric& metric, double confidence, std::span<const uint8_t> index);

}  // namespace zoo::eval
