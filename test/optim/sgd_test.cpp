#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/optim/sgd.h>

#include <cmath>

using namespace zoo;
using optim::Sgd;

namespace {

at::Tensor parameter(const at::Tensor& values) { return values.clone().set_requires_grad(true); }

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

}  // namespace

TEST_CASE("a step follows the written-out recurrence while the rate changes", "[optim]") {
  struct Variant {
    double momentum, weight_decay;
    bool nesterov;
  };
  const auto variant =
      GENERATE(Variant{0, 0, false}, Variant{0.9, 0, false}, Variant{0.9, 0.01, false}, Variant{0.8, 0.01, true}, Variant{0, 0.1, false});
  const int64_t size = GENERATE(1, 17, 70001);  // more than two of the kernel's chunks
  auto p = parameter(at::randn({size}, at::kDouble));
  Sgd sgd(std::vector<at::Tensor>{p}, {.momentum = variant.momentum, .weight_decay = variant.weight_decay, .nesterov = variant.nesterov});
  auto expected = p.detach().clone(), velocity = at::zeros_like(expected);
  for (const double rate : {0.0, 0.1, 0.1, 0.01}) {
    const auto grad = at::randn_like(expected);
    p.mutable_grad() = grad.clone();
    sgd.step(rate);
    const auto decayed = grad + variant.weight_decay * expected;
    velocity = variant.momentum * velocity + decayed;
    expected = expected - rate * (variant.nesterov ? decayed + variant.momentum * velocity : velocity);
    REQUIRE(largest_difference(p.detach(), expected) < 1e-13);
  }
}

TEST_CASE("the velocity does not contain the rate", "[optim]") {
  // v = 0.9 v + g keeps its size when the rate falls: p after rates 1 and 0.1 with g = 1 is -1 - 0.1 · 1.9, not -1 - 0.9 - 0.1.
  auto p = parameter(at::zeros({1}));
  Sgd sgd(std::vector<at::Tensor>{p}, {.momentum = 0.9});
  for (const double rate : {1.0, 0.1}) {
    p.mutable_grad() = at::ones({1});
    sgd.step(rate);
  }
  CHECK(p.item<double>() == Approx(-1.19));
}

TEST_CASE("layouts that the kernel does not take give the same step", "[optim]") {
  const auto start = at::randn({6, 8, 3, 3}), grad = at::randn({6, 8, 3, 3});
  const std::vector<at::Tensor> layouts = {start, start.contiguous(at::MemoryFormat::ChannelsLast),
                                           at::empty({3, 3, 8, 6}).permute({3, 2, 0, 1}).copy_(start),
                                           at::empty({6, 8, 3, 4}).slice(3, 0, 3).copy_(start)};
  at::Tensor first;
  for (const auto& values : layouts) {
    for (const bool same_order : {true, false}) {
      auto p = values.detach().clone(at::MemoryFormat::Preserve);
      if (!values.is_non_overlapping_and_dense()) p = at::empty({6, 8, 3, 4}).slice(3, 0, 3).copy_(start);
      p.set_requires_grad(true);
      Sgd sgd(std::vector<at::Tensor>{p}, {.momentum = 0.9, .weight_decay = 0.1});
      for (int i = 0; i < 2; ++i) {
        p.mutable_grad() = same_order ? at::empty_like(p).copy_(grad) : grad.clone();
        sgd.step(0.1);
      }
      if (!first.defined()) first = p.detach().clone();
      CHECK(largest_difference(p.detach(), first) < 1e-6);
    }
  }
}

TEST_CASE("half precision takes the composed way", "[optim]") {
  auto p = parameter(at::ones({5}, at::kBFloat16));
  Sgd sgd(std::vector<at::Tensor>{p}, {.momentum = 0.5});
  p.mutable_grad() = at::ones({5}, at::kBFloat16);
  sgd.step(0.5);
  CHECK(p[0].item<double>() == 0.5);
}

TEST_CASE("a parameter without a gradient stays, and zero_grad drops gradients", "[optim]") {
  auto moved = parameter(at::ones({3})), still = parameter(at::ones({3}));
  Sgd sgd(std::vector<at::Tensor>{moved, still}, {.momentum = 0.9, .weight_decay = 0.5});
  moved.mutable_grad() = at::ones({3});
  sgd.step(1);
  CHECK(still.equal(at::ones({3})));
  CHECK(moved[0].item<double>() == Approx(-0.5));
  CHECK(sgd.state().arrays.size() == 1);
  sgd.zero_grad();
  CHECK_FALSE(moved.grad().defined());
  sgd.step(1);  // nothing to do, not even by momentum
  CHECK(moved[0].item<double>() == Approx(-0.5));
}

TEST_CASE("a restored state continues bit for bit", "[optim]") {
  const auto make = [] {
    return parameter(at::arange(2 * 3 * 2 * 2, at::kFloat).view({2, 3, 2, 2}).contiguous(at::MemoryFormat::ChannelsLast));
  };
  const auto advance = [](Sgd& sgd, at::Tensor& p, int from, int to) {
    for (int i = from; i < to; ++i) {
      p.mutable_grad() = at::empty_like(p).copy_(p.detach() * 0.1 + i);
      sgd.step(0.05);
    }
  };
  torch::OrderedDict<std::string, at::Tensor> names;
  auto whole = make();
  Sgd unbroken(std::vector<at::Tensor>{whole}, {.momentum = 0.9});
  advance(unbroken, whole, 0, 5);

  auto broken = make();
  Sgd before(std::vector<at::Tensor>{broken}, {.momentum = 0.9});
  advance(before, broken, 0, 2);
  const State state = before.state();
  Sgd after(std::vector<at::Tensor>{broken}, {.momentum = 0.9});
  after.restore(state);
  advance(after, broken, 2, 5);
  CHECK(broken.equal(whole));
}

TEST_CASE("a state of other parameters is refused, and changes nothing", "[optim]") {
  torch::OrderedDict<std::string, at::Tensor> parameters;
  parameters.insert("a", parameter(at::ones({2})));
  Sgd sgd(parameters, {.momentum = 0.9});
  parameters["a"].mutable_grad() = at::ones({2});
  sgd.step(0.1);
  const auto with = [&](const std::string& name, const at::Tensor& values) {
    torch::OrderedDict<std::string, at::Tensor> others;
    others.insert(name, parameter(values));
    Sgd other(others, {.momentum = 0.9});
    others[name].mutable_grad() = at::ones_like(values);
    other.step(0.1);
    return other.state();
  };
  CHECK_THROWS_WITH(sgd.restore(with("a", at::ones({3}))), Contains("a"));
  CHECK_THROWS_WITH(sgd.restore(with("b", at::ones({2}))), Contains("not here"));
  CHECK_THROWS_AS(sgd.restore(State{}), Error);
  CHECK(sgd.state().arrays.size() == 1);
  sgd.restore(with("a", at::ones({2})));
}

TEST_CASE("impossible settings and a parameter given twice are refused", "[optim]") {
  auto p = parameter(at::ones({2}));
  CHECK_THROWS_WITH(Sgd(std::vector<at::Tensor>{p, p}, {}), Contains("twice"));
  CHECK_THROWS_WITH(Sgd(std::vector<at::Tensor>{p}, {.momentum = -0.1}), Contains("-0.1"));
  CHECK_THROWS_WITH(Sgd(std::vector<at::Tensor>{p}, {.weight_decay = -1}), Contains("-1"));
}

TEST_CASE("clipping scales all gradients to the given global norm, and leaves smaller ones alone", "[optim]") {
  auto a = parameter(at::zeros({2})), b = parameter(at::zeros({1})), without = parameter(at::zeros({4}));
  a.mutable_grad() = at::full({2}, 2.0f);
  b.mutable_grad() = at::ones({1});
  const std::vector<at::Tensor> parameters = {a, b, without};
  CHECK(optim::clip_grad_norm(parameters, 10).item<double>() == Approx(3));  // sqrt(4 + 4 + 1)
  CHECK(a.grad()[0].item<double>() == 2);
  CHECK(optim::clip_grad_norm(parameters, 1.5).item<double>() == Approx(3));
  CHECK(a.grad()[0].item<double>() == Approx(1).epsilon(1e-5));
  CHECK(b.grad()[0].item<double>() == Approx(0.5).epsilon(1e-5));
  CHECK(optim::clip_grad_norm({without}, 1).item<double>() == 0);
}
