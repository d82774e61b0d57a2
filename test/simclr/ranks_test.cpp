// Two ranks with half of the batch each are one rank with the whole of it.
#include "test/catch.h"

#include <libzoo/dist/dist.h>
#include <libzoo/nn/batch_norm.h>
#include <libzoo/simclr/nt_xent.h>
#include <libzoo/simclr/optimizer.h>

#include <ATen/ATen.h>

#include <cmath>
#include <future>
#include <map>

using namespace zoo;
using namespace zoo::simclr;

namespace {

constexpr int64_t kBatch = 12, kSize = 16, kSteps = 5;

struct Trace {
  std::vector<double> losses;
  std::map<std::string, at::Tensor> first_gradients, end;  // of parameters; parameters and running statistics
};

// Five LARS steps on pictures [steps, batch, 2, 3, size, size], as `zoo-simclr pretrain` does them.
Trace train(const std::string& encoder, const at::Tensor& pictures, dist::GroupPointer group) {
  Network network(NetworkOptions{.encoder = encoder, .small_stem = true, .head_layers = 2, .head_outputs = 16, .seed = 4});
  network->to(pictures.scalar_type());
  dist::DataParallel parallel(*network, group);
  if (group) nn::synchronize_batch_norms(*network, [group](at::Tensor& values) { group->sum(values); });
  Optimizer lars(*network, {.weight_decay = 1e-4});
  const int64_t n = group ? kBatch / group->size() : kBatch, from = group ? group->rank() * n : 0;
  Trace trace;
  for (int64_t step = 0; step < kSteps; ++step) {
    lars.zero_grad();
    const auto views = pictures[step].slice(0, from, from + n);
    const auto z = network->project(network->features(views.reshape({2 * n, 3, kSize, kSize}))).view({n, 2, -1});
    const auto loss = nt_xent(z.select(1, 0), z.select(1, 1), {.temperature = 0.2}, group.get()).value;
    parallel.backward(loss);
    auto mean = loss.detach().to(at::kDouble).view({1});
    if (group) {
      group->sum(mean);
      mean /= group->size();
    }
    trace.losses.push_back(mean.item<double>());
    if (step == 0)
      for (const auto& entry : network->named_parameters()) trace.first_gradients.emplace(entry.key(), entry.value().grad().clone());
    lars.step(1.0);
  }
  for (const auto& [name, tensor] : named_tensors(network)) trace.end.emplace(name, tensor.clone());
  return trace;
}

// |a - b| / |b|
double relative(const at::Tensor& a, const at::Tensor& b) { return ((a - b).norm() / b.norm().clamp_min(1e-30)).item<double>(); }

}  // namespace

TEST_CASE("Two ranks train as one does on both halves: loss, gradients, statistics, weights after five LARS steps", "[simclr]") {
  const bool small = GENERATE(true, false);
  at::manual_seed(2);
  // The small network in float32, all its weights together; a residual one in float64, tensor by tensor: biases begin at zero, and 20
  // layers multiply float32's rounding.
  const auto pictures = at::rand({kSteps, kBatch, 2, 3, kSize, kSize}, small ? at::kFloat : at::kDouble);
  const std::string encoder = small ? "small" : "r18_1x_sk0";
  const Trace one = train(encoder, pictures, nullptr);
  const auto groups = dist::groups_of_threads(2);
  std::vector<std::future<Trace>> ranks;
  for (const auto& group : groups) ranks.push_back(std::async(std::launch::async, [&, group] { return train(encoder, pictures, group); }));
  for (auto& rank : ranks) {
    const Trace two = rank.get();
    for (int64_t step = 0; step < kSteps; ++step) REQUIRE(std::abs(two.losses[size_t(step)] / one.losses[size_t(step)] - 1) <= 1e-5);
    for (const auto& [name, gradient] : one.first_gradients) {
      INFO(name);
      if (gradient.norm().item<double>() > 1e-6) REQUIRE(relative(two.first_gradients.at(name), gradient) <= 1e-5);
    }
    double distance = 0, size = 0;
    for (const auto& [name, tensor] : one.end) {
      INFO(name);
      if (!small) REQUIRE(relative(two.end.at(name), tensor) <= 1e-5);
      distance += (two.end.at(name) - tensor).square().sum().item<double>();
      size += tensor.square().sum().item<double>();
    }
    REQUIRE(std::sqrt(distance / size) <= 1e-5);
  }
}

TEST_CASE("Negatives beyond the batch raise the loss as more columns of the definition do", "[simclr]") {
  at::manual_seed(5);
  const auto a = at::randn({4, 6}, at::kDouble).requires_grad_(), b = at::randn({4, 6}, at::kDouble).requires_grad_();
  const auto more = normalize_rows(at::randn({9, 6}, at::kDouble));
  const NtXentOptions options{.temperature = 0.3, .max_bytes = 400};
  const auto loss = nt_xent(a, b, options, nullptr, more).value;
  loss.backward();
  const auto x = a.detach().clone().requires_grad_(), y = b.detach().clone().requires_grad_();
  const auto z = normalize_rows(at::cat({x, y}));
  auto logits = z.mm(at::cat({z, more}).t()) / 0.3;
  logits = logits.masked_fill(at::cat({at::eye(8, at::kBool), at::zeros({8, 9}, at::kBool)}, 1), -INFINITY);
  const auto expected = at::cross_entropy_loss(logits, at::cat({at::arange(4, 8), at::arange(0, 4)})) * 2;
  expected.backward();
  REQUIRE(std::abs(loss.item<double>() - expected.item<double>()) < 1e-12);
  REQUIRE((a.grad() - x.grad()).abs().max().item<double>() < 1e-12);
  REQUIRE((b.grad() - y.grad()).abs().max().item<double>() < 1e-12);
}
