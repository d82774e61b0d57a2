// Ranks as threads of this process, over Gloo on the loopback interface, as processes meet.
#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/dist/dist.h>
#include <libzoo/nn/batch_norm.h>

#include <ATen/ATen.h>

#include <future>

using namespace zoo;

namespace {

// What `work` returns on each rank.
template <class Work>
auto on_ranks(int size, Work work) {
  const auto groups = dist::groups_of_threads(size);
  std::vector<std::future<decltype(work(groups[0]))>> running;
  for (const auto& group : groups) running.push_back(std::async(std::launch::async, work, group));
  std::vector<decltype(work(groups[0]))> results;
  for (auto& one : running) results.push_back(one.get());
  return results;
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

}  // namespace

TEST_CASE("Collectives do what their names say", "[dist]") {
  const auto results = on_ranks(3, [](const dist::GroupPointer& group) {
    auto sum = at::full({2, 2}, double(group->rank() + 1)).t();
    group->sum(sum);
    auto first = at::full({3}, double(group->rank() + 5));
    group->broadcast(first);
    const auto rows = group->gather(at::full({1, 2}, double(group->rank())));
    return std::tuple(sum, first, rows, group->from_first(group->rank() + 7), group->largest(group->rank() * 10));
  });
  for (const auto& [sum, first, rows, value, largest] : results) {
    REQUIRE(sum.eq(6).all().item<bool>());
    REQUIRE(first.eq(5).all().item<bool>());
    REQUIRE(at::equal(rows, at::tensor({0.0, 0.0, 1.0, 1.0, 2.0, 2.0}).view({3, 2}).to(rows.scalar_type())));
    REQUIRE(value == 7);
    REQUIRE(largest == 20);
  }
}

TEST_CASE("The gradient of gathered rows is the sum of what all ranks say of them", "[dist]") {
  const auto weights = at::arange(1, 7, at::kDouble).view({2, 3});  // of rank r's loss for row j
  const auto gradients = on_ranks(2, [&](const dist::GroupPointer& group) {
    const auto rows = at::ones({1, 3}, at::kDouble).requires_grad_();
    const auto all = dist::gather_rows(rows, group.get());
    (all * weights * (group->rank() + 1)).sum().backward();
    return rows.grad();
  });
  for (int64_t rank = 0; rank < 2; ++rank) REQUIRE(at::equal(gradients[size_t(rank)], weights.slice(0, rank, rank + 1) * 3));
  const auto alone = at::ones({1, 3});
  REQUIRE(dist::gather_rows(alone, nullptr).is_same(alone));
}

TEST_CASE("Gradients are averaged over the ranks, whose networks start alike", "[dist]") {
  const auto results = on_ranks(2, [](const dist::GroupPointer& group) {
    nn::BatchNorm norm(nn::BatchNormOptions{.channels = 2, .initial_weight = double(group->rank() + 3)});
    dist::DataParallel parallel(*norm, group);
    std::vector<at::Tensor> gradients;
    for (int step = 0; step < 3; ++step) {
      for (auto& parameter : norm->parameters()) parameter.mutable_grad() = at::Tensor();
      parallel.backward(((norm->weight + norm->bias) * (group->rank() + 1) * (step + 1)).sum());
      gradients.push_back(norm->weight.grad().clone());
    }
    return std::pair(norm->weight.detach().clone(), gradients);
  });
  for (const auto& [weight, gradients] : results) {
    REQUIRE(weight.eq(3).all().item<bool>());
    for (int step = 0; step < 3; ++step) REQUIRE(gradients[size_t(step)].eq(1.5 * (step + 1)).all().item<bool>());
  }
}

TEST_CASE("Synchronised batch norm is that of the joined batch, forward and backward, shares of different size included", "[dist]") {
  at::manual_seed(3);
  const auto x = at::randn({7, 3, 2, 5}) * 3 + 100, cotangent = at::randn({7, 3, 2, 5});  // a mean far from zero
  const auto run = [&](nn::BatchNorm& norm, const at::Tensor& part, const at::Tensor& above) {
    const at::NoGradGuard no_grad;
    norm->weight.copy_(at::tensor({1.0, 2.0, -1.0}));
    at::AutoGradMode with_gradients(true);
    const auto input = part.clone().requires_grad_();
    const auto y = norm(input);
    (y * above).sum().backward();
    return std::vector{y.detach(), input.grad(), norm->weight.grad(), norm->bias.grad(), norm->running_mean, norm->running_var};
  };
  nn::BatchNorm whole(nn::BatchNormOptions{.channels = 3});
  const auto expected = run(whole, x, cotangent);
  const std::vector<int64_t> begins{0, 2, 7};
  const auto parts = on_ranks(2, [&](const dist::GroupPointer& group) {
    nn::BatchNorm norm(nn::BatchNormOptions{.channels = 3});
    nn::synchronize_batch_norms(*norm, [group](at::Tensor& values) { group->sum(values); });
    const auto from = begins[size_t(group->rank())], to = begins[size_t(group->rank()) + 1];
    return run(norm, x.slice(0, from, to), cotangent.slice(0, from, to));
  });
  for (size_t i : {0, 1}) REQUIRE(largest_difference(at::cat({parts[0][i], parts[1][i]}), expected[i]) < 2e-5);
  for (size_t i : {2, 3}) REQUIRE(largest_difference(parts[0][i] + parts[1][i], expected[i]) < 2e-4);
  for (const auto& part : parts)
    for (size_t i : {4, 5}) REQUIRE(largest_difference(part[i], expected[i]) < 1e-5);
}

TEST_CASE("A rank whose partner does not answer says so within the timeout", "[dist]") {
  const auto groups = dist::groups_of_threads(2, std::chrono::milliseconds(700));
  auto values = at::ones({4});
  const auto started = std::chrono::steady_clock::now();
  REQUIRE_THROWS_WITH(groups[0]->sum(values), Contains("rank 0 of 2: another rank is gone, or did not answer in time"));
  REQUIRE(std::chrono::steady_clock::now() - started < std::chrono::seconds(10));
  dist::Place lonely{.rank = 1, .size = 2, .port = 1, .timeout = std::chrono::milliseconds(500)};
  REQUIRE_THROWS_WITH(dist::join(lonely, at::kCPU), Contains("rank 1 of 2 did not meet the others at 127.0.0.1:1"));
}
