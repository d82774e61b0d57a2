#include <libzoo/core/error.h>
#include <libzoo/core/random.h>
#include <libzoo/eval/interval.h>
#include <libzoo/eval/run_scores.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace zoo::eval {
namespace {

void require_scores(const RunScores& scores) {
  if (scores.runs < 1 || scores.tasks < 1 || std::ssize(scores.values) != scores.runs * scores.tasks)
    throw Error(fmt::format("{} scores are not those of {} runs of {} tasks", scores.values.size(), scores.runs, scores.tasks));
}

std::vector<double> task_means(const RunScores& scores) {
  require_scores(scores);
  std::vector<double> means(size_t(scores.tasks), 0.0);
  for (int64_t run = 0; run < scores.runs; ++run)
    for (int64_t task = 0; task < scores.tasks; ++task) means[size_t(task)] += scores.at(run, task);
  for (double& mean : means) mean /= double(scores.runs);
  return means;
}

double mean_of(std::span<const double> values) { return std::accumulate(values.begin(), values.end(), 0.0) / double(values.size()); }

std::vector<double> fractions_above(std::span<const double> values, std::span<const double> thresholds) {
  std::vector<double> fractions;
  for (double threshold : thresholds)
    fractions.push_back(double(std::count_if(values.begin(), values.end(), [&](double v) { return v > threshold; })) /
                        double(values.size()));
  return fractions;
}

// Of sorted values, 0 <= share <= 1.
double percentile(const std::vector<double>& sorted, double share) {
  const double place = share * double(sorted.size() - 1);
  const auto below = size_t(place);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - double(below)) * (sorted[above] - sorted[below]);
}

BootstrapInterval interval_of(std::vector<double> replicates, double confidence) {
  if (replicates.empty() || !(confidence > 0 && confidence < 1))
    throw Error(fmt::format("bootstrap: {} replicates and a confidence of {}", replicates.size(), confidence));
  BootstrapInterval interval;
  interval.replicates = replicates;
  std::sort(replicates.begin(), replicates.end());
  interval.low = percentile(replicates, (1 - confidence) / 2);
  interval.high = percentile(replicates, (1 + confidence) / 2);
  return interval;
}

}  // namespace

double mean_score(const RunScores& scores) { return mean_of(task_means(scores)); }

double median_score(const RunScores& scores) { return median(task_means(scores)); }

double interquartile_mean(const RunScores& scores) {
  require_scores(scores);
  auto sorted = scores.values;
  std::sort(sorted.begin(), sorted.end());
  const size_t cut = sorted.size() / 4;
  return mean_of(std::span(sorted).subspan(cut, sorted.size() - 2 * cut));
}

double optimality_gap(const RunScores& scores, double target) {
  require_scores(scores);
  double sum = 0;
  for (double score : scores.values) sum += std::min(score, target);
  return target - sum / double(scores.values.size());
}

double probability_of_improvement(const RunScores& x, const RunScores& y) {
  require_scores(x);
  require_scores(y);
  if (x.tasks != y.tasks) throw Error(fmt::format("scores of {} tasks cannot be compared with those of {}", x.tasks, y.tasks));
  double sum = 0;
  for (int64_t task = 0; task < x.tasks; ++task)
    for (int64_t i = 0; i < x.runs; ++i)
      for (int64_t j = 0; j < y.runs; ++j) {
        const double a = x.at(i, task), b = y.at(j, task);
        sum += a > b ? 1 : a == b ? 0.5 : 0;
      }
  return sum / double(x.tasks * x.runs * y.runs);
}

std::vector<double> performance_profile(const RunScores& scores, std::span<const double> thresholds) {
  require_scores(scores);
  return fractions_above(scores.values, thresholds);
}

std::vector<double> mean_performance_profile(const RunScores& scores, std::span<const double> thresholds) {
  return fractions_above(task_means(scores), thresholds);
}

BootstrapInterval bootstrap(const RunScores& scores, const Metric& metric, const BootstrapOptions& options) {
  require_scores(scores);
  RandomStream random({.seed = options.seed});
  RunScores drawn = scores;
  std::vector<double> replicates;
  for (int64_t b = 0; b < options.replicates; ++b) {
    for (int64_t i = 0; i < scores.runs; ++i)
      for (int64_t t = 0; t < scores.tasks; ++t)
        drawn.values[size_t(i * scores.tasks + t)] = scores.at(int64_t(random.below(uint64_t(scores.runs))), t);
    replicates.push_back(metric(drawn));
  }
  return interval_of(std::move(replicates), options.confidence);
}

BootstrapInterval bootstrap(const RunScores& scores, const Metric& metric, double confidence, std::span<const uint8_t> index) {
  require_scores(scores);
  const size_t size = scores.values.size();
  if (index.size() % size != 0) throw Error(fmt::format("bootstrap: {} draws are not a multiple of {}", index.size(), size));
  RunScores drawn = scores;
  std::vector<double> replicates;
  for (size_t at = 0; at < index.size(); at += size) {
    for (size_t i = 0; i < size; ++i) {
      if (index[at + i] >= scores.runs) throw Error(fmt::format("bootstrap: run {} of {}", index[at + i], scores.runs));
      drawn.values[i] = scores.at(index[at + i], int64_t(i) % scores.tasks);
    }
    replicates.push_back(metric(drawn));
  }
  return interval_of(std::move(replicates), confidence);
}

}  // namespace zoo::eval
