#include "test/nn/gradients.h"

#include <libzoo/nn/max_pool.h>

using namespace zoo;
using namespace zoo::test;

TEST_CASE("the pool's border is zero, not minus infinity", "[nn]") {
  const auto negative = at::full({1, 2, 5, 5}, -3.0f);
  for (const auto& x : {negative, channels_last(negative)}) {
    const auto y = nn::zero_padded_max_pool(x);
    REQUIRE(y.sizes() == at::IntArrayRef({1, 2, 3, 3}));
    CHECK(y[0][0][1][1].item<double>() == -3);                  // a window inside of the image
    CHECK(y.eq(0).sum().item<int64_t>() == 2 * 8);              // all others touch the border
  }
}

TEST_CASE("pooling agrees with padding and at::max_pool2d, values and gradients, for all sizes", "[nn]") {
  const int64_t height = GENERATE(1, 2, 3, 8, 9), width = GENERATE(1, 2, 7);
  // Small integers: many ties, among them with the zeros of the border.
  const auto x = at::randint(-2, 2, {2, 5, height, width}).to(at::kDouble);
  const auto composed = [](const at::Tensor& t) { return at::max_pool2d(at::constant_pad_nd(t, {1, 1, 1, 1}), 3, 2); };
  const auto expected = composed(x), cotangent = at::randn_like(expected);
  const auto y = nn::zero_padded_max_pool(channels_last(x));
  CHECK(y.equal(expected));
  CHECK(y.is_contiguous(at::MemoryFormat::ChannelsLast));
  CHECK(nn::zero_padded_max_pool(x).equal(expected));
  const auto expected_gradient = gradients([&](const Tensors& t) { return composed(t[0]); }, {x}, cotangent)[0];
  const auto gradient = gradients([&](const Tensors& t) { return nn::zero_padded_max_pool(t[0]); }, {channels_last(x)}, cotangent)[0];
  CHECK(largest_difference(gradient, expected_gradient) < 1e-14);
  CHECK(nn::zero_padded_max_pool(channels_last(x.to(at::kFloat))).equal(expected.to(at::kFloat)));
}
