// The adaptive factor: close to the best fixed one whatever the ratio of times, bounded, recorded, repeatable.
#include "test/catch.h"
#include <libzoo/core/log.h>
#include <libzoo/core/random.h>
#include <libzoo/data/echo.h>
#include <libzoo/data/stages.h>

#include <cmath>

using namespace zoo::data;
using zoo::Error;

namespace {

// The mean step rate, in units of 1/downstream, over the second half of `windows` windows in which the measured times
// scatter by `noise` (log-normal) around `ratio` and 1.
double rate(AdaptiveEcho& rule, double ratio, double noise, int windows, uint64_t seed) {
  zoo::RandomStream random({.seed = seed});
  double sum = 0;
  for (int i = 0; i < windows; ++i) {
    const double factor = rule.update(ratio * std::exp(noise * random.normal()), std::exp(noise * random.normal()));
    if (2 * i >= windows) sum += std::min(factor / ratio, 1.0);
  }
  return sum / (windows - windows / 2);
}

std::vector<Echoed<Ticket>> drain(Stream<Echoed<Ticket>>& stream, int64_t most) {
  std::vector<Echoed<Ticket>> items;
  while (int64_t(items.size()) < most) {
    auto item = stream.next();
    if (!item) break;
    items.push_back(*item);
  }
  return items;
}

auto stream_with(std::shared_ptr<EchoControl> control, int64_t n = 400) {
  return indices(n, {.seed = 1, .epochs = 1}) | echo({.shuffle_buffer = 16, .seed = 2, .control = std::move(control)});
}

}  // namespace

TEST_CASE("With its defaults the factor reaches 0.9 of the best fixed one's step rate, in spite of noise", "[data][streams]") {
  for (double ratio : {1.0, 1.5, 2.0, 4.0, 8.0})
    for (double start : {1.0, 8.0})
      for (double noise : {0.0, 0.1, 0.3})
        for (uint64_t seed = 0; seed < 5; ++seed) {
          AdaptiveEcho rule({.initial_factor = start});
          CAPTURE(ratio, start, noise, seed);
          REQUIRE(rate(rule, ratio, noise, 400, seed) >= 0.9);
          if (noise == 0) {
            REQUIRE(rule.factor() <= ratio / 0.95);  // no fresh items are given away
            REQUIRE(rule.changes() <= 1);
          }
        }
}

TEST_CASE("The factor falls to 1 when the input becomes fast, and never leaves its bounds", "[data][streams]") {
  AdaptiveEcho rule({.initial_factor = 8});
  for (int i = 0; i < 30; ++i) rule.update(0.0001, 1);
  REQUIRE(rule.factor() == 1);
  for (int i = 0; i < 100; ++i) rule.update(1e6, 1);
  REQUIRE(rule.factor() == 8);
}

TEST_CASE("Windows that measured nothing sensible change nothing", "[data][streams]") {
  AdaptiveEcho rule({.initial_factor = 2});
  for (auto [up, down] : {std::pair{0.0, 1.0}, {1.0, 0.0}, {-1.0, 1.0}, {std::nan(""), 1.0}, {1.0, INFINITY}})
    REQUIRE(rule.update(up, down) == 2);
  REQUIRE(rule.ratio() == 0);
  REQUIRE(rule.memory().upstream == 0);
}

TEST_CASE("Options of the rule out of range are errors that name them", "[data][streams]") {
  const auto refuses = [](const AdaptiveEchoOptions& options, const char* name) {
    REQUIRE_THROWS_WITH(AdaptiveEcho(options), Contains(name));
  };
  refuses({.initial_factor = 9}, "initial_factor");
  refuses({.initial_factor = 0.5}, "initial_factor");
  refuses({.max_factor = 0.9}, "max_factor");
  refuses({.granularity = 0}, "granularity");
  refuses({.hysteresis = 1}, "hysteresis");
  refuses({.hysteresis = -0.1}, "hysteresis");
  refuses({.patience = 0}, "patience");
  refuses({.smoothing = 0}, "smoothing");
  refuses({.smoothing = 1.1}, "smoothing");
  refuses({.smoothing = std::nan("")}, "smoothing");
  REQUIRE_THROWS_WITH(EchoControl({.batch_size = 0}), Contains("batch_size"));
  REQUIRE_THROWS_WITH(EchoControl({.window_steps = 0}), Contains("window_steps"));
  REQUIRE_THROWS_WITH(EchoControl({.frozen = {{3, 2}}}), Contains("first"));
  REQUIRE_THROWS_WITH(EchoControl({.frozen = {{0, 2}, {5, 3}, {5, 4}}}), Contains("rise"));
}

TEST_CASE("A change is logged, counts from the next fresh item, and repeats exactly when frozen", "[data][streams]") {
  zoo::log::set_level(zoo::log::Level::error);
  std::vector<std::string> said;
  zoo::log::Sink sink([&](zoo::log::Level, std::string_view message) { said.emplace_back(message); });
  auto control = std::make_shared<EchoControl>(EchoControlOptions{.rule = {.patience = 1, .smoothing = 1}});
  auto stream = stream_with(control);
  auto all = drain(stream, 100);
  control->measure(0.004, 0.001);
  REQUIRE(control->factor() == Approx(3.8));
  REQUIRE(said.size() == 1);
  REQUIRE_THAT(said[0], Contains("echo factor 1 -> 3.8") && Contains("4 ms"));
  const auto more = drain(stream, 200);
  all.insert(all.end(), more.begin(), more.end());
  control->measure(0.001, 0.001);
  const auto rest = drain(stream, 10'000);
  all.insert(all.end(), rest.begin(), rest.end());

  const auto changes = control->changes();
  REQUIRE(changes.size() == 3);
  REQUIRE(changes[1].fresh == 115);  // 100 have left, 15 wait in the buffer
  REQUIRE(changes[2].factor == 1);
  for (const auto& one : all) {
    const bool echoed = one.fresh >= changes[1].fresh && one.fresh < changes[2].fresh;
    REQUIRE(one.copy < (echoed ? 4 : 1));
  }
  auto again = stream_with(std::make_shared<EchoControl>(EchoControlOptions{.frozen = changes}));
  REQUIRE(drain(again, 10'000) == all);
  REQUIRE(control->windows().size() == 2);
  REQUIRE(control->windows()[0].factor == Approx(3.8));
}

TEST_CASE("A restored run goes on with the recorded factor, with and without the control's own state", "[data][streams]") {
  zoo::log::set_level(zoo::log::Level::error);
  auto control = std::make_shared<EchoControl>(EchoControlOptions{.rule = {.patience = 1, .smoothing = 1}});
  auto stream = stream_with(control);
  drain(stream, 50);
  control->measure(0.0025, 0.001);
  drain(stream, 100);
  const auto stream_state = stream.state(), control_state = control->state();
  const auto expected = drain(stream, 10'000);

  auto restored = std::make_shared<EchoControl>();
  restored->restore(control_state);
  REQUIRE(restored->state().values == control_state.values);
  REQUIRE(restored->windows() == control->windows());
  auto second = stream_with(restored);
  second.restore(stream_state);
  REQUIRE(drain(second, 10'000) == expected);
  REQUIRE(restored->changes() == control->changes());

  auto fresh = std::make_shared<EchoControl>();
  auto third = stream_with(fresh);
  third.restore(stream_state);
  REQUIRE(fresh->factor() == control->factor());
  REQUIRE(drain(third, 10'000) == expected);

  REQUIRE_THROWS_WITH(fresh->restore(zoo::State{}), Contains("not that of an echo control"));
  REQUIRE_THROWS_AS((EchoControl({.rule = {.max_factor = 2}}).restore(control_state)), Error);
}

TEST_CASE("A control measures the stages before the echo and the steps after it", "[data][streams]") {
  zoo::log::set_level(zoo::log::Level::error);
  // A source that says how long it worked, as map does, and is asked without waiting.
  struct Source final : Stage<Ticket> {
    std::optional<Ticket> next() override { return Ticket{n++, 0, 0}; }
    void save(Position& position) const override { position.push_back(n); }
    void load(PositionReader& position) override { n = position.take(); }
    std::string describe() const override { return "source"; }
    void locate(Position& address) const override { address.push_back(n - 1); }
    std::vector<Ticket> refetch(const std::vector<Position>&) override { return {}; }
    void report(std::vector<StageReport>& reports) const override {
      reports.push_back({.name = "decode", .items = n, .work_seconds = 0.006 * double(n), .threads = 2});
    }
    int64_t n = 0;
  };
  auto control = std::make_shared<EchoControl>(EchoControlOptions{.batch_size = 4, .window_steps = 5});
  auto stream = Stream<Ticket>(std::make_unique<Source>()) | echo({.control = control});
  for (int step = 0; step < 100; ++step) {
    drain(stream, 4);
    control->step(0.004);  // a batch of 4 takes 4 · 6 ms on 2 threads: R = 3
  }
  REQUIRE(control->windows().size() == 20);
  REQUIRE(control->windows()[10].upstream_seconds == Approx(0.012).epsilon(0.05));
  REQUIRE(control->factor() == Approx(2.8).margin(0.11));
}
