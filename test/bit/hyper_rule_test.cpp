#include "test/catch.h"

#include <libzoo/bit/hyper_rule.h>
#include <libzoo/core/error.h>

#include <vector>

using namespace zoo::bit;

namespace {

HyperRule of_size(int64_t n, HyperRuleOptions options = {}) { return hyper_rule({n, 224, 224}, options); }

double sum_of_rates(const HyperRule& rule) {
  double sum = 0;
  for (int64_t step = 0; !rule.done(step); ++step) sum += rule.learning_rate(step);
  return sum;
}

}  // namespace

TEST_CASE("HyperRule picks its schedule from the number of training examples", "[bit]") {
  // Paper, section 3.3: small < 20k examples, medium < 500k, large from there; steps of bit_hyperrule.py.
  using Steps = std::vector<int64_t>;
  REQUIRE(of_size(1).supports() == Steps{100, 200, 300, 400, 500});
  REQUIRE(of_size(19'999).supports() == Steps{100, 200, 300, 400, 500});
  REQUIRE(of_size(20'000).supports() == Steps{500, 3000, 6000, 9000, 10'000});
  REQUIRE(of_size(499'999).supports() == Steps{500, 3000, 6000, 9000, 10'000});
  REQUIRE(of_size(500'000).supports() == Steps{500, 6000, 12'000, 18'000, 20'000});
  REQUIRE(of_size(100, {.schedule = Schedule::paper}).supports() == Steps{100, 150, 300, 450, 500});
  REQUIRE(of_size(20'000, {.schedule = Schedule::paper}).supports() == of_size(20'000).supports());
}

TEST_CASE("The rate rises from 0 and drops one step after each support", "[bit]") {
  const auto rule = of_size(1000);
  REQUIRE(rule.learning_rate(0) == 0);
  REQUIRE(rule.learning_rate(50) == Approx(0.0015));
  REQUIRE(rule.learning_rate(99) == Approx(0.00297));
  for (int64_t step : {100, 199, 200}) REQUIRE(rule.learning_rate(step) == Approx(3e-3));
  REQUIRE(rule.learning_rate(201) == Approx(3e-4));
  REQUIRE(rule.learning_rate(300) == Approx(3e-4));
  REQUIRE(rule.learning_rate(301) == Approx(3e-5));
  REQUIRE(rule.learning_rate(401) == Approx(3e-6));
  REQUIRE(rule.learning_rate(499) == Approx(3e-6));
  REQUIRE_FALSE(rule.done(499));
  REQUIRE(rule.done(500));
}

TEST_CASE("The rates of each schedule sum to the figures of the specification", "[bit]") {
  REQUIRE(sum_of_rates(of_size(1000)) == Approx(0.484797).epsilon(1e-9));
  REQUIRE(sum_of_rates(of_size(100'000)) == Approx(9.244497).epsilon(1e-9));
  REQUIRE(sum_of_rates(of_size(1'000'000)) == Approx(19.237497).epsilon(1e-9));
}

TEST_CASE("MixUp begins with 20000 examples", "[bit]") {
  REQUIRE(of_size(19'999).mixup_alpha == 0);
  REQUIRE(of_size(20'000).mixup_alpha == 0.1);
  REQUIRE(of_size(20'000, {.mixup_alpha = 0.0}).mixup_alpha == 0);
}

TEST_CASE("Pictures under 96 x 96 pixels are trained at 128, larger ones at 384 or 480", "[bit]") {
  const auto sizes = [](int64_t height, int64_t width, HyperRuleOptions options = {}) {
    const auto rule = hyper_rule({1000, height, width}, options);
    return std::vector<int64_t>{rule.resize, rule.crop};
  };
  using Sizes = std::vector<int64_t>;
  REQUIRE(sizes(95, 96) == Sizes{160, 128});
  REQUIRE(sizes(96, 96) == Sizes{448, 384});
  REQUIRE(sizes(96, 96, {.large_model = true}) == Sizes{512, 480});
  REQUIRE(sizes(96, 96, {.resolution = Resolution::repo}) == Sizes{512, 480});
  REQUIRE(sizes(32, 32, {.resolution = Resolution::repo, .large_model = true}) == Sizes{160, 128});
  REQUIRE(sizes(32, 32, {.crop = 32}) == Sizes{160, 32});
  REQUIRE(sizes(32, 32, {.resize = 40}) == Sizes{40, 40});
  REQUIRE(sizes(32, 32, {.crop = 200}) == Sizes{200, 200});
  REQUIRE(sizes(32, 32, {.resize = 40, .crop = 32}) == Sizes{40, 32});
  REQUIRE(sizes(int64_t(1) << 40, int64_t(1) << 40) == Sizes{448, 384});
}

TEST_CASE("Another number of steps moves warm-up and drops in proportion", "[bit]") {
  REQUIRE(of_size(1000, {.steps = 50}).supports() == std::vector<int64_t>{10, 20, 30, 40, 50});
  const auto one = of_size(1000, {.steps = 1});
  REQUIRE(one.total_steps == 1);
  REQUIRE(one.learning_rate(0) > 0);  // no warm-up is left, so the only step is not lost
}

TEST_CASE("HyperRule refuses sizes that are not positive, naming them", "[bit]") {
  REQUIRE_THROWS_WITH(hyper_rule({0, 32, 32}), Contains("num_examples must be positive, got 0"));
  REQUIRE_THROWS_WITH(hyper_rule({10, 0, 32}), Contains("image_height must be positive, got 0"));
  REQUIRE_THROWS_WITH(hyper_rule({10, 32, -1}), Contains("image_width must be positive, got -1"));
  REQUIRE_THROWS_WITH(of_size(10, {.base_rate = 0}), Contains("base_rate must be positive"));
  REQUIRE_THROWS_WITH(of_size(10, {.resize = 32, .crop = 40}), Contains("crop 40 is larger than resize 32"));
  REQUIRE_THROWS_WITH(of_size(10, {.mixup_alpha = -0.1}), Contains("mixup_alpha must be 0 or more"));
  REQUIRE_THROWS_WITH(of_size(10).learning_rate(500), Contains("steps 0 to 499, not for 500"));
  REQUIRE_THROWS_WITH(of_size(10).learning_rate(-1), Contains("not for -1"));
}
