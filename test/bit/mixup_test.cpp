#include "test/catch.h"

#include <libzoo/bit/mixup.h>
#include <libzoo/core/error.h>

#include <ATen/ATen.h>

#include <cmath>
#include <limits>
#include <set>

using namespace zoo::bit;

namespace {

at::Tensor indices(std::vector<int64_t> values) { return at::tensor(values, at::kLong); }

}  // namespace

TEST_CASE("Lambda has the moments of Beta(alpha, alpha)", "[bit]") {
  // Mean 1/2, variance 1 / (4 (2 alpha + 1)); six standard errors of 20000 draws.
  for (double alpha : {0.1, 1.0, 4.0}) {
    constexpr int64_t kDraws = 20'000;
    double sum = 0, squares = 0;
    for (int64_t step = 0; step < kDraws; ++step) {
      const double lambda = mixup_lambda(alpha, 7, step);
      REQUIRE((lambda >= 0 && lambda <= 1));
      sum += lambda;
      squares += (lambda - 0.5) * (lambda - 0.5);
    }
    const double variance = 1 / (4 * (2 * alpha + 1));
    REQUIRE(sum / kDraws == Approx(0.5).margin(6 * std::sqrt(variance / kDraws)));
    REQUIRE(squares / kDraws == Approx(variance).margin(0.0101));
  }
}

TEST_CASE("Lambda is a function of seed and step", "[bit]") {
  REQUIRE(mixup_lambda(0.4, 1, 5) == mixup_lambda(0.4, 1, 5));
  REQUIRE(mixup_lambda(0.4, 1, 5) != mixup_lambda(0.4, 1, 6));
  REQUIRE(mixup_lambda(0.4, 1, 5) != mixup_lambda(0.4, 2, 5));
  for (int64_t step = 0; step < 10; ++step) REQUIRE(mixup_lambda(0, 1, step) == 1);
}

TEST_CASE("Folding lets the row itself weigh more", "[bit]") {
  REQUIRE(fold_lambda(0.2) == 0.8);
  REQUIRE(fold_lambda(0.7) == 0.7);
}

TEST_CASE("Partners are a permutation drawn per step and micro-batch, the mirrored batch, or the row before", "[bit]") {
  REQUIRE(mixup_partners(Partner::reverse, 4).equal(indices({3, 2, 1, 0})));
  REQUIRE(mixup_partners(Partner::roll, 4).equal(indices({3, 0, 1, 2})));
  const auto drawn = mixup_partners(Partner::permute, 100, 3, 9);
  REQUIRE(std::get<0>(drawn.sort()).equal(at::arange(100, at::kLong)));
  REQUIRE(drawn.equal(mixup_partners(Partner::permute, 100, 3, 9)));
  REQUIRE_FALSE(drawn.equal(mixup_partners(Partner::permute, 100, 3, 10)));
  REQUIRE_FALSE(drawn.equal(mixup_partners(Partner::permute, 100, 3, 9, 1)));
  REQUIRE(mixup_partners(Partner::permute, 0).size(0) == 0);
}

TEST_CASE("Mixing with lambda 1 leaves images and loss as they were", "[bit]") {
  const auto images = at::randn({3, 3, 4, 4}), logits = at::randn({3, 5});
  const auto labels = indices({0, 1, 4}), partners = indices({2, 0, 1});
  REQUIRE(mix(images, partners, 1).is_same(images));
  REQUIRE(mixed_cross_entropy(logits, labels, labels.index_select(0, partners), 1).equal(at::cross_entropy_loss(logits, labels)));
}

TEST_CASE("The loss in two terms is cross-entropy against the soft targets", "[bit]") {
  const auto logits = at::randn({6, 5}, at::kDouble);
  const auto labels = indices({0, 1, 4, 2, 2, 3}), partners = indices({5, 4, 1, 2, 3, 0});  // row 4: partner of the same class
  const auto other = labels.index_select(0, partners);
  const auto targets = mixed_targets(labels, other, 0.3, 5);
  REQUIRE(at::allclose(targets.sum(1), at::ones({6})));
  REQUIRE(targets[4][2].item<float>() == Approx(1.0f));
  const auto expected = -(targets.to(at::kDouble) * at::log_softmax(logits, 1)).sum(1).mean();
  REQUIRE(mixed_cross_entropy(logits, labels, other, 0.3).item<double>() == Approx(expected.item<double>()).epsilon(1e-6));
}

TEST_CASE("MixUp refuses an alpha that is no parameter of a Beta distribution", "[bit]") {
  REQUIRE_THROWS_WITH(mixup_lambda(-1, 0, 0), Contains("alpha >= 0, got -1"));
  REQUIRE_THROWS_AS(mixup_lambda(std::numeric_limits<double>::infinity(), 0, 0), zoo::Error);
  REQUIRE_THROWS_AS(mixup_lambda(0.1, 0, -1), zoo::Error);
}
