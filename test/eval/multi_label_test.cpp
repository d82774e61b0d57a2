#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/eval/multi_label.h>

#include <ATen/ATen.h>

#include <cmath>

using namespace zoo;
using eval::average_precision;

TEST_CASE("average precision is that of scikit-learn", "[eval]") {
  // The example of its documentation: thresholds 0.8, 0.4, 0.35, 0.1 give recall ½, ½, 1, 1 at precision 1, ½, 2/3, ½.
  CHECK(average_precision(at::tensor({0.1, 0.4, 0.35, 0.8}), at::tensor({0.0, 0.0, 1.0, 1.0})) == Approx(5.0 / 6));
  CHECK(average_precision(at::tensor({3.0, 2.0, 1.0}), at::tensor({1.0, 1.0, 0.0})) == 1);
  // The only positive is last of n.
  CHECK(average_precision(at::arange(5).neg(), at::tensor({0.0, 0.0, 0.0, 0.0, 1.0})) == Approx(0.2));
}

TEST_CASE("equal scores are one threshold, whatever their order", "[eval]") {
  const auto scores = at::zeros({4});
  CHECK(average_precision(scores, at::tensor({1.0, 0.0, 0.0, 0.0})) == 0.25);
  CHECK(average_precision(scores, at::tensor({0.0, 0.0, 0.0, 1.0})) == 0.25);
  // 1 · ½ at the first threshold, then 2/4 · ½ for the tied three.
  CHECK(average_precision(at::tensor({2.0, 1.0, 1.0, 1.0}), at::tensor({1.0, 0.0, 0.0, 1.0})) == Approx(0.75));
}

TEST_CASE("F1 counts decisions of all classes together, or means over classes", "[eval]") {
  eval::MultiLabel meter;
  // Class 0: 2 hits, 1 false alarm. Class 1: 1 hit, 1 miss. Class 2: nobody has it, nobody is said to. Class 3: a false alarm.
  const auto yes = 2.0, no = -2.0;
  const auto logits = at::tensor({yes, yes, no, no, yes, no, no, no, yes, no, no, yes}).view({3, 4});
  const auto targets = at::tensor({1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0}).view({3, 4});
  meter.add(logits.slice(0, 0, 2), targets.slice(0, 0, 2));
  meter.add(logits.slice(0, 2), targets.slice(0, 2));
  const auto metrics = meter.result();
  CHECK(metrics.count == 3);
  CHECK(metrics.micro_f1 == Approx(2.0 * 3 / (5 + 4)));
  CHECK(metrics.classes[0].f1 == Approx(0.8));
  CHECK(metrics.classes[1].f1 == Approx(2.0 / 3));
  CHECK(std::isnan(metrics.classes[2].f1));
  CHECK(metrics.classes[3].f1 == 0);
  CHECK(metrics.macro_f1 == Approx((0.8 + 2.0 / 3 + 0) / 3));
  CHECK(metrics.classes[0].positives == 2);
  CHECK(metrics.classes[0].average_precision == Approx(2.0 / 3));  // three equal scores
  CHECK(std::isnan(metrics.classes[3].average_precision));
  CHECK(metrics.mean_average_precision == Approx(0.75));  // 2/3, and 1 · ½ + 2/3 · ½
  const double right = std::log1p(std::exp(-2.0)), wrong = std::log1p(std::exp(2.0));
  CHECK(metrics.loss == Approx((9 * right + 3 * wrong) / 3));
}

TEST_CASE("metrics of several labels refuse what does not fit together", "[eval]") {
  eval::MultiLabel meter;
  CHECK_THROWS_AS(meter.result(), Error);
  CHECK_THROWS_WITH(meter.add(at::zeros({2, 3}), at::zeros({2})), Contains("[2, 3]"));
  CHECK_THROWS_WITH(average_precision(at::zeros({2}), at::zeros({3})), Contains("[3]"));
}
