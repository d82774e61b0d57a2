#include "test/nn/gradients.h"

#include <libzoo/nn/std_conv.h>
#include <libzoo/optim/sgd.h>

using namespace zoo;
using namespace zoo::test;
using nn::EpsMode;
using nn::standardize_weight;

namespace {

// The definition, in float64.
at::Tensor composed(const at::Tensor& weight, double eps, EpsMode mode) {
  const auto filters = weight.to(at::kDouble).flatten(1);
  const auto centred = filters - filters.mean(1, true);
  const auto variance = centred.square().mean(1, true);
  return (mode == EpsMode::inside ? centred / (variance + eps).sqrt() : centred / (variance.sqrt() + eps)).view(weight.sizes());
}

}  // namespace

TEST_CASE("weights are standardised as defined, in the layout they have", "[nn]") {
  const auto mode = GENERATE(EpsMode::inside, EpsMode::outside);
  const double eps = GENERATE(1e-10, 1e-2);
  const std::vector<int64_t> sizes =
      GENERATE(std::vector<int64_t>{8, 3, 7, 7}, std::vector<int64_t>{64, 16, 1, 1}, std::vector<int64_t>{2, 5, 3, 3},
               std::vector<int64_t>{1, 40, 3, 3}, std::vector<int64_t>{300, 200, 3, 3});
  const auto weight = at::randn(sizes) * 0.03 + 0.5;
  const auto cotangent = at::randn(sizes);
  const auto expected = composed(weight, eps, mode);
  const auto expected_gradient =
      gradients([&](const Tensors& t) { return composed(t[0], eps, mode); }, {weight.to(at::kDouble)}, cotangent.to(at::kDouble))[0];
  for (const auto& given :
       {weight, channels_last(weight), at::empty({sizes[2], sizes[3], sizes[1], sizes[0]}).permute({3, 2, 0, 1}).copy_(weight)}) {
    const auto found = standardize_weight(given, eps, mode);
    CHECK(largest_difference(found, expected) < 3e-6);
    const auto gradient = gradients([&](const Tensors& t) { return standardize_weight(t[0], eps, mode); }, {given}, cotangent)[0];
    CHECK(largest_difference(gradient, expected_gradient) < 3e-6 * expected_gradient.abs().max().item<double>());
  }
  CHECK(standardize_weight(channels_last(weight), eps, mode).is_contiguous(at::MemoryFormat::ChannelsLast));
}

TEST_CASE("gradients of standardisation are those of central differences", "[nn]") {
  const auto mode = GENERATE(EpsMode::inside, EpsMode::outside);
  const double eps = GENERATE(1e-10, 0.1);
  check_gradients([&](const Tensors& t) { return standardize_weight(t[0], eps, mode); },
                  {channels_last(at::randn({3, 4, 3, 3}, at::kDouble))});
}

TEST_CASE("a filter of equal values, or of one value, becomes exact zeros", "[nn]") {
  for (const auto mode : {EpsMode::inside, EpsMode::outside}) {
    CHECK(standardize_weight(at::full({4, 33, 3, 3}, 0.1f), 1e-10, mode).equal(at::zeros({4, 33, 3, 3})));
    CHECK(standardize_weight(at::randn({4, 1, 1, 1}), 1e-10, mode).equal(at::zeros({4, 1, 1, 1})));
    const auto gradient = gradients([&](const Tensors& t) { return standardize_weight(t[0], 1e-10, mode); }, {at::full({2, 4, 1, 1}, 0.1f)},
                                    at::randn({2, 4, 1, 1}))[0];
    CHECK(gradient.isfinite().all().item<bool>());
  }
}

TEST_CASE("a mean a thousand times the deviation does not blur the variance", "[nn]") {
  const auto weight = at::randn({4, 16, 3, 3}) * 1e-3 + 1;
  CHECK(largest_difference(standardize_weight(weight), composed(weight, 1e-10, EpsMode::inside)) < 1e-5);
}

TEST_CASE("a standardised convolution is blind to mean and scale of each filter", "[nn]") {
  nn::StdConv2d conv(nn::StdConv2dOptions{.in_channels = 6, .out_channels = 5, .kernel = 3, .padding = 1, .eps = 0});
  conv->to(at::kDouble);
  at::NoGradGuard no_grad;
  conv->weight.copy_(at::randn({5, 6, 3, 3}));
  const auto x = at::randn({2, 6, 8, 8}, at::kDouble);
  const auto before = conv(x);
  conv->weight.mul_(at::rand({5, 1, 1, 1}) + 0.5).add_(at::randn({5, 1, 1, 1}));
  CHECK(largest_difference(conv(x), before) < 1e-11);
}

TEST_CASE("the gradient of a standardised filter sums to 0 and is orthogonal to it", "[nn]") {
  nn::StdConv2d conv(nn::StdConv2dOptions{.in_channels = 6, .out_channels = 5, .kernel = 3, .eps = 0});
  conv->to(at::kDouble);
  conv->weight.set_data(channels_last(at::randn({5, 6, 3, 3}, at::kDouble)));
  conv(channels_last(at::randn({2, 6, 8, 8}, at::kDouble))).square().sum().backward();
  const auto gradient = conv->weight.grad().flatten(1), weight = conv->weight.detach().flatten(1);
  const double scale = gradient.abs().max().item<double>();
  CHECK(scale > 0.1);
  CHECK(gradient.sum(1).abs().max().item<double>() < 1e-12 * scale * 54);
  CHECK((gradient * weight).sum(1).abs().max().item<double>() < 1e-12 * scale * 54);
}

TEST_CASE("half-precision weights are standardised in float32", "[nn]") {
  // 1e-10 is 0 in half precision; a variance of 1e-9 would be, too.
  const auto weight = (at::randn({4, 16, 3, 3}) * 3e-5).to(at::kHalf);
  const auto found = standardize_weight(weight);
  CHECK(found.scalar_type() == at::kHalf);
  CHECK(largest_difference(found, composed(weight, 1e-10, EpsMode::inside)) < 3e-3);
}

TEST_CASE("a second derivative of standardisation is refused instead of being wrong", "[nn]") {
  const auto weight = at::randn({2, 3, 1, 1}).set_requires_grad(true);
  CHECK_THROWS_WITH(torch::autograd::grad({standardize_weight(weight).square().sum()}, {weight}, {}, true, /*create_graph=*/true),
                    Contains("second derivative"));
}

TEST_CASE("in evaluation a standardised weight is kept until the weight changes", "[nn]") {
  nn::StdConv2d conv(nn::StdConv2dOptions{.in_channels = 3, .out_channels = 4, .kernel = 3});
  const auto x = channels_last(at::randn({1, 3, 5, 5}));
  at::NoGradGuard no_grad;
  conv->weight.normal_();
  const auto fresh = [&] { return at::conv2d(x, nn::standardize_weight(conv->weight)); };
  CHECK_FALSE(conv->standardized().is_same(conv->standardized()));
  conv->eval();
  CHECK(conv->standardized().is_same(conv->standardized()));
  CHECK(largest_difference(conv(x), fresh()) < 1e-5);
  {
    c10::InferenceMode inference;
    conv->standardized();
  }
  SECTION("by an operation") { conv->weight.normal_(); }
  SECTION("by other memory") { conv->weight.set_data(at::randn_like(conv->weight)); }
  SECTION("by another order of memory") { conv->weight.set_data(channels_last(conv->weight)); }
  SECTION("by the optimiser") {
    optim::Sgd sgd({conv->weight}, {});
    conv->weight.mutable_grad() = at::randn_like(conv->weight);
    sgd.step(1);
  }
  CHECK(largest_difference(conv(x), fresh()) < 1e-5);
  CHECK(conv->standardized().strides() == conv->weight.strides());
}
