#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/optim/adam.h>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>

using namespace zoo;
using optim::Adam;
using optim::AdamOptions;

namespace {

at::Tensor leaf(const at::Tensor& values) { return values.clone(at::MemoryFormat::Preserve).set_requires_grad(true); }

// Gradients that change sign and size, the same for every optimiser.
at::Tensor gradient(const at::Tensor& p, int step) { return at::empty_like(p).copy_((p.detach() * 0.3 + std::sin(step)).detach()); }

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a.detach().to(at::kDouble) - b.detach().to(at::kDouble)).abs().max().item<double>();
}

}  // namespace

TEST_CASE("Adam's first step has the length of the rate, whatever the gradient's size", "[optim]") {
  // m / (1 - beta1) = g and v / (1 - beta2) = g².
  auto p = leaf(at::tensor({1.0, 1.0, 1.0}, at::kDouble));
  Adam adam({p}, {});
  p.mutable_grad() = at::tensor({1e-3, -50.0, 2.0}, at::kDouble);
  adam.step(0.1);
  CHECK(p[0].item<double>() == Approx(0.9).epsilon(1e-5));
  CHECK(p[1].item<double>() == Approx(1.1).epsilon(1e-9));
  CHECK(p[2].item<double>() == Approx(0.9).epsilon(1e-8));
}

TEST_CASE("Adam goes the way of torch's Adam and AdamW", "[optim]") {
  const bool decoupled = GENERATE(false, true);
  const double decay = GENERATE(0.0, 0.05);
  const auto type = GENERATE(at::kFloat, at::kDouble);
  at::manual_seed(2);
  // Dense and strided memory; more than one chunk.
  const auto start = at::randn({50'000}, type), strided = at::randn({4, 6, 3, 3}, type).contiguous(at::MemoryFormat::ChannelsLast),
             holes = at::randn({5, 8}, type).slice(1, 0, 8, 2);
  std::vector<at::Tensor> ours = {leaf(start), leaf(strided), holes.detach().set_requires_grad(true)},
                          theirs = {leaf(start), leaf(strided), leaf(holes)};
  Adam adam(ours, {.beta1 = 0.8, .beta2 = 0.95, .weight_decay = decay, .decoupled = decoupled});
  torch::optim::Adam other(theirs, torch::optim::AdamOptions(0.02).betas({0.8, 0.95}).weight_decay(decay));
  torch::optim::AdamW other_decoupled(theirs, torch::optim::AdamWOptions(0.02).betas({0.8, 0.95}).weight_decay(decay));
  for (int step = 0; step < 30; ++step) {
    for (size_t i = 0; i < ours.size(); ++i) {
      const bool left_out = i == 1 && step < 2;  // its bias corrections begin later
      ours[i].mutable_grad() = left_out ? at::Tensor() : gradient(ours[i], step);
      theirs[i].mutable_grad() = left_out ? at::Tensor() : gradient(theirs[i], step);
    }
    adam.step(0.02);
    if (decoupled)
      other_decoupled.step();
    else
      other.step();
  }
  for (size_t i = 0; i < ours.size(); ++i) CHECK(largest_difference(ours[i], theirs[i]) < (type == at::kFloat ? 2e-5 : 1e-12));
}

TEST_CASE("a first moment in bfloat16 is rounded between steps, not before it is used", "[optim]") {
  const auto start = at::randn({1000});
  auto p = leaf(start), alone = start.to(at::kDouble);
  auto m = at::zeros({1000}, at::kDouble), v = at::zeros({1000}, at::kDouble);
  Adam adam({p}, {.bf16_moment = true});
  for (int step = 1; step <= 10; ++step) {
    const auto g = gradient(p, step);
    p.mutable_grad() = g;
    const auto exact = g.to(at::kDouble), fresh = m * 0.9 + exact * 0.1;
    v = v * 0.999 + exact.square() * 0.001;
    alone = alone - 0.01 * (fresh / (1 - std::pow(0.9, step))) / ((v / (1 - std::pow(0.999, step))).sqrt() + 1e-8);
    m = fresh.to(at::kFloat).to(at::kBFloat16).to(at::kDouble);
    adam.step(0.01);
    // A moment half way between two values of bfloat16 may fall either way in float32: 2^-9 of a step.
    CHECK(largest_difference(p, alone) < 4e-5);
  }
  const auto state = adam.state();
  CHECK(state.arrays.at("0.first").dtype() == DType::bf16);
  CHECK(state.arrays.at("0.second").dtype() == DType::f32);
  p.mutable_grad() = at::full({1000}, std::numeric_limits<float>::quiet_NaN());
  adam.step(0.01);
  p.mutable_grad() = at::ones({1000});
  adam.step(0.01);
  CHECK(p.isnan().all().item<bool>());
}

TEST_CASE("Adam continues bit for bit from its state, on any number of threads", "[optim]") {
  const AdamOptions options{.weight_decay = 0.01, .decoupled = true, .bf16_moment = GENERATE(false, true)};
  const auto start = at::randn({3, 200, 10, 10}).contiguous(at::MemoryFormat::ChannelsLast);
  const auto advance = [](Adam& adam, at::Tensor& p, int from, int to) {
    for (int step = from; step < to; ++step) {
      p.mutable_grad() = gradient(p, step);
      adam.step(0.05);
    }
  };
  auto whole = leaf(start), broken = leaf(start);
  Adam unbroken({whole}, options), before({broken}, options), after({broken}, options);
  advance(unbroken, whole, 0, 6);
  const int threads = at::get_num_threads();
  at::set_num_threads(3);
  advance(before, broken, 0, 3);
  after.restore(before.state());
  at::set_num_threads(1);
  advance(after, broken, 3, 6);
  at::set_num_threads(threads);
  CHECK(broken.equal(whole));
}

TEST_CASE("Adam refuses what can't be, and a state of other parameters, and changes nothing then", "[optim]") {
  auto p = leaf(at::ones({2}));
  CHECK_THROWS_WITH(Adam({p, p}, {}), Contains("twice"));
  CHECK_THROWS_WITH(Adam({p}, {.beta1 = 1}), Contains("[0, 1)"));
  CHECK_THROWS_WITH(Adam({p}, {.weight_decay = -1}), Contains("-1"));
  Adam adam({p}, {});
  p.mutable_grad() = at::ones({2});
  adam.step(0.1);
  auto longer = leaf(at::ones({3})), second = leaf(at::ones({2}));
  Adam other({longer}, {}), two({second, longer}, {});
  second.mutable_grad() = at::ones({2});
  longer.mutable_grad() = at::ones({3});
  other.step(0.1);
  two.step(0.1);
  CHECK_THROWS_WITH(adam.restore(other.state()), Contains("shape"));
  CHECK_THROWS_WITH(adam.restore(two.state()), Contains("not here"));
  CHECK_THROWS_AS(adam.restore(State{}), Error);
  CHECK(adam.state().arrays.size() == 2);
}
