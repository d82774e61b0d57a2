#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/nn/kernels/matmul.h>
#include <libzoo/offline_rl/q_network.h>
#include <libzoo/offline_rl/trunk.h>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

using namespace zoo;
using namespace zoo::offline_rl;

namespace {

double relative_difference(const at::Tensor& got, const at::Tensor& want) {
  return ((got - want).abs().max() / want.abs().max().clamp_min(1e-6)).item<double>();
}

// Features and gradients of the trunk beside those of the network's own operators.
void compare_trunk(const QNetworkOptions& options, int64_t batch) {
  at::manual_seed(5);
  QNetwork net(options);
  for (const auto& parameter : net->trunk_parameters())
    if (parameter.dim() == 1) at::Tensor(parameter.detach()).uniform_(-0.1, 0.1);
  const auto state = at::randint(0, 256, {batch, options.input[0], options.input[1], options.input[2]}, at::kByte);
  const auto features = net->features(state), cotangent = at::randn_like(features);
  features.backward(cotangent);
  std::vector<at::Tensor> want;
  for (const auto& parameter : net->trunk_parameters()) want.push_back(parameter.grad().clone());

  Trunk trunk(net);
  CHECK(relative_difference(trunk.forward(state), features.detach()) < 1e-5);
  for (int round = 0; round < 2; ++round) {  // the second with buffers of the first
    CHECK(relative_difference(trunk.forward(state, /*keep=*/true), features.detach()) < 1e-5);
    trunk.backward(cotangent);
    for (size_t i = 0; i < want.size(); ++i) {
      INFO("parameter " << i);
      CHECK(relative_difference(net->trunk_parameters()[i].grad(), want[i]) < 2e-5);
      CHECK(net->trunk_parameters()[i].grad().strides() == net->trunk_parameters()[i].strides());
    }
  }
}

}  // namespace

TEST_CASE("networks have the sizes of the papers' agents", "[offline_rl]") {
  const auto parameters = [](const QNetworkOptions& o) {
    int64_t counted = 0;
    for (const auto& parameter : QNetwork(o)->parameters()) counted += parameter.numel();
    CHECK(counted == network_size(o).parameters);
    return counted;
  };
  CHECK(parameters(nature_network(4, 1)) == 4'045'476);
  CHECK(parameters(nature_network(18, 200)) == 5'890'224);
  CHECK(parameters(nature_network(18, 51)) == 4'514'358);
  auto valid = nature_network(18, 1);
  valid.padding = Padding::valid;
  CHECK(parameters(valid) == 1'693'362);
  CHECK(network_size(valid).flat_features == 3136);
}

TEST_CASE("the second convolution of DQN has one zero before and two behind", "[offline_rl]") {
  const auto padding = edge_padding(Padding::same, 21, 4, 2);
  CHECK(padding.before == 1);
  CHECK(padding.after == 2);
  CHECK(edge_padding(Padding::same, 84, 8, 4).before == 2);
}

TEST_CASE("a trunk's kernels give the features and gradients of the network's operators", "[offline_rl]") {
  if (!nn::kernels::has_matmul()) WARN("no AVX-512 here: the trunk is those operators");
  auto pictures = nature_network(3, 2, 2);
  pictures.hidden = 40;
  SECTION("same padding") { compare_trunk(pictures, 9); }
  SECTION("valid padding") {
    pictures.padding = Padding::valid;
    compare_trunk(pictures, 9);
  }
  SECTION("an odd side, which strides do not cover") {
    pictures.padding = Padding::valid;
    pictures.input = {87, 91, 3};
    compare_trunk(pictures, 8);
  }
  SECTION("other filters and planes") {
    auto planes = minatar_network(7, 6, 5);
    planes.filters = {48, 16}, planes.kernels = {3, 2}, planes.strides = {1, 2};
    compare_trunk(planes, 33);
  }
  SECTION("a small batch") { compare_trunk(minatar_network(4, 3, 1), 2); }
  SECTION("filters without a kernel") {
    auto planes = minatar_network(4, 3, 1);
    planes.filters = {6};
    compare_trunk(planes, 4);
  }
}

TEST_CASE("what a trunk computes does not depend on the number of threads", "[offline_rl]") {
  QNetwork net(minatar_network(4, 6, 20));
  const auto state = at::randint(0, 2, {32, 10, 10, 4}, at::kByte);
  const auto run = [&](int threads) {
    at::set_num_threads(threads);
    Trunk trunk(net);
    const auto features = trunk.forward(state, true);
    trunk.backward(features);
    std::vector<at::Tensor> result = {features};
    for (const auto& parameter : net->trunk_parameters()) result.push_back(parameter.grad().clone());
    return result;
  };
  const int threads = at::get_num_threads();
  const auto one = run(1), three = run(3);
  at::set_num_threads(threads);
  for (size_t i = 0; i < one.size(); ++i) CHECK(at::equal(one[i], three[i]));
}

TEST_CASE("weights go out in PyTorch's order and come back, and strangers are told by name", "[offline_rl]") {
  const at::NoGradGuard no_grad;
  auto options = minatar_network(4, 3, 2);
  options.seed = 7;
  QNetwork net(options);
  options.seed = 8;
  QNetwork other(options);
  const auto weights = torch_weights(*net);
  load_weights(*other, weights);
  const auto state = at::randint(0, 2, {2, 10, 10, 4}, at::kByte);
  CHECK(at::equal(net(state), other(state)));
  // In PyTorch the picture is [channels, height, width], and so is what the first dense layer reads.
  const auto x = state.permute({0, 3, 1, 2}).to(at::kFloat);
  const auto conv = at::conv2d(x, weights.at("conv1.weight"), weights.at("conv1.bias")).relu().flatten(1);
  const auto hidden = at::linear(conv, weights.at("fc1.weight"), weights.at("fc1.bias")).relu();
  CHECK(relative_difference(at::linear(hidden, weights.at("fc2.weight"), weights.at("fc2.bias")).view({2, 3, 2}), net(state)) < 1e-5);

  auto wrong = weights;
  wrong.erase("fc2.bias");
  wrong["fc3.bias"] = at::zeros({1});
  wrong["conv1.bias"] = at::zeros({3});
  CHECK_THROWS_WITH(load_weights(*other, wrong),
                    Contains("fc2.bias is missing") && Contains("conv1.bias is 3 and must be 16") && Contains("fc3.bias is not one"));
}
