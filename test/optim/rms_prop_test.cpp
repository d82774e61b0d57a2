#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/optim/adam.h>
#include <libzoo/optim/rms_prop.h>

#include <ATen/ATen.h>
#include <torch/optim/rmsprop.h>

using namespace zoo;
using optim::RmsProp;
using optim::RmsPropForm;
using optim::RmsPropOptions;

namespace {

at::Tensor leaf(const at::Tensor& values) { return values.clone(at::MemoryFormat::Preserve).set_requires_grad(true); }
at::Tensor gradient(const at::Tensor& p, int step) { return at::empty_like(p).copy_((p.detach() * 0.3 + std::sin(step)).detach()); }
double largest_difference(const at::Tensor& a, const at::Tensor& b) { return (a.detach() - b.detach()).abs().max().item<double>(); }

double first_step(optim::Optimizer& optimizer, at::Tensor& p, double grad, double rate) {
  p.mutable_grad() = at::full_like(p, grad);
  const double before = p.item<double>();
  optimizer.step(rate);
  return before - p.item<double>();
}

}  // namespace

TEST_CASE("RMSProp goes the way of torch's", "[optim]") {
  const bool centered = GENERATE(false, true);
  const double momentum = GENERATE(0.0, 0.9);
  at::manual_seed(2);
  const auto start = at::randn({30'000}, at::kDouble),
             strided = at::randn({4, 6, 3, 3}, at::kDouble).contiguous(at::MemoryFormat::ChannelsLast),
             holes = at::randn({5, 8}, at::kDouble).slice(1, 0, 8, 2);
  std::vector<at::Tensor> ours = {leaf(start), leaf(strided), holes.detach().set_requires_grad(true)},
                          theirs = {leaf(start), leaf(strided), leaf(holes)};
  RmsProp rms(ours, {.decay = 0.9, .momentum = momentum, .eps = 1e-3, .centered = centered});
  torch::optim::RMSprop other(theirs, torch::optim::RMSpropOptions(0.02).alpha(0.9).eps(1e-3).momentum(momentum).centered(centered));
  for (int step = 0; step < 20; ++step) {
    for (size_t i = 0; i < ours.size(); ++i)
      ours[i].mutable_grad() = gradient(ours[i], step), theirs[i].mutable_grad() = gradient(theirs[i], step);
    rms.step(0.02);
    other.step();
  }
  for (size_t i = 0; i < ours.size(); ++i) CHECK(largest_difference(ours[i], theirs[i]) < 1e-10);
}

TEST_CASE("first steps of TensorFlow's forms are many times smaller", "[optim]") {
  // By hand, decay 0.95, g = 0.1: square 0.9505, mean 0.005, so 2.5e-4 · 0.1 / sqrt(0.9505 - 2.5e-5 + 1e-5); in torch's form square 5e-4.
  const RmsPropOptions options{.decay = 0.95, .eps = 1e-5, .centered = true};
  auto p = leaf(at::ones({1}, at::kDouble));
  RmsProp torch_form({p}, options);
  CHECK(first_step(torch_form, p, 0.1, 2.5e-4) == Approx(1.1466e-3).epsilon(1e-3));
  auto tensorflow = options;
  tensorflow.form = RmsPropForm::tensorflow;
  RmsProp tensorflow_form({p}, tensorflow);
  CHECK(first_step(tensorflow_form, p, 0.1, 2.5e-4) == Approx(2.5643e-5).epsilon(1e-4));

  optim::Adam adam({p}, {.eps = 3.125e-4}), hat({p}, {.eps = 3.125e-4, .epsilon_hat = true});
  CHECK(first_step(adam, p, 1e-3, 5e-5) == Approx(3.8095e-5).epsilon(1e-4));
  CHECK(first_step(hat, p, 1e-3, 5e-5) == Approx(4.5947e-6).epsilon(1e-4));
}

TEST_CASE("RMSProp continues bit for bit from its state, which must be one with its options", "[optim]") {
  const RmsPropOptions options{.decay = 0.9, .momentum = 0.5, .eps = 1e-3, .centered = true, .form = RmsPropForm::tensorflow};
  auto whole = leaf(at::randn({3, 50})), broken = leaf(whole.detach());
  RmsProp unbroken({whole}, options), before({broken}, options), after({broken}, options);
  const auto advance = [](RmsProp& rms, at::Tensor& p, int from, int to) {
    for (int step = from; step < to; ++step) p.mutable_grad() = gradient(p, step), rms.step(0.05);
  };
  advance(unbroken, whole, 0, 6);
  advance(before, broken, 0, 3);
  after.restore(before.state());
  advance(after, broken, 3, 6);
  CHECK(at::equal(whole, broken));
  RmsProp plain({broken}, {});
  CHECK_THROWS_WITH(plain.restore(before.state()), Contains("not one with these options"));
  CHECK_THROWS_AS(RmsProp({broken}, {.decay = 1}), Error);
}
