#include "test/nn/gradients.h"

#include <libzoo/core/error.h>
#include <libzoo/nn/group_norm.h>

#include <cmath>
#include <limits>

using namespace zoo;
using namespace zoo::test;
using nn::group_norm_relu;

namespace {

// The definition, in float64.
at::Tensor composed(const at::Tensor& x, const at::Tensor& gamma, const at::Tensor& beta, int64_t groups, double eps, bool relu) {
  const auto grouped = x.to(at::kDouble).contiguous().view({x.size(0), groups, -1});
  const auto centred = grouped - grouped.mean(2, true);
  const auto normal = (centred / (centred.square().mean(2, true) + eps).sqrt()).view(x.sizes());
  std::vector<int64_t> per_channel(size_t(x.dim()), 1);
  per_channel[1] = x.size(1);
  const auto y = normal * gamma.to(at::kDouble).view(per_channel) + beta.to(at::kDouble).view(per_channel);
  return relu ? y.clamp_min(0) : y;
}

struct Sizes {
  std::vector<int64_t> x;
  int64_t groups;
};

}  // namespace

TEST_CASE("group norm agrees with its definition in both layouts, values and gradients", "[nn]") {
  const auto sizes = GENERATE(Sizes{{2, 64, 5, 7}, 32}, Sizes{{1, 32, 1, 1}, 4}, Sizes{{3, 6, 9, 1}, 3}, Sizes{{1, 256, 17, 13}, 32},
                              Sizes{{2, 8, 70, 3}, 1});
  const bool relu = GENERATE(true, false);
  at::manual_seed(1);  // a value within rounding of the kink of ReLU would have another gradient in float32
  const auto x = at::randn(sizes.x) * 3 + 1, gamma = at::randn({sizes.x[1]}), beta = at::randn({sizes.x[1]}),
             cotangent = at::randn(sizes.x);
  const auto expected = composed(x, gamma, beta, sizes.groups, 1e-5, relu);
  const auto expected_gradients = gradients([&](const Tensors& t) { return composed(t[0], t[1], t[2], sizes.groups, 1e-5, relu); },
                                            {x.to(at::kDouble), gamma.to(at::kDouble), beta.to(at::kDouble)}, cotangent.to(at::kDouble));
  for (const bool last : {false, true}) {
    const auto given = last ? channels_last(x) : x;
    const auto y = group_norm_relu(given, gamma, beta, sizes.groups, 1e-5, relu);
    CHECK(y.strides() == given.strides());
    CHECK(largest_difference(y, expected) < 3e-6);
    const auto found = gradients([&](const Tensors& t) { return group_norm_relu(t[0], t[1], t[2], sizes.groups, 1e-5, relu); },
                                 {given, gamma, beta}, cotangent);
    for (size_t i = 0; i < 3; ++i)
      CHECK(largest_difference(found[i], expected_gradients[i]) < 2e-6 * (1 + expected_gradients[i].abs().max().item<double>()));
  }
}

TEST_CASE("gradients of group norm are those of central differences", "[nn]") {
  const bool relu = GENERATE(true, false), last = GENERATE(true, false);
  const auto x = at::randn({2, 12, 3, 4}, at::kDouble);
  check_gradients([&](const Tensors& t) { return group_norm_relu(t[0], t[1], t[2], 4, 1e-3, relu); },
                  {last ? channels_last(x) : x, at::randn({12}, at::kDouble), at::randn({12}, at::kDouble)});
}

TEST_CASE("a group of one value, and a group of equal values, gives beta exactly", "[nn]") {
  const auto gamma = at::randn({32}), beta = at::randn({32});
  const auto single = group_norm_relu(at::randn({2, 32, 1, 1}) * 1000, gamma, beta, 32, 1e-5, false);
  CHECK(single.view({2, 32}).equal(beta.expand({2, 32})));
  for (const bool last : {false, true}) {
    const auto x = at::full({1, 32, 6, 5}, 0.1f) + 1000;
    const auto y = group_norm_relu(last ? channels_last(x) : x, gamma, beta, 8, 1e-5, false);
    CHECK(y.equal(beta.view({1, 32, 1, 1}).expand_as(y)));
  }
}

TEST_CASE("a mean a million times the deviation costs no digits", "[nn]") {
  // Integers up to 2^20 + 8 are exact in float32, and so is everything that the definition needs of them.
  const auto x = (at::randint(0, 8, {2, 32, 16, 16}) + 1048576.0).to(at::kFloat);
  const auto gamma = at::ones({32}), beta = at::zeros({32});
  for (const bool last : {false, true}) {
    CHECK(largest_difference(group_norm_relu(last ? channels_last(x) : x, gamma, beta, 8), composed(x, gamma, beta, 8, 1e-5, true)) < 1e-6);
  }
}

TEST_CASE("group norm is blind to shift and scale of its input", "[nn]") {
  const auto x = at::randn({2, 64, 4, 4}, at::kDouble), gamma = at::randn({64}, at::kDouble), beta = at::randn({64}, at::kDouble);
  CHECK(largest_difference(group_norm_relu(x * 7 - 3, gamma, beta, 32, 0), group_norm_relu(x, gamma, beta, 32, 0)) < 1e-12);
}

TEST_CASE("not-a-number comes through", "[nn]") {
  auto x = at::randn({1, 8, 2, 2});
  x[0][0][0][0] = std::numeric_limits<float>::quiet_NaN();
  for (const bool last : {false, true}) {
    const auto y = group_norm_relu(last ? channels_last(x) : x, at::ones({8}), at::zeros({8}), 2);
    CHECK(y.slice(1, 0, 4).isnan().all().item<bool>());
    CHECK_FALSE(y.slice(1, 4).isnan().any().item<bool>());
  }
}

TEST_CASE("strange strides, other dimensions, no images and half precision work", "[nn]") {
  const auto gamma = at::randn({6}), beta = at::randn({6});
  const auto strange = at::randn({7, 5, 6, 2}).permute({3, 2, 0, 1}).slice(2, 0, 7, 2);
  CHECK(largest_difference(group_norm_relu(strange, gamma, beta, 2), composed(strange, gamma, beta, 2, 1e-5, true)) < 3e-6);
  for (const auto& x : {at::randn({4, 6}), at::randn({4, 6, 5}), at::randn({2, 6, 3, 2, 2}),
                        at::randn({2, 6, 3, 2, 2}).contiguous(at::MemoryFormat::ChannelsLast3d)}) {
    CHECK(largest_difference(group_norm_relu(x, gamma, beta, 3), composed(x, gamma, beta, 3, 1e-5, true)) < 3e-6);
  }
  CHECK(group_norm_relu(at::randn({0, 6, 3, 3}), gamma, beta, 2).size(0) == 0);
  const auto half = at::randn({2, 6, 4, 4}).to(at::kBFloat16);
  const auto y = group_norm_relu(half, gamma.to(at::kBFloat16), beta.to(at::kBFloat16), 2);
  CHECK(y.scalar_type() == at::kBFloat16);
  CHECK(largest_difference(y, composed(half, gamma.to(at::kBFloat16), beta.to(at::kBFloat16), 2, 1e-5, true)) < 0.05);
}

TEST_CASE("the number of threads does not change a bit", "[nn]") {
  const auto x = channels_last(at::randn({1, 64, 20, 20})), gamma = at::randn({64}), beta = at::randn({64}),
             cotangent = at::randn({1, 64, 20, 20});
  const auto run = [&](int threads) {
    at::set_num_threads(threads);
    return gradients([&](const Tensors& t) { return group_norm_relu(t[0], t[1], t[2], 32); }, {x, gamma, beta}, cotangent);
  };
  const int before = at::get_num_threads();
  const auto one = run(1), three = run(3);
  at::set_num_threads(before);
  for (size_t i = 0; i < 3; ++i) CHECK(one[i].equal(three[i]));
}

TEST_CASE("channels that the groups do not divide, and wrong parameters, are refused", "[nn]") {
  const auto x = at::randn({1, 48, 2, 2});
  CHECK_THROWS_WITH(group_norm_relu(x, at::ones({48}), at::zeros({48}), 32), Contains("48 channels") && Contains("32 groups"));
  CHECK_THROWS_AS(group_norm_relu(x, at::ones({48}), at::zeros({48}), 0), UserError);
  CHECK_THROWS_WITH(group_norm_relu(x, at::ones({47}), at::zeros({48}), 16), Contains("47"));
  CHECK_THROWS_AS(group_norm_relu(at::randn({4}), at::ones({4}), at::zeros({4}), 2), UserError);
  CHECK_THROWS_AS(nn::GroupNorm(nn::GroupNormOptions{.channels = 48}), UserError);
}

TEST_CASE("a second derivative of group norm is refused instead of being wrong", "[nn]") {
  const auto x = at::randn({1, 4, 2, 2}).set_requires_grad(true);
  const auto y = group_norm_relu(x, at::ones({4}), at::zeros({4}), 2);
  CHECK_THROWS_WITH(torch::autograd::grad({y.square().sum()}, {x}, {}, true, /*create_graph=*/true), Contains("second derivative"));
}
