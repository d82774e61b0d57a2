#include "test/nn/gradients.h"

#include <libzoo/core/error.h>
#include <libzoo/nn/batch_norm.h>
#include <libzoo/nn/max_pool.h>
#include <libzoo/nn/res_net.h>

using namespace zoo;

TEST_CASE("A new residual network passes its shortcuts on, as each block's last norm starts at zero", "[nn]") {
  nn::ResNet net(nn::res_net_options(18, {.small_stem = true}));
  net->eval();
  const at::NoGradGuard no_grad;
  const auto outputs = net->outputs(at::rand({2, 3, 32, 32}));
  REQUIRE(outputs.block_groups[0].size(2) == 32);
  REQUIRE(outputs.block_groups[3].size(2) == 4);
  REQUIRE(outputs.final_avg_pool.size(1) == 512);
  const auto names = net->named_parameters();
  REQUIRE(names["layer1.0.bn2.weight"].abs().max().item<float>() == 0);
  REQUIRE(names.contains("layer1.0.downsample.conv.weight"));
  REQUIRE(!names.contains("layer1.1.downsample.conv.weight"));
}

TEST_CASE("Squeeze and excitation gates each block", "[nn]") {
  nn::ResNet net(nn::res_net_options(50, {.se_ratio = 0.25, .small_stem = true}));
  const auto names = net->named_parameters();
  REQUIRE(names["layer1.0.se.reduce.weight"].size(0) == 16);
  REQUIRE(names["layer1.0.se.expand.weight"].size(0) == 256);
  const auto y = net->forward(at::rand({2, 3, 16, 16}));
  y.square().sum().backward();
  REQUIRE(names["layer4.0.downsample.conv.weight"].grad().abs().max().item<float>() > 0);
}

TEST_CASE("Networks that do not exist are refused", "[nn]") {
  REQUIRE_THROWS_WITH(nn::res_net_options(20), Contains("depth 20"));
  REQUIRE_THROWS_WITH(nn::ResNet(nn::res_net_options(18, {.sk_ratio = 0.0625})), Contains("bottleneck"));
  nn::ResNet net(nn::res_net_options(18));
  REQUIRE_THROWS_WITH(net->forward(at::rand({1, 4, 32, 32})), Contains("[batch, 3"));
}

TEST_CASE("Batch norm keeps the batch's own variance, or torch's", "[nn]") {
  at::manual_seed(1);
  const auto x = at::randn({4, 3, 5, 5}) * 2 + 1;
  for (const bool unbiased : {false, true}) {
    nn::BatchNorm norm(nn::BatchNormOptions{.channels = 3, .momentum = 0.25, .unbiased_running_var = unbiased});
    const auto y = norm(x);
    const auto mean = x.mean({0, 2, 3}), variance = x.var({0, 2, 3}, unbiased);
    REQUIRE(at::allclose(norm->running_mean, 0.25 * mean, 1e-5, 1e-6));
    REQUIRE(at::allclose(norm->running_var, 0.75 + 0.25 * variance, 1e-5, 1e-6));
    REQUIRE(y.mean({0, 2, 3}).abs().max().item<float>() < 1e-5f);
    norm->eval();
    const auto expected = (x - norm->running_mean.view({1, 3, 1, 1})) / (norm->running_var.view({1, 3, 1, 1}) + 1e-5).sqrt();
    REQUIRE(at::allclose(norm(x), expected, 1e-4, 1e-5));
  }
  nn::BatchNorm norm(nn::BatchNormOptions{.channels = 3});
  REQUIRE_THROWS_WITH(norm(at::ones({1, 3})), Contains("more than one value per channel"));
  REQUIRE_THROWS_WITH(norm(at::ones({2, 4})), Contains("can't take"));
}

TEST_CASE("TensorFlow's pooling starts at the first pixel of even sides, and before it on odd ones", "[nn]") {
  const auto row = at::arange(1.0, 9.0);
  const auto even = nn::same_max_pool(row.view({1, 1, 1, 8}).expand({1, 1, 8, 8}));
  REQUIRE(at::equal(even[0][0][0], at::tensor({3.0f, 5.0f, 7.0f, 8.0f})));
  const auto odd = nn::same_max_pool(row.slice(0, 0, 7).view({1, 1, 1, 7}).expand({1, 1, 7, 7}));
  REQUIRE(at::equal(odd[0][0][0], at::tensor({2.0f, 4.0f, 6.0f, 7.0f})));
  REQUIRE(nn::same_max_pool(at::ones({1, 1, 1, 2})).size(3) == 1);
}
