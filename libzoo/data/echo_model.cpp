#include <libzoo/core/error.h>
#include <libzoo/data/echo_model.h>
#include <libzoo/data/echo_order.h>
#include <libzoo/data/stages.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <unordered_set>

namespace zoo::data {
namespace {

// The probability that none of an item's `copies` is among `batch` of `total` drawn without replacement. A product, since
// differences of logarithms of factorials lose too many digits.
double missed(double total, double batch, double copies) {
  double product = 1;
  for (double i = 0; i < copies && product > 0; ++i) product *= std::max(total - batch - i, 0.0) / (total - i);
  return product;
}

void require_seconds(double seconds, const char* what) {
  if (!(seconds >= 0) || !std::isfinite(seconds)) throw Error(fmt::format("{} must be at least 0 seconds, got {}", what, seconds));
}

std::span<const int64_t> without_remainder(std::span<const int64_t> ids, int64_t batch_size, bool drop_last) {
  check_batch(batch_size);
  return drop_last ? ids.first(ids.size() - ids.size() % size_t(batch_size)) : ids;
}

}  // namespace

double expected_unique(int64_t num_items, double factor, int64_t batch_size) {
  check_echo_factor(factor);
  if (num_items < 0) throw Error(fmt::format("num_items must be at least 0, got {}", num_items));
  const double n = double(num_items), b = double(batch_size), whole = std::floor(factor), fraction = factor - whole;
  if (batch_size < 0 || b > n * whole) throw Error(fmt::format("batch_size must be 0 to {} ({} items), got {}", n * whole, n, batch_size));
  if (batch_size == 0) return 0;
  if (fraction == 0) return n * (1 - missed(n * whole, b, whole));

  // `more` items of n have a copy more. Binomial weights by their ratios from the likeliest outward, until they vanish.
  double sum = 0, weights = 0;
  const auto add = [&](double more, double weight) {
    const double total = n * whole + more;
    sum += weight * ((n - more) * (1 - missed(total, b, whole)) + more * (1 - missed(total, b, whole + 1)));
    weights += weight;
  };
  const double mode = std::floor((n + 1) * fraction), odds = fraction / (1 - fraction), least = 1e-20;
  for (double k = std::min(mode, n), w = 1; k <= n && w > least; w *= (n - k) / (k + 1) * odds, ++k) add(k, w);
  for (double k = std::min(mode, n), w = 1; k > 0;) {
    w *= k / (n - k + 1) / odds;
    if (w < least) break;
    add(--k, w);
  }
  return sum / weights;
}

ThroughputModel throughput_model(std::span<const UpstreamStage> stages, const ThroughputOptions& o, std::span<const double> factors,
                                 std::span<const double> fresh_ratio) {
  require_seconds(o.downstream_seconds, "downstream_seconds");
  if (o.downstream_seconds == 0) throw Error("downstream_seconds must be above 0");
  if (!(o.max_factor >= 1)) throw Error(fmt::format("max_factor must be at least 1, got {}", o.max_factor));
  if (!(o.min_ratio >= 0)) throw Error(fmt::format("min_ratio must be at least 0, got {}", o.min_ratio));
  if (!fresh_ratio.empty() && fresh_ratio.size() != factors.size())
    throw Error(fmt::format("{} fresh ratios for {} factors", fresh_ratio.size(), factors.size()));
  ThroughputModel model;
  for (const UpstreamStage& stage : stages) {
    require_seconds(stage.seconds, "a stage");
    if (stage.workers < 1) throw Error(fmt::format("a stage needs at least 1 worker, got {}", stage.workers));
    model.upstream_seconds = std::max(model.upstream_seconds, stage.seconds / double(stage.workers));
  }
  const double up = model.upstream_seconds, down = o.downstream_seconds, ratio = up / down;
  model.ratio = ratio;
  model.recommended_factor = ratio < o.min_ratio ? 1 : std::clamp(std::floor(ratio), 1.0, o.max_factor);
  const auto steps = [&](double factor) { return std::min(factor / up, 1 / down); };
  for (size_t i = 0; i < factors.size(); ++i) {
    const double e = factors[i], needed = fresh_ratio.empty() ? 1 / e : fresh_ratio[i];
    check_echo_factor(e);
    if (!(needed > 0) || !std::isfinite(needed)) throw Error(fmt::format("a fresh ratio must be above 0, got {}", needed));
    model.steps_per_second.push_back(steps(e));
    model.fresh_per_second.push_back(steps(e) / e);
    model.gain.push_back(steps(e) / steps(1));
    model.downstream_utilization.push_back(steps(e) * down);
    model.upstream_utilization.push_back(steps(e) / e * up);
    model.time_to_target_speedup.push_back(std::max(1.0, ratio) / (needed * std::max(ratio, e)));
  }
  return model;
}

QueueTimes simulate_echo(std::span<const double> produce, std::span<const int64_t> copies, std::span<const double> consume,
                         int64_t buffer) {
  if (buffer < 1) throw Error(fmt::format("the buffer must have at least 1 place, got {}", buffer));
  if (copies.size() != produce.size()) throw Error(fmt::format("{} counts of copies for {} items", copies.size(), produce.size()));
  size_t total = 0;
  for (int64_t k : copies) {
    if (k < 1 || size_t(k) > consume.size() - total)
      throw Error(fmt::format("counts of copies must be at least 1 and add up to the {} consume_seconds", consume.size()));
    total += size_t(k);
  }
  if (total != consume.size()) throw Error(fmt::format("{} consume_seconds for {} copies", consume.size(), total));
  for (double seconds : produce) require_seconds(seconds, "produce_seconds");
  for (double seconds : consume) require_seconds(seconds, "consume_seconds");

  QueueTimes t;
  double free = 0, entered = 0, ended = 0, busy = 0;  // free: the producer is
  for (size_t n = 0; n < produce.size(); ++n) {
    t.produced.push_back(free + produce[n]);
    entered = t.produced.back();
    for (int64_t c = 0; c < copies[n]; ++c) {
      const size_t i = t.enter.size();
      if (i >= size_t(buffer)) entered = std::max(entered, t.start[i - size_t(buffer)]);
      t.enter.push_back(entered);
      t.start.push_back(std::max(entered, ended));
      ended = t.start.back() + consume[i];
      t.end.push_back(ended);
      busy += consume[i];
    }
    free = entered;
  }
  if (ended > 0) {
    t.steps_per_second = double(total) / ended;
    t.downstream_utilization = busy / ended;
  }
  return t;
}

double queue_utilization(double rate_ratio, int64_t buffer) {
  if (!(rate_ratio >= 0) || !std::isfinite(rate_ratio)) throw Error(fmt::format("rate_ratio must be at least 0, got {}", rate_ratio));
  if (buffer < 1) throw Error(fmt::format("the buffer must have at least 1 place, got {}", buffer));
  const double states = double(buffer) + 3;
  if (rate_ratio == 1) return 1 - 1 / states;
  if (rate_ratio == 0) return 0;
  const double log_ratio = std::log1p(rate_ratio - 1);
  return 1 - std::expm1(log_ratio) / std::expm1(states * log_ratio);
}

BatchFreshness fresh_fraction(std::span<const int64_t> all, int64_t batch_size, bool drop_last) {
  const auto ids = without_remainder(all, batch_size, drop_last);
  BatchFreshness result;
  std::unordered_set<int64_t> seen;
  for (size_t from = 0; from < ids.size(); from += size_t(batch_size)) {
    const auto batch = ids.subspan(from, std::min(size_t(batch_size), ids.size() - from));
    const size_t before = seen.size();
    seen.insert(batch.begin(), batch.end());
    const std::unordered_set<int64_t> distinct(batch.begin(), batch.end());
    result.first_seen.push_back(double(seen.size() - before) / double(batch.size()));
    result.unique.push_back(double(distinct.size()) / double(batch.size()));
  }
  return result;
}

EchoCounts count_invariants(std::span<const int64_t> ids, std::span<const int64_t> copies, double factor, int64_t batch_size,
                            bool drop_last) {
  check_echo_factor(factor);
  check_batch(batch_size);
  if (ids.size() != copies.size()) throw Error(fmt::format("{} copy numbers for {} ids", copies.size(), ids.size()));
  struct Item {
    std::vector<int64_t> copies;
    int64_t last = 0;
  };
  std::map<int64_t, Item> items;
  EchoCounts counts;
  int64_t lags = 0, lag_sum = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    Item& item = items[ids[i]];
    if (!item.copies.empty()) {
      const int64_t lag = int64_t(i) - item.last;
      counts.min_lag = lags == 0 ? lag : std::min(counts.min_lag, lag);
      lag_sum += lag;
      ++lags;
    }
    item.copies.push_back(copies[i]);
    item.last = int64_t(i);
  }
  if (lags > 0) counts.mean_lag = double(lag_sum) / double(lags);

  const auto total = int64_t(ids.size());
  counts.num_batches = total / batch_size + (!drop_last && total % batch_size > 0);
  counts.dropped = drop_last ? total % batch_size : 0;
  const auto least = int64_t(factor), most = int64_t(std::ceil(factor));
  counts.valid = true;
  for (auto& [id, item] : items) {
    const auto count = int64_t(item.copies.size());
    counts.ids.push_back(id);
    counts.counts.push_back(count);
    std::sort(item.copies.begin(), item.copies.end());
    std::vector<int64_t> numbered(item.copies.size());
    std::iota(numbered.begin(), numbered.end(), 0);
    counts.valid = counts.valid && count >= least && count <= most && item.copies == numbered;
  }
  return counts;
}

}  // namespace zoo::data
