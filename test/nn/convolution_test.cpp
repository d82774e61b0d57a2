#include "test/nn/gradients.h"

#include <libzoo/nn/convolution.h>

using namespace zoo;
using namespace zoo::test;

namespace {

struct Shape {
  int64_t batch, in, out, height, width, kernel, stride, padding;
};

}  // namespace

TEST_CASE("convolutions by matrix products agree with at::conv2d, values and gradients", "[nn]") {
  const auto s = GENERATE(Shape{2, 8, 12, 5, 7, 1, 1, 0}, Shape{3, 8, 12, 5, 8, 1, 2, 0}, Shape{1, 4, 4, 1, 1, 1, 1, 0},  // 1x1
                          Shape{2, 8, 12, 2, 2, 3, 1, 1}, Shape{2, 8, 12, 4, 4, 3, 2, 1}, Shape{3, 8, 12, 3, 4, 3, 2, 1},   // few pixels
                          Shape{2, 8, 12, 1, 1, 3, 1, 1}, Shape{2, 8, 12, 1, 4, 3, 1, 1}, Shape{2, 3, 4, 2, 3, 7, 2, 3},
                          Shape{2, 3, 4, 1, 1, 1, 2, 1}, Shape{1, 1, 4, 2, 2, 3, 1, 1});
  const auto x = at::randn({s.batch, s.in, s.height, s.width}, at::kDouble),
             weight = at::randn({s.out, s.in, s.kernel, s.kernel}, at::kDouble);
  const auto expected = at::conv2d(x, weight, {}, s.stride, s.padding);
  const auto cotangent = at::randn_like(expected);
  const auto expected_gradients =
      gradients([&](const Tensors& t) { return at::conv2d(t[0], t[1], {}, s.stride, s.padding); }, {x, weight}, cotangent);
  for (const auto& w : {weight, channels_last(weight)}) {
    const auto y = nn::conv2d(channels_last(x), w, s.stride, s.padding);
    CHECK(y.is_contiguous(at::MemoryFormat::ChannelsLast));
    CHECK(largest_difference(y, expected) < 1e-12);
    CHECK(largest_difference(nn::conv2d(x, w, s.stride, s.padding), expected) < 1e-12);
    const auto found =
        gradients([&](const Tensors& t) { return nn::conv2d(t[0], t[1], s.stride, s.padding); }, {channels_last(x), w}, cotangent);
    for (size_t i = 0; i < 2; ++i) CHECK(largest_difference(found[i], expected_gradients[i]) < 1e-12);
  }
}

// In float32 the products are fewer by minimal filtering, at the price of a digit.
TEST_CASE("3x3 convolutions of float32 agree with those of float64, values and gradients", "[nn]") {
  const auto s = GENERATE(Shape{2, 32, 48, 5, 7, 3, 1, 1}, Shape{3, 48, 32, 8, 6, 3, 1, 1}, Shape{1, 32, 32, 29, 31, 3, 1, 1},
                          Shape{40, 32, 64, 7, 7, 3, 1, 1}, Shape{5, 256, 32, 4, 4, 3, 1, 1}, Shape{40, 32, 32, 2, 6, 3, 1, 1},
                          Shape{60, 32, 48, 15, 16, 3, 2, 1}, Shape{60, 48, 32, 14, 13, 3, 2, 1}, Shape{2, 32, 32, 5, 9, 3, 2, 1});
  const auto x = at::randn({s.batch, s.in, s.height, s.width}, at::kDouble),
             weight = at::randn({s.out, s.in, s.kernel, s.kernel}, at::kDouble);
  const auto expected = at::conv2d(x, weight, {}, s.stride, s.padding);
  const auto cotangent = at::randn_like(expected);
  const auto expected_gradients =
      gradients([&](const Tensors& t) { return at::conv2d(t[0], t[1], {}, s.stride, s.padding); }, {x, weight}, cotangent);
  const Tensors inputs = {channels_last(x.to(at::kFloat)), channels_last(weight.to(at::kFloat))};
  const auto convolve = [&](const Tensors& t) { return nn::conv2d(t[0], t[1], s.stride, s.padding); };
  const auto close = [](const at::Tensor& found, const at::Tensor& wanted) {
    CHECK(largest_difference(found.to(at::kDouble), wanted) < 5e-6 * wanted.abs().max().item<double>());
  };
  close(convolve(inputs), expected);
  const auto found = gradients(convolve, inputs, cotangent.to(at::kFloat));
  for (size_t i = 0; i < 2; ++i) close(found[i], expected_gradients[i]);
}

TEST_CASE("gradients of convolutions by matrix products are those of central differences", "[nn]") {
  const auto s = GENERATE(Shape{2, 3, 4, 3, 3, 1, 2, 0}, Shape{2, 3, 4, 4, 3, 3, 2, 1});
  check_gradients([&](const Tensors& t) { return nn::conv2d(t[0], t[1], s.stride, s.padding); },
                  {channels_last(at::randn({s.batch, s.in, s.height, s.width}, at::kDouble)),
                   channels_last(at::randn({s.out, s.in, s.kernel, s.kernel}, at::kDouble))});
}

TEST_CASE("only the gradients that are asked for are made", "[nn]") {
  for (const int64_t kernel : {1, 3}) {
    const auto x = channels_last(at::randn({2, 4, 2, 2}));
    const auto weight = channels_last(at::randn({4, 4, kernel, kernel})).set_requires_grad(true);
    nn::conv2d(x, weight, 1, kernel / 2).sum().backward();
    CHECK(weight.grad().defined());
    const auto leaf = x.detach().clone(at::MemoryFormat::Preserve).set_requires_grad(true);
    nn::conv2d(leaf, weight.detach(), 1, kernel / 2).sum().backward();
    CHECK(leaf.grad().defined());
  }
}

TEST_CASE("part of a larger tensor convolves like a copy of it", "[nn]") {
  const auto whole = channels_last(at::randn({5, 8, 2, 2}));
  const auto part = whole.slice(0, 2, 4);
  for (const int64_t kernel : {1, 3}) {
    const auto weight = channels_last(at::randn({9, 8, kernel, kernel}));
    CHECK(nn::conv2d(part, weight.slice(0, 3, 7), 1, kernel / 2)
              .equal(nn::conv2d(part.clone(), weight.slice(0, 3, 7).clone(), 1, kernel / 2)));
  }
}

TEST_CASE("channels that do not fit are an error, as in at::conv2d", "[nn]") {
  for (const int64_t kernel : {1, 3})
    CHECK_THROWS(nn::conv2d(channels_last(at::randn({2, 4, 2, 2})), at::randn({4, 5, kernel, kernel}), 1, kernel / 2));
}
