#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/eval/run_scores.h>

using namespace zoo;
using namespace zoo::eval;

namespace {

RunScores scores(int64_t runs, int64_t tasks, std::vector<double> values) {
  RunScores result;
  result.runs = runs, result.tasks = tasks;
  result.values = std::move(values);
  return result;
}

}  // namespace

TEST_CASE("the interquartile mean leaves out a quarter at each end, rounded down", "[eval]") {
  CHECK(interquartile_mean(scores(5, 1, {100, 2, 3, 4, -50})) == 3);            // one of five at each end
  CHECK(interquartile_mean(scores(1, 3, {0, 3, 9})) == 4);                      // none of three
  CHECK(interquartile_mean(scores(2, 4, {0, 0, 1, 2, 3, 4, 99, 99})) == 2.5);   // two of eight
}

TEST_CASE("means, medians and the gap treat runs and tasks as they should", "[eval]") {
  const auto s = scores(2, 3, {0, 1, 5, 2, 3, 7});
  CHECK(mean_score(s) == 3);
  CHECK(median_score(s) == 2);  // of the tasks' means 1, 2, 6
  CHECK(optimality_gap(s, 1) == Approx(1.0 / 6));
  CHECK(performance_profile(s, std::vector<double>{2, -1}) == std::vector<double>{0.5, 1});
  CHECK(mean_performance_profile(s, std::vector<double>{1.5}) == std::vector<double>{2.0 / 3});
}

TEST_CASE("a run improves on another with the probability of being above it, ties counting half", "[eval]") {
  CHECK(probability_of_improvement(scores(2, 1, {1, 2}), scores(2, 1, {1, 0})) == 0.875);
  CHECK(probability_of_improvement(scores(1, 2, {1, 0}), scores(1, 2, {0, 1})) == 0.5);
  CHECK_THROWS_AS(probability_of_improvement(scores(1, 2, {1, 0}), scores(2, 1, {0, 1})), Error);
}

TEST_CASE("bootstrap intervals are a function of the seed, lie within the scores and cover their mean", "[eval]") {
  const auto s = scores(10, 2, {1, 12, 2, 14, 3, 16, 4, 18, 5, 20, 6, 22, 7, 24, 8, 26, 9, 28, 10, 30});
  const BootstrapOptions options{.replicates = 4000, .seed = 5};
  const auto interval = bootstrap(s, mean_score, options), again = bootstrap(s, mean_score, options);
  CHECK(interval.replicates == again.replicates);
  CHECK(interval.low < mean_score(s));
  CHECK(interval.high > mean_score(s));
  // The tasks' means are drawn independently: variance (8.25 + 4 · 8.25) / 10 / 4 of their mean, 1.96 deviations to each side.
  const double half = 1.96 * std::sqrt((8.25 + 33) / 10 / 4);
  CHECK(interval.high - interval.low == Approx(2 * half).epsilon(0.05));
  CHECK_THROWS_AS(bootstrap(s, mean_score, {.replicates = 10, .confidence = 1.5}), Error);
  CHECK_THROWS_AS(mean_score(scores(2, 2, {1})), Error);
}
