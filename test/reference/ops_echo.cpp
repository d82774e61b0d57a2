// Binds the reference cases echo.* to the public API. The order is that of the stage, with the case's words put in.
#include "test/reference/case.h"

#include <libzoo/core/error.h>
#include <libzoo/data/adaptive_echo.h>
#include <libzoo/data/echo_model.h>
#include <libzoo/data/echo_order.h>
#include <libzoo/data/stages.h>

#include <fmt/format.h>

#include <charconv>

namespace zoo::reference {
namespace {

using namespace zoo::data;

std::span<const int64_t> integers(const Case& c, const char* name) { return c.array(name).span<int64_t>(); }
std::span<const double> doubles(const Case& c, const char* name) { return c.array(name).span<double>(); }

uint32_t word(int64_t value) {
  if (value < 0 || value > int64_t(UINT32_MAX)) throw Error(fmt::format("{} is no 32-bit word", value));
  return uint32_t(value);
}

uint64_t seed_of(const Case& c) {
  const std::string text = c.text("seed");
  uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc() || end != text.data() + text.size()) throw Error(fmt::format("seed '{}' is no 64-bit number", text));
  return seed;
}

void unique(Case& c) {
  const auto items = integers(c, "num_items"), batch = integers(c, "batch_size");
  const auto factor = doubles(c, "factor");
  std::vector<double> expected;
  for (size_t i = 0; i < items.size(); ++i) expected.push_back(expected_unique(items[i], factor[i], batch[i]));
  c.expect("expected_unique", expected);
}

void copies(Case& c) {
  std::vector<int64_t> counts;
  for (int64_t draw : integers(c, "draws")) counts.push_back(echo_copies(word(draw), c.number("factor")));
  c.expect("copies", counts);
}

void copies_philox(Case& c) {
  std::vector<int64_t> draws, counts;
  for (int64_t id : integers(c, "ids")) {
    const uint32_t draw = echo_copy_word(seed_of(c), c.integer("epoch"), id);
    draws.push_back(draw);
    counts.push_back(echo_copies(draw, c.number("factor")));
  }
  c.expect("draws", draws);
  c.expect("copies", counts);
}

// A run of source items that is repeated as one: an item, or a batch of them.
struct Unit {
  size_t begin, end;
};

void sequence(Case& c) {
  const auto source = integers(c, "source"), copy_draws = integers(c, "copy_draws"), draws = integers(c, "shuffle_draws");
  const int64_t batch_size = c.integer("batch_size"), buffer = c.integer("shuffle_buffer"), min_lag = c.integer("min_lag", 0);
  const double factor = c.number("factor");
  const bool drop_last = c.flag("drop_last");
  const std::string placement = c.text("placement");
  const bool whole_batches = placement == "batch", before = placement == "before_augment";
  if (!whole_batches && !before && placement != "after_augment") throw Error(fmt::format("no placement '{}'", placement));
  check_batch(batch_size);
  check_echo_factor(factor);

  std::vector<Unit> units;
  const size_t size = whole_batches ? size_t(batch_size) : 1;
  for (size_t begin = 0; begin < source.size(); begin += size) units.push_back({begin, std::min(begin + size, source.size())});
  if (whole_batches && drop_last && !units.empty() && units.back().end - units.back().begin < size) units.pop_back();

  const auto draw = [](std::span<const int64_t> words, uint64_t index) {
    if (index >= words.size()) throw Error(fmt::format("word {} of {} is asked for", index, words.size()));
    return word(words[index]);
  };
  EchoOrder order(buffer, min_lag, [&](uint64_t index) { return draw(draws, index); });
  std::vector<int64_t> ids, copy, batch_sizes, batch_index, unit_of;
  for (size_t next = 0;;) {
    while (order.wants_item()) {
      if (next == units.size()) {
        order.end();
        continue;
      }
      const int64_t id = whole_batches ? int64_t(next) : source[units[next].begin];
      const auto place = size_t(order.add(id, echo_copies(draw(copy_draws, next), factor)));
      unit_of.resize(std::max(unit_of.size(), place + 1));
      unit_of[place] = int64_t(next++);
    }
    const auto out = order.next();
    if (!out) break;
    const int64_t unit = unit_of[size_t(out->place)];
    for (size_t i = units[size_t(unit)].begin; i < units[size_t(unit)].end; ++i) {
      ids.push_back(source[i]);
      copy.push_back(out->copy);
    }
    if (whole_batches) {
      batch_index.push_back(unit);
      batch_sizes.push_back(int64_t(units[size_t(unit)].end - units[size_t(unit)].begin));
    }
  }
  if (!whole_batches) {
    if (drop_last) ids.resize(ids.size() - ids.size() % size_t(batch_size));
    copy.resize(ids.size());
    for (int64_t left = int64_t(ids.size()); left > 0; left -= batch_size) batch_sizes.push_back(std::min(left, batch_size));
  }
  c.expect("ids", ids);
  c.expect("copy", copy);
  c.expect("augment_copy", before ? copy : std::vector<int64_t>(copy.size()));
  c.expect("batch_sizes", batch_sizes);
  c.expect("fresh", int64_t(units.empty() ? 0 : units.back().end));
  if (whole_batches) c.expect("batch_index", batch_index);
}

void freshness(Case& c) {
  const auto result = fresh_fraction(integers(c, "ids"), c.integer("batch_size"), c.flag("drop_last"));
  c.expect("first_seen_fraction", result.first_seen);
  c.expect("unique_fraction", result.unique);
}

void invariants(Case& c) {
  const auto counts =
      count_invariants(integers(c, "ids"), integers(c, "copy"), c.number("factor"), c.integer("batch_size"), c.flag("drop_last"));
  c.expect("ids", counts.ids);
  c.expect("counts", counts.counts);
  c.expect("num_batches", counts.num_batches);
  c.expect("dropped", counts.dropped);
  c.expect("mean_lag", counts.mean_lag);
  c.expect("min_lag", counts.min_lag);
  c.expect("valid", counts.valid);
}

void throughput(Case& c) {
  const auto seconds = doubles(c, "stage_seconds"), factors = doubles(c, "factor"), fresh_ratio = doubles(c, "fresh_ratio");
  const auto workers = integers(c, "stage_workers");
  std::vector<UpstreamStage> stages;
  for (size_t i = 0; i < seconds.size(); ++i) stages.push_back({seconds[i], workers[i]});
  const auto model = throughput_model(
      stages,
      {.downstream_seconds = c.number("downstream_seconds"), .max_factor = c.number("max_factor"), .min_ratio = c.number("min_ratio")},
      factors, fresh_ratio);
  c.expect("upstream_seconds", model.upstream_seconds);
  c.expect("ratio", model.ratio);
  c.expect("recommended_factor", model.recommended_factor);
  c.expect("steps_per_second", model.steps_per_second);
  c.expect("fresh_per_second", model.fresh_per_second);
  c.expect("gain", model.gain);
  c.expect("downstream_utilization", model.downstream_utilization);
  c.expect("upstream_utilization", model.upstream_utilization);
  c.expect("time_to_target_speedup", model.time_to_target_speedup);
}

void simulate(Case& c) {
  const auto times =
      simulate_echo(doubles(c, "produce_seconds"), integers(c, "copies"), doubles(c, "consume_seconds"), c.integer("buffer"));
  c.expect("produced", times.produced);
  c.expect("enter", times.enter);
  c.expect("start", times.start);
  c.expect("end", times.end);
  c.expect("steps_per_second", times.steps_per_second);
  c.expect("downstream_utilization", times.downstream_utilization);
}

void utilization(Case& c) {
  const auto ratio = doubles(c, "rate_ratio");
  const auto buffer = integers(c, "buffer");
  std::vector<double> busy;
  for (size_t i = 0; i < ratio.size(); ++i) busy.push_back(queue_utilization(ratio[i], buffer[i]));
  c.expect("utilization", busy);
}

void adaptive_factor(Case& c) {
  AdaptiveEcho rule({.initial_factor = c.number("initial_factor"),
                     .max_factor = c.number("max_factor"),
                     .granularity = c.number("granularity"),
                     .hysteresis = c.number("hysteresis"),
                     .patience = c.integer("patience"),
                     .smoothing = c.number("smoothing")});
  const auto up = doubles(c, "upstream_seconds"), down = doubles(c, "downstream_seconds");
  std::vector<double> factor, ratio;
  for (size_t i = 0; i < up.size(); ++i) {
    factor.push_back(rule.update(up[i], down[i]));
    ratio.push_back(rule.ratio());
  }
  c.expect("factor", factor);
  c.expect("ratio", ratio);
  c.expect("changes", rule.changes());
}

}  // namespace

OpTable echo_ops() {
  return {{"echo.expected_unique", unique},        {"echo.copies", copies},
          {"echo.copies_philox", copies_philox},   {"echo.sequence", sequence},
          {"echo.fresh_fraction", freshness},      {"echo.count_invariants", invariants},
          {"echo.throughput_model", throughput},   {"echo.simulate", simulate},
          {"echo.queue_utilization", utilization}, {"echo.adaptive_factor", adaptive_factor}};
}

}  // namespace zoo::reference
