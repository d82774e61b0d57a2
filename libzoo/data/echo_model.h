// What data echoing promises, as closed forms and small simulations: throughput, queues, and how mixed batches are.
//
//   const auto model = throughput_model({{0.012, 1}}, {.downstream_seconds = 0.002}, {1, 2, 6});
//   model.ratio;  model.recommended_factor;  model.gain[2];
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace zoo::data {

// Expected number of different items in a batch drawn from a full shuffle of num_items × factor copies; with a fractional
// factor a binomial mixture. Throws Error if batch_size > num_items · floor(factor).
double expected_unique(int64_t num_items, double factor, int64_t batch_size);

struct UpstreamStage {
  double seconds = 0;  // of work in a fresh batch
  int64_t workers = 1;
};

struct ThroughputOptions {
  double downstream_seconds = 0;  // per step, > 0
  double max_factor = 8;          // of the recommendation
  double min_ratio = 1.2;         // below it, no echo is recommended
};

struct ThroughputModel {
  double upstream_seconds = 0;    // per fresh batch: the slowest stage's seconds / workers
  double ratio = 0;               // R = upstream / downstream
  double recommended_factor = 1;  // 1 if R < min_ratio, else floor(R), at most max_factor
  // For each factor:
  std::vector<double> steps_per_second, fresh_per_second;  // fresh batches
  std::vector<double> gain;                                // of steps per second, over factor 1
  std::vector<double> downstream_utilization, upstream_utilization;
  std::vector<double> time_to_target_speedup;              // max(1, R) / (F · max(R, factor))
};

// Upstream and downstream overlap perfectly. fresh_ratio: F, the fresh items needed relative to no echo; empty: 1 / factor.
// Throws Error if a time is negative or not finite, downstream is 0, a factor is below 1 or an F not above 0.
ThroughputModel throughput_model(std::span<const UpstreamStage> stages, const ThroughputOptions& options, std::span<const double> factors,
                                 std::span<const double> fresh_ratio = {});

struct QueueTimes {
  std::vector<double> produced;           // [items] seconds at which each was ready
  std::vector<double> enter, start, end;  // [copies] into the buffer, out of it, consumed
  double steps_per_second = 0, downstream_utilization = 0;
};

// One producer that repeats its item copies[n] times, `buffer` waiting places, one consumer. The producer begins the next
// item when the last copy of the one before has entered. Throws Error if buffer < 1, the lengths don't fit, a time is
// negative or a count below 1.
QueueTimes simulate_echo(std::span<const double> produce_seconds, std::span<const int64_t> copies, std::span<const double> consume_seconds,
                         int64_t buffer);

// Share of the time the consumer is busy with exponential times, factor 1 and `buffer` >= 1 waiting places; rate_ratio =
// consumer seconds over producer seconds reversed: arrival rate / service rate, >= 0.
double queue_utilization(double rate_ratio, int64_t buffer);

struct BatchFreshness {
  std::vector<double> first_seen;  // share of a batch that was never put out before
  std::vector<double> unique;      // different items / length
};
BatchFreshness fresh_fraction(std::span<const int64_t> ids, int64_t batch_size, bool drop_last);

struct EchoCounts {
  std::vector<int64_t> ids, counts;  // ascending ids
  int64_t num_batches = 0, dropped = 0;
  double mean_lag = 0;  // between consecutive outputs of one id; 0 if none repeats
  int64_t min_lag = 0;
  bool valid = false;  // each id has floor(factor) or one more copies (exactly, if whole), numbered 0 … k-1 once each
};
EchoCounts count_invariants(std::span<const int64_t> ids, std::span<const int64_t> copies, double factor, int64_t batch_size,
                            bool drop_last);

}  // namespace zoo::data
