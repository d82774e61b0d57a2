// Uses the installed library as its users do: a rule from plain numbers, and a network on tensors.
#include <libzoo/bit/hyper_rule.h>
#include <libzoo/nn/res_net_v2.h>

#include <ATen/ATen.h>

#include <cstdio>

int main() {
  const auto rule = zoo::bit::hyper_rule({.num_examples = 1000, .image_height = 32, .image_width = 32});
  zoo::nn::ResNetV2 net(zoo::nn::ResNetV2Options{.units = {1}, .width = 0.5, .num_classes = 5});
  const auto logits = net->forward(at::zeros({2, 3, 24, 24}));
  std::printf("consumer: %lld steps at %lld pixels; logits [%lld, %lld]\n", static_cast<long long>(rule.total_steps),
              static_cast<long long>(rule.crop), static_cast<long long>(logits.size(0)), static_cast<long long>(logits.size(1)));
  return rule.total_steps == 500 && rule.crop == 128 && logits.size(1) == 5 ? 0 : 1;
}
