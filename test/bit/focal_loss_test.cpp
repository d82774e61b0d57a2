#include "test/catch.h"
#include "test/nn/gradients.h"

#include <libzoo/bit/anchors.h>
#include <libzoo/bit/focal_loss.h>
#include <libzoo/core/error.h>

#include <cmath>

using namespace zoo;
using namespace zoo::bit;

namespace {

at::Tensor labels_of(std::vector<int64_t> labels) { return at::tensor(labels, at::kLong); }

// The definition: -α_t (1 - p_t)^γ log p_t.
double by_hand(double logit, bool yes, double alpha, double gamma) {
  const double p = 1 / (1 + std::exp(yes ? -logit : logit));
  return (yes ? alpha : 1 - alpha) * std::pow(1 - p, gamma) * -std::log(p);
}

}  // namespace

TEST_CASE("Focal loss is its definition, summed over classes and rows but the ignored ones", "[bit]") {
  const auto logits = at::tensor({0.3, -1.2, 2.0, 0.5, -0.7, 1.1, 3.0, -2.0, 0.1}, at::kDouble).view({3, 3});
  const auto labels = labels_of({2, kBackground, kIgnored});
  double expected = 0;
  for (int64_t r = 0; r < 2; ++r)
    for (int64_t c = 0; c < 3; ++c) expected += by_hand(logits[r][c].item<double>(), r == 0 && c == 2, 0.25, 1.5);
  CHECK(focal_loss(logits, labels, {.alpha = 0.25, .gamma = 1.5}).item<double>() == Approx(expected).epsilon(1e-12));
}

TEST_CASE("With gamma 0 and alpha 1/2 focal loss is half the cross-entropy", "[bit]") {
  const auto logits = at::randn({4, 5}, at::kDouble);
  const auto labels = labels_of({0, 4, kBackground, 2});
  auto targets = at::zeros_like(logits);
  targets[0][0] = 1, targets[1][4] = 1, targets[3][2] = 1;
  const auto expected = at::binary_cross_entropy_with_logits(logits, targets, {}, {}, at::Reduction::Sum).item<double>() / 2;
  CHECK(focal_loss(logits, labels, {.alpha = 0.5, .gamma = 0}).item<double>() == Approx(expected).epsilon(1e-12));
}

TEST_CASE("The gradient of focal loss is that of central differences", "[bit]") {
  const auto labels = labels_of({1, kBackground, kIgnored, 0, 2, kBackground});
  for (double gamma : {0.0, 0.5, 1.5, 2.0}) {
    INFO("gamma " << gamma);
    test::check_gradients([&](const test::Tensors& in) { return focal_loss(in[0], labels, {.alpha = 0.3, .gamma = gamma}); },
                          {at::randn({6, 4}, at::kDouble) * 3});
  }
}

TEST_CASE("Focal loss and its gradient stay finite and right at logits of 300", "[bit]") {
  for (auto type : {at::kFloat, at::kDouble})
    for (double gamma : {0.0, 1.5, 2.0}) {
      // Right answers cost nothing; wrong ones their logit, with a slope of the weight.
      auto logits = at::tensor({300.0, -300.0, -300.0, 300.0}, type).view({2, 2}).requires_grad_();
      const auto labels = labels_of({0, 0});
      const auto loss = focal_loss(logits, labels, {.alpha = 0.25, .gamma = gamma});
      loss.backward();
      CHECK(loss.item<double>() == Approx(0.25 * 300 + 0.75 * 300));
      const auto grad = logits.grad();
      CHECK(grad.isfinite().all().item<bool>());
      CHECK(grad[0].abs().max().item<double>() < 1e-30);
      CHECK(grad[1][0].item<double>() == Approx(-0.25));
      CHECK(grad[1][1].item<double>() == Approx(0.75));
    }
}

TEST_CASE("Focal loss has no second derivative and takes rows of logits only", "[bit]") {
  const auto logits = at::randn({2, 3}).requires_grad_();
  const auto loss = focal_loss(logits, labels_of({0, 1}), {});
  REQUIRE_THROWS_WITH(torch::autograd::grad({loss}, {logits}, {}, true, /*create_graph=*/true), Contains("no second derivative"));
  REQUIRE_THROWS_WITH(focal_loss(logits, labels_of({0}), {}), Contains("got [2, 3] and Long [1]"));
}
