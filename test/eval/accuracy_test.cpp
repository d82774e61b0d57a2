#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/eval/accuracy.h>

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

using namespace zoo;
using eval::classification_metrics;
using eval::top_k_hits;

namespace {

at::Tensor labels_of(std::vector<int64_t> labels) { return at::tensor(labels, at::kLong); }

}  // namespace

TEST_CASE("Top-k accuracy counts labels among the k largest logits", "[eval]") {
  const auto logits = at::tensor({3.0, 2.0, 1.0, 0.0, 0.0, 1.0, 2.0, 3.0, 1.0, 3.0, 0.0, 2.0}).view({3, 4});
  const auto labels = labels_of({0, 2, 0});  // ranks 0, 1, 2
  const auto metrics = classification_metrics(logits, labels, {1, 2, 3});
  REQUIRE(metrics.count == 3);
  REQUIRE(metrics.top(1) == Approx(1.0 / 3));
  REQUIRE(metrics.top(2) == Approx(2.0 / 3));
  REQUIRE(metrics.top(3) == Approx(1.0));
  REQUIRE_THROWS_WITH(metrics.top(5), Contains("top-5 accuracy was not measured, only top-1, 2, 3"));
}

TEST_CASE("Top-5 of fewer than five classes means all of them", "[eval]") {
  REQUIRE(classification_metrics(at::randn({7, 3}), labels_of({0, 1, 2, 0, 1, 2, 0})).top(5) == 1.0);
}

TEST_CASE("Among equal logits the class with the smaller index comes first", "[eval]") {
  const auto logits = at::zeros({3, 4});
  REQUIRE(top_k_hits(logits, labels_of({0, 1, 3}), 1).to(at::kLong).equal(labels_of({1, 0, 0})));
  REQUIRE(top_k_hits(logits, labels_of({0, 1, 3}), 2).to(at::kLong).equal(labels_of({1, 1, 0})));
}

TEST_CASE("A network that answers NaN hits nothing", "[eval]") {
  auto logits = at::zeros({2, 3});
  logits[0][2] = std::numeric_limits<double>::quiet_NaN();
  REQUIRE(top_k_hits(logits, labels_of({0, 0}), 3).to(at::kLong).equal(labels_of({0, 1})));
}

TEST_CASE("The loss is the mean cross-entropy over all examples, not over batches", "[eval]") {
  // Equal logits: ln C each; a logit 100 above the rest: 0. Batches of 1 and 3.
  eval::Classification meter;
  auto sure = at::zeros({1, 4});
  sure[0][1] = 100;
  meter.add(sure, labels_of({1}));
  meter.add(at::zeros({0, 4}), labels_of({}));
  meter.add(at::zeros({3, 4}), labels_of({0, 1, 2}));
  const auto metrics = meter.result();
  REQUIRE(metrics.count == 4);
  REQUIRE(metrics.loss == Approx(0.75 * std::log(4.0)).epsilon(1e-12));
  REQUIRE(metrics.top(1) == Approx(0.5));
}

TEST_CASE("Metrics do not depend on how a split is cut into batches", "[eval]") {
  const auto logits = at::randn({23, 9}), labels = at::randint(9, {23}, at::kLong);
  const auto whole = classification_metrics(logits, labels);
  eval::Classification meter;
  for (int64_t first : {0, 10, 20}) meter.add(logits.slice(0, first, first + 10), labels.slice(0, first, first + 10));
  const auto parts = meter.result();
  REQUIRE(parts.count == 23);
  REQUIRE(parts.accuracy == whole.accuracy);
  REQUIRE(parts.loss == Approx(whole.loss).epsilon(1e-12));
}

TEST_CASE("Accuracy refuses what it can't measure", "[eval]") {
  REQUIRE_THROWS_WITH(eval::Classification().result(), Contains("zero examples"));
  REQUIRE_THROWS_WITH(eval::Classification({0}), Contains("k >= 1, got 0"));
  REQUIRE_THROWS_WITH(classification_metrics(at::zeros({2, 3}), labels_of({0})), Contains("got [2, 3] and Long [1]"));
  REQUIRE_THROWS_WITH(classification_metrics(at::zeros({2, 3}), labels_of({0, 3})),
                      Contains("labels run from 0 to 3, the network has 3 classes"));
  REQUIRE_THROWS_WITH(classification_metrics(at::zeros({1, 3}), labels_of({-1})), Contains("labels run from -1"));
}
