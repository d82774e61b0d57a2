// Batch norm, addition and ReLU as one operator against their composition in float64.
#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/nn/batch_norm.h>
#include <libzoo/nn/norm_relu.h>

#include <ATen/ATen.h>

using namespace zoo;

namespace {

struct Outcome {
  at::Tensor y, dx, dadded, dweight, dbias, mean, variance;
};

// `parts`: 0 batch norm alone, 1 with ReLU, 2 with the addition too.
Outcome run(const at::Tensor& x, const at::Tensor& added, const at::Tensor& cotangent, int parts, bool bias, bool training) {
  nn::BatchNorm norm(nn::BatchNormOptions{.channels = x.size(1), .bias = bias});
  norm->to(x.scalar_type());
  {
    const at::NoGradGuard no_grad;
    at::manual_seed(9);
    norm->weight.copy_(at::randn({x.size(1)}));
    if (bias) norm->bias.copy_(at::randn({x.size(1)}));
    norm->running_mean.fill_(0.5);
  }
  norm->train(training);
  const auto input = x.clone().requires_grad_(), more = added.clone().requires_grad_();
  const auto y = parts == 0 ? norm(input) : parts == 1 ? norm->relu(input) : norm->add_relu(input, more);
  (y * cotangent).sum().backward();
  return {y.detach(),         input.grad(),     more.grad(), norm->weight.grad(), bias ? norm->bias.grad() : at::Tensor(),
          norm->running_mean, norm->running_var};
}

void require_near(const at::Tensor& a, const at::Tensor& b, double tolerance) {
  REQUIRE(a.defined() == b.defined());
  if (!a.defined()) return;
  REQUIRE((a.to(at::kDouble) - b).norm().item<double>() <= tolerance * (b.norm().item<double>() + 1e-3));
}

}  // namespace

TEST_CASE("The operator's results and gradients are those of its parts", "[nn]") {
  const int parts = GENERATE(0, 1, 2);
  const bool bias = GENERATE(true, false), training = GENERATE(true, false);
  // Channels that fill whole tiles and others, several blocks of rows, and a mean far from zero.
  for (const auto& shape : std::vector<std::vector<int64_t>>{{5, 64, 7, 9}, {3, 37, 4, 4}, {600, 70}, {2, 1, 3, 3}, {40, 32, 20, 20}}) {
    at::manual_seed(shape[1]);
    const auto make = [&](double scale, double mean) {
      auto t = at::randn(shape, at::kDouble) * scale + mean;
      if (shape.size() == 4) t = t.contiguous(at::MemoryFormat::ChannelsLast);
      return t.to(at::kFloat).to(at::kDouble);  // the same numbers for both
    };
    const auto x = make(2, 30), added = make(1, 0), cotangent = make(1, 0);
    REQUIRE(nn::norm_relu_fits(x.to(at::kFloat), added.to(at::kFloat)));
    REQUIRE(!nn::norm_relu_fits(x, added));
    const auto ours = run(x.to(at::kFloat), added.to(at::kFloat), cotangent.to(at::kFloat), parts, bias, training);
    const auto exact = run(x, added, cotangent, parts, bias, training);
    INFO(shape[0] << "x" << shape[1] << " parts " << parts << " training " << training);
    require_near(ours.y, exact.y, 1e-5);
    require_near(ours.dx, exact.dx, 2e-4);
    require_near(ours.dweight, exact.dweight, 1e-4);
    require_near(ours.dbias, exact.dbias, 1e-4);
    require_near(ours.mean, exact.mean, 1e-5);
    require_near(ours.variance, exact.variance, 1e-5);
    if (parts == 2) require_near(ours.dadded, exact.dadded, 1e-4);
  }
}

TEST_CASE("Without gradients the running statistics give the same, and one value per channel is refused", "[nn]") {
  nn::BatchNorm norm(nn::BatchNormOptions{.channels = 8});
  const auto x = at::randn({4, 8, 3, 3}).contiguous(at::MemoryFormat::ChannelsLast);
  for (int i = 0; i < 3; ++i) norm(x);
  norm->eval();
  const auto with_gradients = norm->relu(x).detach();
  const at::NoGradGuard no_grad;
  REQUIRE((norm->relu(x) - with_gradients).abs().max().item<double>() < 1e-6);
  norm->train();
  REQUIRE_THROWS_AS(norm(at::randn({1, 8, 1, 1})), UserError);
  REQUIRE_THROWS_AS(norm(at::randn({1, 8})), UserError);
}
