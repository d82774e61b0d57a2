#include <libzoo/core/error.h>
#include <libzoo/offline_rl/importance_sampling.h>

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace zoo::offline_rl {

PolicyValue importance_sampling(const WeightedEpisodes& e, double gamma) {
  const auto size = size_t(e.episodes * e.steps);
  const bool has_values = !e.q.empty() || !e.v.empty();
  if (e.episodes < 1 || e.steps < 1 || e.ratio.size() != size || e.reward.size() != size ||
      (has_values && (e.q.size() != size || e.v.size() != size)))
    throw Error(fmt::format("importance sampling: {} ratios and {} rewards for {} episodes of {} steps", e.ratio.size(), e.reward.size(),
                            e.episodes, e.steps));
  const double n = double(e.episodes);
  std::vector<double> product(size_t(e.episodes), 1.0), earned(size_t(e.episodes), 0.0);
  PolicyValue value;
  double factor = 1;
  for (int64_t t = 0; t < e.steps; ++t, factor *= gamma) {
    double weighted = 0, weights = 0;
    for (int64_t i = 0; i < e.episodes; ++i) {
      const auto at = size_t(i * e.steps + t);
      const double before = product[size_t(i)], after = before * e.ratio[at];
      product[size_t(i)] = after;
      earned[size_t(i)] += factor * e.reward[at];
      weighted += after * e.reward[at];
      weights += after;
      if (has_values) value.doubly_robust += factor * (after * (e.reward[at] - e.q[at]) + before * e.v[at]) / n;
    }
    value.per_decision += factor * weighted / n;
    value.self_normalized_per_decision += factor * weighted / weights;
  }
  double weighted = 0, weights = 0;
  for (size_t i = 0; i < product.size(); ++i) weighted += product[i] * earned[i], weights += product[i];
  value.trajectory = weighted / n;
  value.self_normalized_trajectory = weighted / weights;
  if (!has_values) value.doubly_robust = std::numeric_limits<double>::quiet_NaN();
  return value;
}

}  // namespace zoo::offline_rl
