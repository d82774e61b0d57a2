// On a GPU: the operators by kernels of ours against the same in float64 by ATen.
#include "test/cuda.h"
#include "test/nn/gradients.h"

#include <libzoo/nn/group_norm.h>
#include <libzoo/nn/res_net_v2.h>
#include <libzoo/nn/std_conv.h>

using namespace zoo;
using namespace zoo::test;

namespace {

at::Tensor composed_norm(const at::Tensor& x, const at::Tensor& gamma, const at::Tensor& beta, int64_t groups, bool relu) {
  const auto y = at::group_norm(x, groups, gamma, beta, 1e-5);
  return relu ? y.relu() : y;
}

struct Case {
  std::vector<int64_t> x;
  int64_t groups;
};

void check_close(const at::Tensor& a, const at::Tensor& b, double tolerance) {
  CHECK(a.is_cuda());
  CHECK(largest_difference(a.cpu(), b.cpu()) < tolerance * (1 + b.abs().max().item<double>()));
}

}  // namespace

TEST_CASE("group norm on a GPU agrees with ATen in float64 in all types and layouts", "[nn][cuda]") {
  if (!has_gpu()) return;
  const auto sizes = GENERATE(Case{{2, 64, 5, 7}, 32}, Case{{4, 256, 56, 56}, 32}, Case{{3, 6, 9, 1}, 3}, Case{{8, 2048, 7, 7}, 32},
                              Case{{2, 32, 300, 301}, 32}, Case{{5, 96}, 32});
  const bool relu = GENERATE(true, false), last = GENERATE(false, true);
  const auto type = GENERATE(at::kFloat, at::kHalf, at::kBFloat16);
  if (last && sizes.x.size() != 4) return;
  at::manual_seed(1);
  const auto on = at::device(at::kCUDA);
  auto x = (at::randn(sizes.x, on) * 3 + 1).to(type), grad = at::randn(sizes.x, on).to(type);
  if (last) x = channels_last(x), grad = channels_last(grad);
  const auto gamma = at::randn({sizes.x[1]}, on), beta = at::randn({sizes.x[1]}, on);
  const Tensors exact = {x.to(at::kDouble), gamma.to(at::kDouble), beta.to(at::kDouble)};
  const double tolerance = type == at::kFloat ? 3e-6 : type == at::kHalf ? 1e-3 : 8e-3;
  const auto y = nn::group_norm_relu(x, gamma, beta, sizes.groups, 1e-5, relu);
  CHECK(y.scalar_type() == type);
  CHECK(y.strides() == x.strides());
  check_close(y, composed_norm(exact[0], exact[1], exact[2], sizes.groups, relu), tolerance);
  const auto expected =
      gradients([&](const Tensors& t) { return composed_norm(t[0], t[1], t[2], sizes.groups, relu); }, exact, grad.to(at::kDouble));
  const auto found =
      gradients([&](const Tensors& t) { return nn::group_norm_relu(t[0], t[1], t[2], sizes.groups, 1e-5, relu); }, {x, gamma, beta}, grad);
  check_close(found[0], expected[0], tolerance);
  check_close(found[1], expected[1], 1e-5);
  check_close(found[2], expected[2], 1e-5);
}

TEST_CASE("a mean a million times the deviation costs no digits on a GPU", "[nn][cuda]") {
  if (!has_gpu()) return;
  const auto x = (at::randint(0, 8, {2, 32, 16, 16}) + 1048576.0).to(at::kFloat).cuda();
  const auto gamma = at::ones({32}).cuda(), beta = at::zeros({32}).cuda();
  for (const bool last : {false, true}) {
    const auto y = nn::group_norm_relu(last ? channels_last(x) : x, gamma, beta, 8);
    check_close(y, composed_norm(x.to(at::kDouble), gamma.to(at::kDouble), beta.to(at::kDouble), 8, true), 1e-6);
  }
}

TEST_CASE("weights are standardised on a GPU as ATen does it in float64", "[nn][cuda]") {
  if (!has_gpu()) return;
  const auto mode = GENERATE(nn::EpsMode::inside, nn::EpsMode::outside);
  const std::vector<int64_t> sizes =
      GENERATE(std::vector<int64_t>{64, 3, 7, 7}, std::vector<int64_t>{512, 512, 3, 3}, std::vector<int64_t>{8, 5, 1, 1});
  const auto definition = [&](const at::Tensor& weight) {
    const auto filters = weight.flatten(1), centred = filters - filters.mean(1, true), variance = centred.square().mean(1, true);
    return (mode == nn::EpsMode::outside ? centred / (variance.sqrt() + 1e-10) : centred / (variance + 1e-10).sqrt()).view(weight.sizes());
  };
  const auto weight = (at::randn(sizes) * 0.03 + 0.5).cuda(), grad = at::randn(sizes).cuda();
  const auto expected = gradients([&](const Tensors& t) { return definition(t[0]); }, {weight.to(at::kDouble)}, grad.to(at::kDouble))[0];
  for (const auto& given : {weight, channels_last(weight)}) {
    check_close(nn::standardize_weight(given, 1e-10, mode), definition(weight.to(at::kDouble)), 3e-6);
    check_close(gradients([&](const Tensors& t) { return nn::standardize_weight(t[0], 1e-10, mode); }, {given}, grad)[0], expected, 3e-6);
  }
}

TEST_CASE("a network on a GPU gives the logits and gradients of the CPU", "[nn][cuda]") {
  if (!has_gpu()) return;
  nn::ResNetV2 net(nn::ResNetV2Options{.units = {1, 1, 1, 1}, .width = 0.5, .num_classes = 10});
  {
    at::NoGradGuard no_grad;
    net->named_parameters()["head.conv.weight"].normal_(0, 0.1);
  }
  auto twin = nn::ResNetV2(std::dynamic_pointer_cast<nn::ResNetV2Impl>(net->clone()));
  twin->to(at::kCUDA);
  const auto x = at::randn({4, 3, 64, 64});
  const auto here = net(x), there = twin(x.cuda());
  check_close(there, here, 1e-3);  // the GPU may multiply in TensorFloat-32
  here.square().sum().backward();
  there.square().sum().backward();
  const auto a = net->named_parameters(), b = twin->named_parameters();
  for (const auto& entry : a) {
    const double scale = entry.value().grad().norm().item<double>();
    CHECK((b[entry.key()].grad().cpu() - entry.value().grad()).norm().item<double>() < 2e-2 * scale);
  }
}
