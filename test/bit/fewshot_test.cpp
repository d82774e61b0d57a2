#include "test/catch.h"

#include <libzoo/bit/fewshot.h>
#include <libzoo/core/error.h>
#include <libzoo/core/random.h>

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

using namespace zoo;
using namespace zoo::bit;
using Indices = std::vector<int64_t>;

namespace {

Indices random_labels(int64_t n, int64_t classes, uint64_t seed) {
  RandomStream random({.seed = seed});
  Indices labels(static_cast<size_t>(n));
  for (auto& label : labels) label = int64_t(random.below(uint64_t(classes)));
  return labels;
}

// The definition, read off backwards: walk until every class was seen `shots` times, then keep the last of each.
Indices ring_by_definition(const Indices& labels, const Indices& order, int64_t shots, int64_t classes) {
  for (size_t end = 1; end <= order.size(); ++end) {
    std::vector<Indices> seen(static_cast<size_t>(classes));
    for (size_t i = 0; i < end; ++i) seen[size_t(labels[size_t(order[i])])].push_back(order[i]);
    if (!std::all_of(seen.begin(), seen.end(), [&](const auto& s) { return int64_t(s.size()) >= shots; })) continue;
    Indices chosen;
    for (const auto& s : seen) chosen.insert(chosen.end(), s.end() - shots, s.end());
    std::sort(chosen.begin(), chosen.end());
    return chosen;
  }
  return {};
}

}  // namespace

TEST_CASE("The ring keeps the last examples seen when the last class is complete", "[bit]") {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto labels = random_labels(80, 4, seed);
    const auto order = permutation(80, {.seed = seed});
    for (int64_t shots : {1, 2, 5}) REQUIRE(ring_subset(labels, order, shots, 4) == ring_by_definition(labels, order, shots, 4));
  }
}

TEST_CASE("Each sampler takes as many of each class as asked for, none twice", "[bit]") {
  const auto labels = random_labels(500, 7, 3);
  const auto count = [&](const Indices& chosen) {
    Indices counts(7, 0);
    for (int64_t index : chosen) ++counts[size_t(labels[size_t(index)])];
    auto sorted = chosen;
    std::sort(sorted.begin(), sorted.end());
    REQUIRE(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end());
    return counts;
  };
  REQUIRE(count(ring_subset(labels, permutation(500, {.seed = 1}), 10, 7)) == Indices(7, 10));
  REQUIRE(count(numpy_choice_subset(labels, 10, 7, 0)) == Indices(7, 10));
}

TEST_CASE("numpy_choice draws what numpy.random.seed and choice(replace=False) draw", "[bit]") {
  // numpy 2.4.6: np.random.seed(s); [np.random.choice(np.where(labels == c)[0], 3, replace=False) for c in range(2)],
  // labels = arange(20) % 2.
  Indices labels(20);
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = int64_t(i % 2);
  REQUIRE(numpy_choice_subset(labels, 3, 2, 0) == Indices{4, 16, 8, 7, 11, 3});
  REQUIRE(numpy_choice_subset(labels, 3, 2, 42) == Indices{16, 2, 10, 1, 3, 17});
}

TEST_CASE("numpy_choice looks only at the head of the set when told", "[bit]") {
  const auto labels = random_labels(200, 3, 5);
  for (int64_t index : numpy_choice_subset(labels, 4, 3, 1, 60)) REQUIRE(index < 60);
  REQUIRE(numpy_choice_subset(labels, 4, 3, 1, 1000) == numpy_choice_subset(labels, 4, 3, 1));
  REQUIRE(numpy_choice_subset(Indices{0, 1}, 1, 2, 9) == Indices{0, 1});
}

TEST_CASE("A class that falls short is named", "[bit]") {
  const Indices labels{0, 0, 1, 0}, order{0, 1, 2, 3};
  REQUIRE_THROWS_WITH(ring_subset(labels, order, 2, 2), Contains("too few examples for 2 of each class: class 1 has 1"));
  REQUIRE_THROWS_WITH(numpy_choice_subset(labels, 2, 3, 0), Contains("class 1 has 1, class 2 has 0"));
  REQUIRE_THROWS_WITH(ring_subset(labels, order, 0, 2), Contains("at least 1 example of each class, not 0"));
  REQUIRE_THROWS_WITH(ring_subset(labels, Indices{2}, 1, 1), Contains("example 2 has label 1, outside 0 to 0"));
  REQUIRE_THROWS_WITH(ring_subset(labels, Indices{4}, 1, 2), Contains("index 4 of the order"));
  REQUIRE_THROWS_WITH(numpy_choice_subset(labels, 1, 2, 0, 0), Contains("pool_limit must be at least 1"));
}

TEST_CASE("The probe gives the same scores from the smaller of its two Gram matrices", "[bit]") {
  // 12 rows of 6 features use X'X; adding features that never vary leaves the fit alone and makes XX' the smaller one.
  const auto x = at::randn({12, 6}), labels = at::arange(12, at::kLong).remainder(3);
  const auto wide = at::cat({x, at::ones({12, 40})}, 1);
  const auto narrow_scores = fewshot_lsr(x, labels, 3, 2.0).scores(x), wide_scores = fewshot_lsr(wide, labels, 3, 2.0).scores(wide);
  REQUIRE(at::allclose(narrow_scores, wide_scores, 1e-9, 1e-9));
}

TEST_CASE("The probe separates features that tell the classes apart, whatever their scale", "[bit]") {
  const auto labels = at::arange(30, at::kLong).remainder(3);
  const auto x = at::one_hot(labels, 3).to(at::kFloat) * 1e-3 + 5e-5 * at::randn({30, 3}) + 7;
  REQUIRE(fewshot_lsr(x, labels, 3).scores(x).argmax(1).equal(labels));
}

TEST_CASE("The probe refuses inputs that do not fit", "[bit]") {
  const auto labels = at::zeros({4}, at::kLong);
  REQUIRE_THROWS_WITH(fewshot_lsr(at::zeros({3, 2}), labels, 2), Contains("[3, 2] and [4]"));
  REQUIRE_THROWS_WITH(fewshot_lsr(at::zeros({4, 2}), labels + 2, 2), Contains("labels run from 2 to 2, outside 0 to 1"));
  REQUIRE_THROWS_WITH(fewshot_lsr(at::zeros({4, 2}), labels, 2, 0), Contains("l2 > 0"));
  REQUIRE_THROWS_WITH(fewshot_lsr(at::zeros({4, 2}), labels, 2).scores(at::zeros({1, 3})), Contains("fitted on 2 features, got [1, 3]"));
}
