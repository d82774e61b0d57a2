#include "test/nn/gradients.h"

#include <libzoo/nn/checkpointed.h>
#include <libzoo/nn/res_net_v2.h>

using namespace zoo;
using namespace zoo::test;

TEST_CASE("a network that is computed again going back has the same values and gradients, bit for bit", "[nn]") {
  const auto x = at::rand({2, 3, 33, 17}), above = at::randn({2, 5});
  const auto type = GENERATE(at::kFloat, at::kBFloat16);
  Tensors gradients[2], logits;
  for (const bool again : {false, true}) {
    nn::ResNetV2 net(nn::ResNetV2Options{.units = {1, 3, 1}, .width = 0.5, .num_classes = 5});
    {
      at::NoGradGuard no_grad;
      net->named_parameters()["head.conv.weight"].fill_(0.01);
    }
    net->set_compute_type(type);
    net->checkpoint_activations(again);
    logits.push_back(net(x));
    logits.back().backward(above);
    for (const auto& parameter : net->parameters()) gradients[again].push_back(parameter.grad());
  }
  CHECK(logits[0].equal(logits[1]));
  for (size_t i = 0; i < gradients[0].size(); ++i) CHECK(gradients[0][i].equal(gradients[1][i]));
}

TEST_CASE("a part is computed once where nothing flows back, and twice where something does", "[nn]") {
  int calls = 0;
  const auto part = [&](const at::Tensor& x) {
    ++calls;
    return x.square();
  };
  const auto x = at::tensor({1.0, -2.0});
  nn::checkpointed(part, x);
  CHECK(calls == 1);
  const auto leaf = x.clone().set_requires_grad(true);
  {
    at::NoGradGuard no_grad;
    nn::checkpointed(part, leaf);
  }
  CHECK(calls == 2);
  const auto y = nn::checkpointed(part, leaf);
  CHECK(calls == 3);
  y.sum().backward();
  CHECK(calls == 4);
  CHECK(leaf.grad().equal(2 * x));
}
