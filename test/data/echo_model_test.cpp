// Closed forms and simulations of echoing beyond the reference cases.
#include "test/catch.h"
#include <libzoo/core/error.h>
#include <libzoo/core/random.h>
#include <libzoo/data/echo_model.h>

#include <cmath>

using namespace zoo::data;
using zoo::Error;

TEST_CASE("Different items of a batch: the closed form in its special cases", "[data]") {
  REQUIRE(expected_unique(128, 2, 128) == Approx(96.13).margin(0.005));  // spec
  REQUIRE(expected_unique(10, 3, 0) == 0);
  REQUIRE(expected_unique(10, 3, 30) == Approx(10));   // everything
  REQUIRE(expected_unique(50, 1, 20) == Approx(20));   // nothing repeats
  REQUIRE(expected_unique(7, 4, 1) == Approx(1));
  REQUIRE(expected_unique(100'000, 2, 128) == Approx(128 - 128.0 * 127 / 2 / 199'999).epsilon(1e-6));  // pairs that meet
  REQUIRE(expected_unique(100'000, 2.5, 1000) < expected_unique(100'000, 2, 1000));
  REQUIRE(expected_unique(100'000, 2.5, 1000) > expected_unique(100'000, 3, 1000));
  REQUIRE_THROWS_AS(expected_unique(10, 2.9, 21), Error);
  REQUIRE_THROWS_AS(expected_unique(10, 0.5, 1), Error);
  REQUIRE_THROWS_AS(expected_unique(-1, 2, 0), Error);
}

TEST_CASE("The consumer is busy as the closed form says, and as a simulation shows", "[data]") {
  REQUIRE(queue_utilization(1, 1) == Approx(0.75));          // spec
  REQUIRE(queue_utilization(1, 8) == Approx(10.0 / 11));     // spec
  REQUIRE(queue_utilization(1 + 1e-9, 8) == Approx(10.0 / 11));
  REQUIRE(queue_utilization(0.5, 1000) == Approx(0.5));      // a long buffer: all that arrives
  REQUIRE(queue_utilization(0, 3) == 0);
  zoo::RandomStream random({.seed = 3});
  const auto exponential = [&](double mean) { return -mean * std::log(1 - random.uniform64()); };
  std::vector<double> produce, consume;
  for (int i = 0; i < 200'000; ++i) {
    produce.push_back(exponential(1));
    consume.push_back(exponential(0.8));
  }
  const auto times = simulate_echo(produce, std::vector<int64_t>(produce.size(), 1), consume, 4);
  REQUIRE(times.downstream_utilization == Approx(queue_utilization(0.8, 4)).epsilon(0.01));
}

TEST_CASE("A buffer behind the echo must hold several times the factor", "[data]") {
  // Spec, trial: R = 6, exponential services, steps per step time: e = 2: .320 at K = 2, .333 from 8; e = 8: .68, .84 at
  // K = 8, .975 at K = 32.
  const auto rate = [](int64_t factor, int64_t buffer) {
    zoo::RandomStream random({.seed = 11});
    const auto exponential = [&](double mean) { return -mean * std::log(1 - random.uniform64()); };
    std::vector<double> produce, consume;
    for (int i = 0; i < 40'000; ++i) {
      produce.push_back(exponential(6));
      for (int64_t c = 0; c < factor; ++c) consume.push_back(exponential(1));
    }
    return simulate_echo(produce, std::vector<int64_t>(produce.size(), factor), consume, buffer).steps_per_second;
  };
  REQUIRE(rate(2, 2) == Approx(0.320).margin(0.01));
  REQUIRE(rate(2, 8) == Approx(0.333).margin(0.01));
  REQUIRE(rate(8, 2) == Approx(0.68).margin(0.015));
  REQUIRE(rate(8, 8) == Approx(0.84).margin(0.015));
  REQUIRE(rate(8, 32) == Approx(0.975).margin(0.015));
}

TEST_CASE("The model of throughput: gains, the recommendation and its limits", "[data]") {
  const std::vector<double> factors = {1, 2, 6, 8};
  const auto slow = throughput_model(std::vector<UpstreamStage>{{0.012, 1}, {0.02, 4}}, {.downstream_seconds = 0.002}, factors);
  REQUIRE(slow.upstream_seconds == 0.012);
  REQUIRE(slow.recommended_factor == 6);
  REQUIRE(slow.gain == std::vector<double>{1, 2, 6, 6});
  REQUIRE(slow.steps_per_second[3] == Approx(500));
  REQUIRE(throughput_model(std::vector<UpstreamStage>{{0.0023, 1}}, {.downstream_seconds = 0.002}, factors).recommended_factor == 1);
  REQUIRE(throughput_model(std::vector<UpstreamStage>{{0.1, 1}}, {.downstream_seconds = 0.002}, factors).recommended_factor == 8);
  const auto none = throughput_model({}, {.downstream_seconds = 0.5}, factors);
  REQUIRE(none.steps_per_second[2] == 2);
  REQUIRE(none.upstream_utilization[0] == 0);
  REQUIRE_THROWS_AS(throughput_model({}, {.downstream_seconds = 0}, factors), Error);
  REQUIRE_THROWS_AS(throughput_model(std::vector<UpstreamStage>{{-1, 1}}, {.downstream_seconds = 1}, factors), Error);
  REQUIRE_THROWS_AS(throughput_model(std::vector<UpstreamStage>{{1, 0}}, {.downstream_seconds = 1}, factors), Error);
  // Choi et al.: 3.25 times less wall time at factor 5 < R about 6 is F = 0.308.
  const auto paper =
      throughput_model(std::vector<UpstreamStage>{{6, 1}}, {.downstream_seconds = 1}, std::vector<double>{5}, std::vector<double>{0.308});
  REQUIRE(paper.time_to_target_speedup[0] == Approx(3.25).epsilon(0.002));
}

TEST_CASE("Wrong lengths, times and counts are errors", "[data]") {
  const std::vector<double> one = {1}, two = {1, 1}, negative = {-1}, not_a_number = {std::nan("")};
  const std::vector<int64_t> once = {1}, twice = {2}, none = {0};
  REQUIRE_NOTHROW(simulate_echo(one, twice, two, 1));
  REQUIRE_THROWS_AS(simulate_echo(one, once, one, 0), Error);
  REQUIRE_THROWS_AS(simulate_echo(one, once, two, 1), Error);
  REQUIRE_THROWS_AS(simulate_echo(one, twice, one, 1), Error);
  REQUIRE_THROWS_AS(simulate_echo(one, none, one, 1), Error);
  REQUIRE_THROWS_AS(simulate_echo(two, once, one, 1), Error);
  REQUIRE_THROWS_AS(simulate_echo(negative, once, one, 1), Error);
  REQUIRE_THROWS_AS(simulate_echo(one, once, not_a_number, 1), Error);
  REQUIRE_THROWS_AS(queue_utilization(-0.1, 1), Error);
  REQUIRE_THROWS_AS(queue_utilization(1, 0), Error);
  REQUIRE_THROWS_AS(fresh_fraction(once, 0, false), Error);
  REQUIRE_THROWS_AS(count_invariants(once, {}, 2, 1, false), Error);
}
