// NT-Xent against its definition, its invariances, and what it must refuse.
#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/simclr/nt_xent.h>

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

using namespace zoo;
using simclr::nt_xent;
using simclr::NtXentOptions;

namespace {

// The definition: all views against all others.
at::Tensor composed(const at::Tensor& view1, const at::Tensor& view2, double temperature) {
  const int64_t n = view1.size(0);
  const auto z = simclr::normalize_rows(at::cat({view1, view2}));
  auto logits = z.mm(z.t()) / temperature;
  logits = logits.masked_fill(at::eye(2 * n, at::kBool), -std::numeric_limits<double>::infinity());
  const auto partner = at::cat({at::arange(n, 2 * n), at::arange(0, n)});
  return at::cross_entropy_loss(logits, partner) * 2;
}

double value(const at::Tensor& a, const at::Tensor& b, const NtXentOptions& options) { return nt_xent(a, b, options).value.item<double>(); }

double largest_difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

}  // namespace

TEST_CASE("The loss and its gradients are those of the definition, whatever the chunks", "[simclr]") {
  at::manual_seed(1);
  const int64_t n = GENERATE(1, 2, 7, 40);
  const int64_t max_bytes = GENERATE(int64_t(1), int64_t(4000), int64_t(1) << 20);
  const auto view1 = at::randn({n, 9}, at::kDouble).requires_grad_(), view2 = at::randn({n, 9}, at::kDouble).requires_grad_();
  const NtXentOptions options{.temperature = 0.3, .max_bytes = max_bytes};
  const auto loss = nt_xent(view1, view2, options).value;
  const auto expected = composed(view1, view2, 0.3);
  REQUIRE_THAT(loss.item<double>(), Catch::Matchers::WithinAbs(expected.item<double>(), 1e-12));
  loss.backward();
  const auto grad1 = view1.grad().clone(), grad2 = view2.grad().clone();
  view1.mutable_grad() = view2.mutable_grad() = at::Tensor();
  expected.backward();
  REQUIRE(largest_difference(grad1, view1.grad()) < 1e-12);
  REQUIRE(largest_difference(grad2, view2.grad()) < 1e-12);
}

TEST_CASE("The gradient of the loss agrees with finite differences", "[simclr]") {
  at::manual_seed(2);
  const bool normalize = GENERATE(true, false);
  auto view1 = at::randn({5, 4}, at::kDouble).requires_grad_();
  const auto view2 = at::randn({5, 4}, at::kDouble);
  const NtXentOptions options{.temperature = 0.7, .normalize = normalize};
  nt_xent(view1, view2, options).value.backward();
  constexpr double kStep = 1e-5;
  for (int64_t i = 0; i < view1.numel(); ++i) {
    auto above = view1.detach().clone(), below = view1.detach().clone();
    above.view({-1})[i] += kStep;
    below.view({-1})[i] -= kStep;
    const double slope = (value(above, view2, options) - value(below, view2, options)) / (2 * kStep);
    REQUIRE_THAT(view1.grad().view({-1})[i].item<double>(), Catch::Matchers::WithinAbs(slope, 1e-8));
  }
}

TEST_CASE("The loss does not change with the order of pairs, of views, or the length of rows", "[simclr]") {
  at::manual_seed(3);
  const auto a = at::randn({12, 6}, at::kDouble), b = at::randn({12, 6}, at::kDouble), order = at::randperm(12);
  const double loss = value(a, b, {});
  REQUIRE_THAT(value(a.index_select(0, order), b.index_select(0, order), {}), Catch::Matchers::WithinAbs(loss, 1e-12));
  REQUIRE_THAT(value(b, a, {}), Catch::Matchers::WithinAbs(loss, 1e-12));
  REQUIRE_THAT(value(a * 7, b * 0.1, {}), Catch::Matchers::WithinAbs(loss, 1e-12));
  auto leaf = a.clone().requires_grad_();
  nt_xent(leaf, b, {}).value.backward();
  REQUIRE((leaf.grad() * a).sum(1).abs().max().item<double>() < 1e-12);
  REQUIRE_THAT(value(a, b, {.reduction = simclr::Reduction::mean_2n}), Catch::Matchers::WithinAbs(loss / 2, 1e-12));
}

TEST_CASE("Degenerate batches have finite losses that are known", "[simclr]") {
  const auto same = at::ones({8, 3}).requires_grad_();
  const auto duplicates = nt_xent(same, same, {.temperature = 0.01}).value;
  REQUIRE_THAT(duplicates.item<double>(), Catch::Matchers::WithinAbs(2 * std::log(15), 1e-4));
  duplicates.backward();
  REQUIRE(same.grad().abs().max().item<double>() < 1e-4);
  const auto one = at::randn({1, 3}).requires_grad_();
  const auto alone = nt_xent(one, at::randn({1, 3}), {}).value;
  alone.backward();
  REQUIRE(alone.item<double>() == 0);
  REQUIRE(one.grad().abs().max().item<double>() == 0);
  REQUIRE(std::isfinite(value(at::zeros({4, 3}), at::zeros({4, 3}), {})));
  // Each row's partner is itself: nothing is nearer.
  const auto pairs = at::eye(6);
  const auto told_apart = nt_xent(pairs, pairs, {.temperature = 0.01});
  REQUIRE(told_apart.accuracy.item<double>() == 1);
  REQUIRE(told_apart.value.item<double>() < 1e-6);
}

TEST_CASE("Half precision is summed in float32", "[simclr]") {
  at::manual_seed(4);
  const auto a = at::randn({16, 8}), b = at::randn({16, 8});
  REQUIRE_THAT(value(a.to(at::kBFloat16), b.to(at::kBFloat16), {}),
               Catch::Matchers::WithinAbs(value(a.to(at::kBFloat16).to(at::kFloat), b.to(at::kBFloat16).to(at::kFloat), {}), 1e-5));
}

TEST_CASE("What makes no loss is refused", "[simclr]") {
  const auto rows = at::ones({4, 3});
  REQUIRE_THROWS_WITH(nt_xent(rows, rows, {.temperature = 0}), Contains("temperature"));
  REQUIRE_THROWS_WITH(nt_xent(rows, rows, {.temperature = -1}), Contains("temperature"));
  REQUIRE_THROWS_WITH(nt_xent(rows, rows, {.temperature = std::nan("")}), Contains("temperature"));
  REQUIRE_THROWS_WITH(nt_xent(rows, at::ones({3, 3})), Contains("alike"));
  REQUIRE_THROWS_WITH(nt_xent(at::ones({0, 3}), at::ones({0, 3})), Contains("no pairs"));
  REQUIRE_THROWS_WITH(nt_xent(rows * std::nan(""), rows), Contains("not finite"));
}
