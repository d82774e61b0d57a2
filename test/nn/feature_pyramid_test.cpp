#include "test/catch.h"
#include "test/nn/gradients.h"

#include <libzoo/core/error.h>
#include <libzoo/nn/feature_pyramid.h>

#include <ATen/ATen.h>

using namespace zoo;
using namespace zoo::nn;
using namespace zoo::test;

namespace {

std::vector<at::Tensor> inputs_of(int64_t side) {
  return {at::randn({2, 8, side, side}), at::randn({2, 16, (side + 1) / 2, (side + 1) / 2}),
          at::randn({2, 32, (side + 3) / 4, (side + 3) / 4})};
}

}  // namespace

TEST_CASE("A feature pyramid keeps the sizes of its inputs, odd ones too, and halves them for what is coarser", "[nn]") {
  FeaturePyramid fpn(FeaturePyramidOptions{.in_channels = {8, 16, 32}, .channels = 4, .coarser = CoarserLevels::convolutions});
  const auto levels = fpn->forward(inputs_of(11));
  REQUIRE(levels.size() == 5);
  std::vector<int64_t> sides;
  for (const auto& level : levels) {
    REQUIRE(level.size(1) == 4);
    sides.push_back(level.size(2));
  }
  REQUIRE(sides == std::vector<int64_t>{11, 6, 3, 2, 1});
}

TEST_CASE("A feature pyramid is 1x1, nearest upsampling and sum from the top, 3x3", "[nn]") {
  FeaturePyramid fpn(FeaturePyramidOptions{.in_channels = {8, 16, 32}, .channels = 4, .coarser = CoarserLevels::pool});
  auto p = fpn->named_parameters();
  {
    at::NoGradGuard no_grad;
    for (auto& entry : p)
      if (entry.value().dim() == 1) entry.value().normal_();
  }
  const auto x = inputs_of(8);
  const auto levels = fpn->forward(x);
  at::Tensor above;
  for (size_t i = 3; i-- > 0;) {
    const auto name = std::to_string(i);
    auto merged = at::conv2d(x[i], p["inner_blocks." + name + ".weight"], p["inner_blocks." + name + ".bias"]);
    // Each pixel becomes four.
    if (above.defined()) merged = merged + above.repeat_interleave(2, 2).repeat_interleave(2, 3);
    const auto expected = at::conv2d(merged, p["layer_blocks." + name + ".weight"], p["layer_blocks." + name + ".bias"], 1, 1);
    CHECK(largest_difference(levels[i], expected) < 1e-5);
    above = merged;
  }
  REQUIRE(levels.size() == 4);
  CHECK(levels[3].equal(levels[2].index({at::indexing::Slice(), at::indexing::Slice(), at::indexing::Slice(0, at::indexing::None, 2),
                                         at::indexing::Slice(0, at::indexing::None, 2)})));
}

TEST_CASE("Every parameter of a feature pyramid is reached by the gradient of its levels", "[nn]") {
  FeaturePyramid fpn(FeaturePyramidOptions{.in_channels = {8, 16, 32}, .channels = 4, .coarser = CoarserLevels::convolutions});
  at::Tensor loss;
  for (const auto& level : fpn->forward(inputs_of(16))) loss = loss.defined() ? loss + level.square().sum() : level.square().sum();
  loss.backward();
  for (const auto& entry : fpn->named_parameters()) {
    INFO(entry.key());
    REQUIRE(entry.value().grad().defined());
    CHECK(entry.value().grad().abs().max().item<double>() > 0);
  }
}

TEST_CASE("A feature pyramid refuses what it was not built for", "[nn]") {
  REQUIRE_THROWS_WITH(FeaturePyramid(FeaturePyramidOptions{}), Contains("0 inputs and 256 channels"));
  FeaturePyramid fpn(FeaturePyramidOptions{.in_channels = {8}, .channels = 4});
  REQUIRE_THROWS_WITH(fpn->forward({}), Contains("of 1 inputs was given 0"));
}
