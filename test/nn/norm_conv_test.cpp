#include "test/nn/gradients.h"

#include <libzoo/core/error.h>
#include <libzoo/nn/norm_conv.h>

#include <array>

using namespace zoo;
using namespace zoo::test;

namespace {

double relative_difference(const at::Tensor& found, const at::Tensor& expected) {
  return largest_difference(found, expected) / expected.detach().abs().max().item<double>();
}

struct Layers {
  nn::GroupNorm norm{nullptr};
  nn::StdConv2d conv{nullptr}, downsample{nullptr};

  Layers(int64_t kernel, int64_t stride, bool shortcut_is_x, int64_t in = 8, int64_t out = 6) {
    norm = nn::GroupNorm(nn::GroupNormOptions{.channels = in, .groups = 4});
    conv = nn::StdConv2d(
        nn::StdConv2dOptions{.in_channels = in, .out_channels = out, .kernel = kernel, .stride = stride, .padding = kernel / 2});
    if (!shortcut_is_x) downsample = nn::StdConv2d(nn::StdConv2dOptions{.in_channels = in, .out_channels = out + 16, .stride = stride});
    at::NoGradGuard no_grad;
    for (auto& parameter : parameters()) parameter.normal_();
  }

  Tensors parameters() const {
    Tensors all = {norm->weight, norm->bias, conv->weight};
    if (!downsample.is_empty()) all.push_back(downsample->weight);
    return all;
  }

  void to(at::ScalarType type) {
    norm->to(type), conv->to(type);
    if (!downsample.is_empty()) downsample->to(type);
  }
};

// Σ results · cotangents back to x and all parameters.
Tensors gradients_of(const Tensors& results, const Tensors& cotangents, const at::Tensor& x, const Layers& layers) {
  Tensors leaves = layers.parameters();
  leaves.insert(leaves.begin(), x);
  return torch::autograd::grad(results, leaves, cotangents);
}

}  // namespace

TEST_CASE("group norm with convolutions is the same as one after the other, values and gradients", "[nn]") {
  const int64_t kernel = GENERATE(1, 3), stride = GENERATE(1, 2);
  const bool shortcut_is_x = GENERATE(true, false), last = GENERATE(true, false);
  const auto type = GENERATE(at::kDouble, at::kFloat);
  const double tolerance = type == at::kDouble ? 1e-12 : 2e-5;  // of the largest value
  // With channels that fill vectors the norm is folded into products of 1x1 kernels; many pixels are divided among threads.
  const auto [in, out, height] =
      GENERATE(std::array<int64_t, 3>{8, 6, 7}, std::array<int64_t, 3>{16, 32, 7}, std::array<int64_t, 3>{48, 16, 400});
  Layers layers(kernel, stride, shortcut_is_x, in, out);
  layers.to(type);
  auto x = at::randn({3, in, height, 5}, type);
  x = (last ? channels_last(x) : x).detach().set_requires_grad(true);

  auto [y, shortcut] = nn::norm_conv_and_shortcut(layers.norm, layers.conv, layers.downsample, x);
  const auto normal = layers.norm(x);
  const auto expected_y = layers.conv(normal), expected_shortcut = shortcut_is_x ? x : layers.downsample(normal);
  CHECK(relative_difference(y, expected_y) < tolerance);
  CHECK(relative_difference(shortcut, expected_shortcut) < tolerance);
  const auto above = at::randn_like(expected_y), beside = at::randn_like(expected_shortcut);
  const auto found = gradients_of({y, shortcut}, {above, beside}, x, layers);
  const auto expected = gradients_of({expected_y, expected_shortcut}, {above, beside}, x, layers);
  for (size_t i = 0; i < found.size(); ++i) CHECK(relative_difference(found[i], expected[i]) < tolerance);

  const auto alone = nn::norm_conv(layers.norm, layers.conv, x);
  CHECK(alone.equal(y));

  const auto addend = at::randn_like(expected_y).set_requires_grad(true);
  const auto sum = nn::norm_conv(layers.norm, layers.conv, x, addend);
  CHECK(relative_difference(sum, expected_y + addend) < tolerance);
  const auto of_sum = torch::autograd::grad({sum}, {x, addend, layers.conv->weight}, {above});
  const auto of_y = torch::autograd::grad({layers.conv(layers.norm(x))}, {x, layers.conv->weight}, {above});
  CHECK(relative_difference(of_sum[0], of_y[0]) < tolerance);
  CHECK(of_sum[1].equal(above));
  CHECK(relative_difference(of_sum[2], of_y[1]) < tolerance);
}

TEST_CASE("a result that nothing flows back into leaves the gradients of the other", "[nn]") {
  Layers layers(1, 1, true);
  const auto x = channels_last(at::randn({2, 8, 3, 3})).set_requires_grad(true);
  const auto [y, shortcut] = nn::norm_conv_and_shortcut(layers.norm, layers.conv, layers.downsample, x);
  const auto beside = at::randn({2, 8, 3, 3}), above = at::randn({2, 6, 3, 3});
  CHECK(torch::autograd::grad({shortcut}, {x}, {beside}, true)[0].equal(beside));
  CHECK(largest_difference(torch::autograd::grad({y}, {x}, {above})[0],
                           torch::autograd::grad({layers.conv(layers.norm(x))}, {x}, {above})[0]) < 1e-4);
}

TEST_CASE("frozen layers pass gradients on and get none", "[nn]") {
  Layers layers(1, 1, true);
  for (auto& parameter : layers.parameters()) parameter.set_requires_grad(false);
  const auto x = channels_last(at::randn({2, 8, 3, 3})).set_requires_grad(true);
  nn::norm_conv(layers.norm, layers.conv, x).sum().backward();
  CHECK(x.grad().defined());
  CHECK_FALSE(layers.conv->weight.grad().defined());
  CHECK_FALSE(layers.norm->weight.grad().defined());
}

TEST_CASE("channels that do not fit the norm are refused", "[nn]") {
  Layers layers(1, 1, true);
  CHECK_THROWS_AS(nn::norm_conv(layers.norm, layers.conv, channels_last(at::randn({2, 4, 3, 3}))), UserError);
}
