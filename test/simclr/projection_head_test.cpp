#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/simclr/projection_head.h>
#include <libzoo/simclr/schedule.h>

#include <ATen/ATen.h>

using namespace zoo;
using simclr::HeadMode;

TEST_CASE("A head has the layers and sizes of the released ones", "[simclr]") {
  const auto values = [](const simclr::ProjectionHeadOptions& options) {
    int64_t count = 0;
    for (const auto& parameter : simclr::ProjectionHead(options)->parameters()) count += parameter.numel();
    return count;
  };
  REQUIRE(values({.layers = 3}) == 8'659'072);
  REQUIRE(values({.layers = 2}) == 4'460'672);
  REQUIRE(values({.mode = HeadMode::none}) == 0);

  simclr::ProjectionHead head(simclr::ProjectionHeadOptions{.layers = 3, .input_dim = 6, .output_dim = 4});
  const auto states = head->states(at::randn({5, 6}));
  REQUIRE(states.size() == 4);
  REQUIRE(states[1].min().item<float>() >= 0);
  REQUIRE(states[3].size(1) == 4);
  REQUIRE(states[3].mean(0).abs().max().item<float>() < 1e-5f);  // batch norm without a bias
  REQUIRE_THROWS_WITH(head->states(at::randn({5, 7})), Contains("[batch, 6]"));
  REQUIRE_THROWS_WITH(head->states(at::randn({1, 6})), Contains("more than one value"));
  head->eval();
  REQUIRE(head->forward(at::randn({1, 6})).size(1) == 4);
}

TEST_CASE("The schedule has the step counts of the published runs", "[simclr]") {
  const auto steps = [](int64_t n, int64_t batch, double epochs, double warmup) {
    const auto s = simclr::make_schedule({.num_examples = n, .batch_size = batch, .epochs = epochs, .warmup_epochs = warmup});
    return std::pair(s.total_steps, s.warmup_steps);
  };
  REQUIRE(steps(1'281'167, 4096, 100, 10) == std::pair<int64_t, int64_t>(31'279, 3'127));
  REQUIRE(steps(1'281'167, 4096, 800, 0).first == 250'228);
  REQUIRE(steps(12'811, 1024, 60, 0).first == 751);
  REQUIRE(steps(128'116, 1024, 30, 0).first == 3'754);
  const auto schedule = simclr::make_schedule({.num_examples = 1000, .batch_size = 100, .epochs = 10, .warmup_epochs = 1});
  REQUIRE(schedule.rate(0) == 0);
  REQUIRE(schedule.rate(schedule.total_steps) == 0);
  REQUIRE_THAT(schedule.rate(schedule.warmup_steps), Catch::Matchers::WithinAbs(schedule.peak, 1e-12));
  REQUIRE_THROWS_WITH(simclr::make_schedule({.num_examples = 100, .batch_size = 10, .epochs = 2, .warmup_epochs = 3}), Contains("warm-up"));
}
