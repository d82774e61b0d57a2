#include "test/nn/gradients.h"

#include <libzoo/core/error.h>
#include <libzoo/nn/res_net_v2.h>

#include <cmath>

using namespace zoo;
using namespace zoo::test;
using nn::ResNetV2;
using nn::ResNetV2Options;

namespace {

const ResNetV2Options kTiny{.units = {1, 1, 1, 1}, .width = 0.5, .num_classes = 10};

int64_t count(const torch::nn::Module& module) {
  int64_t total = 0;
  for (const auto& parameter : module.parameters()) total += parameter.numel();
  return total;
}

void randomise(torch::nn::Module& module) {
  at::NoGradGuard no_grad;
  for (auto& parameter : module.parameters()) {
    if (parameter.dim() == 1)
      parameter.add_(at::randn_like(parameter) * 0.1);
    else
      parameter.copy_(at::randn_like(parameter) * 0.05);
  }
}

// Section b1 of the network's definition, written out with LibTorch's own operators in float64.
struct Written {
  torch::OrderedDict<std::string, at::Tensor> p;
  at::Tensor conv(const at::Tensor& x, const std::string& name, int64_t stride, int64_t padding) {
    const auto w = p[name + ".weight"].to(at::kDouble);
    const auto centred = w - w.mean({1, 2, 3}, true);
    return at::conv2d(x, centred / (centred.square().mean({1, 2, 3}, true) + 1e-10).sqrt(), {}, stride, padding);
  }
  at::Tensor norm(const at::Tensor& x, const std::string& name) {
    const auto grouped = x.reshape({x.size(0), 32, -1});
    const auto centred = grouped - grouped.mean(2, true);
    const auto normal = (centred / (centred.square().mean(2, true) + 1e-5).sqrt()).view(x.sizes());
    return at::relu(normal * p[name + ".weight"].to(at::kDouble).view({1, -1, 1, 1}) +
                    p[name + ".bias"].to(at::kDouble).view({1, -1, 1, 1}));
  }
  at::Tensor unit(const at::Tensor& x, const std::string& name, int64_t stride) {
    const auto a = norm(x, name + "gn1");
    const auto shortcut = p.contains(name + "downsample.weight") ? conv(a, name + "downsample", stride, 0) : x;
    const auto b = norm(conv(a, name + "conv1", 1, 0), name + "gn2");
    return conv(norm(conv(b, name + "conv2", stride, 1), name + "gn3"), name + "conv3", 1, 0) + shortcut;
  }
  at::Tensor logits(const at::Tensor& x, const std::vector<int64_t>& units) {
    auto y = at::max_pool2d(at::constant_pad_nd(conv(x, "root.conv", 2, 3), {1, 1, 1, 1}), 3, 2);
    for (size_t b = 0; b < units.size(); ++b) {
      for (int64_t u = 0; u < units[b]; ++u) {
        y = unit(y, "body.block" + std::to_string(b + 1) + ".unit0" + std::to_string(u + 1) + ".", b > 0 && u == 0 ? 2 : 1);
      }
    }
    const auto pooled = norm(y, "head.gn").mean({2, 3});
    return at::linear(pooled, p["head.conv.weight"].to(at::kDouble).flatten(1), p["head.conv.bias"].to(at::kDouble));
  }
};

}  // namespace

TEST_CASE("the network agrees with its definition written out, values and gradients", "[nn]") {
  // Gradients in float64: in float32 a rounding at the kink of a ReLU would change them by far more than rounding.
  const ResNetV2Options options{.units = {2, 2, 1, 1}, .width = 0.5, .num_classes = 7};
  ResNetV2 net(options);
  randomise(*net);
  const bool last = GENERATE(true, false);
  if (!last) {
    for (auto& parameter : net->parameters()) parameter.set_data(parameter.contiguous());
  }
  const auto x = at::rand({3, 3, 40, 33}) * 2 - 1;
  const auto logits = net(x), expected = Written{net->named_parameters()}.logits(x.to(at::kDouble), options.units);
  const double scale = expected.std().item<double>();
  CHECK(scale > 0.01);
  CHECK(largest_difference(logits, expected) < 1e-4 * scale);

  net->to(at::kDouble);
  const auto exact = net(x.to(at::kDouble)), written = Written{net->named_parameters()}.logits(x.to(at::kDouble), options.units);
  CHECK(largest_difference(exact, written) < 1e-11 * scale);
  const auto labels = at::arange(3, at::kLong);
  const auto parameters = net->parameters();
  const auto found = torch::autograd::grad({at::cross_entropy_loss(exact, labels)}, parameters);
  const auto wanted = torch::autograd::grad({at::cross_entropy_loss(written, labels)}, parameters);
  for (size_t i = 0; i < parameters.size(); ++i) {
    INFO(net->named_parameters().keys()[i]);
    CHECK(largest_difference(found[i], wanted[i]) < 1e-9 * wanted[i].norm().item<double>() + 1e-15);
    CHECK(found[i].strides() == parameters[i].strides());  // so that the optimiser need not copy
  }
}

TEST_CASE("parameters have the official names, shapes and counts", "[nn]") {
  // Table b1: body parameters of R50x1, and with 1000 and 21843 classes; tiny.
  CHECK(count(*ResNetV2(ResNetV2Options{.num_classes = 0})) == 23500352);
  CHECK(count(*ResNetV2(ResNetV2Options{.num_classes = 1000})) == 25549352);
  CHECK(count(*ResNetV2(ResNetV2Options{.units = {1, 1, 1, 1}, .width = 0.5, .num_classes = 0})) == 2007328);
  ResNetV2 net(kTiny);
  const auto parameters = net->named_parameters();
  const auto keys = parameters.keys();
  REQUIRE(keys.size() == 1 + 4 * 10 + 4);
  CHECK(std::vector<std::string>(keys.begin(), keys.begin() + 11) ==
        std::vector<std::string>{"root.conv.weight", "body.block1.unit01.gn1.weight", "body.block1.unit01.gn1.bias",
                                 "body.block1.unit01.conv1.weight", "body.block1.unit01.gn2.weight", "body.block1.unit01.gn2.bias",
                                 "body.block1.unit01.conv2.weight", "body.block1.unit01.gn3.weight", "body.block1.unit01.gn3.bias",
                                 "body.block1.unit01.conv3.weight", "body.block1.unit01.downsample.weight"});
  CHECK(std::vector<std::string>(keys.end() - 4, keys.end()) ==
        std::vector<std::string>{"head.gn.weight", "head.gn.bias", "head.conv.weight", "head.conv.bias"});
  CHECK(parameters["head.conv.weight"].sizes() == at::IntArrayRef({10, 1024, 1, 1}));
  CHECK(parameters["root.conv.weight"].sizes() == at::IntArrayRef({32, 3, 7, 7}));
  CHECK(parameters["body.block4.unit01.conv2.weight"].is_contiguous(at::MemoryFormat::ChannelsLast));
}

TEST_CASE("any picture from one pixel up has an output grid halved five times", "[nn]") {
  ResNetV2 net(kTiny);
  const int64_t height = GENERATE(1, 2, 31, 64), width = GENERATE(1, 33);
  at::NoGradGuard no_grad;
  const auto outputs = net->stages(at::rand({1, 3, height, width}));
  REQUIRE(outputs.size() == 5);
  int64_t h = (height - 1) / 2 + 1, w = (width - 1) / 2 + 1;  // the root convolution
  const std::vector<int64_t> channels = {32, 128, 256, 512, 1024};
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (i != 1) h = (h - 1) / 2 + 1, w = (w - 1) / 2 + 1;  // the first stage keeps the pool's grid
    CHECK(outputs[i].sizes() == at::IntArrayRef({1, channels[i], h, w}));
    CHECK(outputs[i].isfinite().all().item<bool>());
  }
  CHECK(net->features(at::rand({1, 3, height, width})).sizes() == at::IntArrayRef({1, net->num_features()}));
}

TEST_CASE("a fresh network's loss is exactly ln C, and only the head has a gradient", "[nn]") {
  ResNetV2 net(kTiny);
  const auto logits = net(at::rand({4, 3, 32, 32}));
  CHECK(logits.equal(at::zeros({4, 10})));
  const auto loss = at::cross_entropy_loss(logits, at::arange(4, at::kLong));
  CHECK(loss.item<double>() == Approx(std::log(10.0)).epsilon(1e-6));
  loss.backward();
  for (const auto& entry : net->named_parameters()) {
    INFO(entry.key());
    const double largest = entry.value().grad().abs().max().item<double>();
    if (entry.key().starts_with("head.conv."))
      CHECK(largest > 0);
    else
      CHECK(largest == 0);
  }
}

TEST_CASE("initial weights are a function of the seed, with the deviation of fan-out", "[nn]") {
  auto options = kTiny;
  options.seed = 5;
  ResNetV2 first(options), second(options);
  options.seed = 6;
  ResNetV2 other(options);
  const auto name = "body.block3.unit01.conv2.weight";  // 128 filters of 128 x 3 x 3: 147456 values
  const auto weight = first->named_parameters()[name];
  CHECK(weight.equal(second->named_parameters()[name]));
  CHECK_FALSE(weight.equal(other->named_parameters()[name]));
  CHECK_FALSE(weight.equal(first->named_parameters()["body.block4.unit01.conv2.weight"].slice(0, 0, 128).slice(1, 0, 128)));
  const double deviation = std::sqrt(2.0 / (128 * 9));
  CHECK(weight.std().item<double>() == Approx(deviation).epsilon(0.01));  // five deviations of the estimate
  CHECK(weight.mean().item<double>() == Approx(0).margin(5 * deviation / 384));
  CHECK(first->named_parameters()["body.block1.unit01.gn2.weight"].equal(at::ones({32})));
}

TEST_CASE("without classes the network returns pooled features; fewer stages and other inputs work", "[nn]") {
  at::NoGradGuard no_grad;
  ResNetV2 features(ResNetV2Options{.units = {1, 2}, .width = 1.5, .num_classes = 0, .in_channels = 4});
  CHECK(features->num_features() == 96 * 8);
  const auto x = at::rand({2, 4, 20, 20});
  CHECK(features(x).sizes() == at::IntArrayRef({2, 768}));
  CHECK(features(x).equal(features->features(x)));
  CHECK_FALSE(features->named_parameters().contains("head.conv.weight"));
}

TEST_CASE("a clone computes the same and shares nothing", "[nn]") {
  ResNetV2 net(kTiny);
  randomise(*net);
  net->eval();
  net->parameters()[0].set_requires_grad(false);
  auto copy = std::dynamic_pointer_cast<nn::ResNetV2Impl>(net->clone());
  REQUIRE(copy);
  at::NoGradGuard no_grad;
  const auto x = at::rand({2, 3, 32, 32});
  CHECK(copy->forward(x).equal(net(x)));
  CHECK_FALSE(copy->is_training());
  CHECK_FALSE(copy->parameters()[0].requires_grad());
  CHECK(copy->parameters()[1].requires_grad());
  net->parameters()[0].zero_();
  CHECK_FALSE(copy->forward(x).equal(net(x)));
}

TEST_CASE("an inference without gradients equals one with", "[nn]") {
  ResNetV2 net(kTiny);
  randomise(*net);
  const auto x = at::rand({2, 3, 32, 32});
  const auto trained = net(x);
  c10::InferenceMode inference;
  CHECK(net(x).equal(trained));
}

TEST_CASE("networks and pictures that cannot be are refused with their numbers", "[nn]") {
  CHECK_THROWS_WITH(ResNetV2(ResNetV2Options{.width = 0.3}), Contains("0.3") && Contains("32"));
  CHECK_THROWS_WITH(ResNetV2(ResNetV2Options{.width = 0.25}), Contains("16"));
  CHECK_THROWS_AS(ResNetV2(ResNetV2Options{.width = -1}), UserError);
  CHECK_THROWS_AS(ResNetV2(ResNetV2Options{.units = {}}), UserError);
  CHECK_THROWS_AS(ResNetV2(ResNetV2Options{.units = {1, 1, 1, 1, 1}}), UserError);
  CHECK_THROWS_AS(ResNetV2(ResNetV2Options{.units = {1, 0}}), UserError);
  CHECK_THROWS_AS(ResNetV2(ResNetV2Options{.num_classes = -1}), UserError);
  ResNetV2 net(kTiny);
  CHECK_THROWS_WITH(net(at::rand({2, 4, 8, 8})), Contains("2 x 4 x 8 x 8"));
  CHECK_THROWS_AS(net(at::rand({3, 8, 8})), Error);
  CHECK_THROWS_AS(net(at::rand({2, 3, 0, 8})), Error);
}
