#include <libzoo/data/echo_monitor.h>

#include <fmt/format.h>

#include <bit>

namespace zoo::data {

double EchoStatistics::mean_distinct() const {
  int64_t batches = 0, sum = 0;
  for (size_t n = 0; n < distinct.size(); ++n) {
    batches += distinct[n];
    sum += distinct[n] * int64_t(n);
  }
  return batches > 0 ? double(sum) / double(batches) : 0;
}

EchoMonitor::EchoMonitor(int64_t batch_size) : batch_size_(batch_size) {
  if (batch_size < 0) throw Error(fmt::format("the batch size of an echo monitor must be at least 0, got {}", batch_size));
}

EchoStatistics EchoMonitor::read() const {
  std::lock_guard lock(mutex_);
  return statistics_;
}

void EchoMonitor::publish(const EchoStatistics& statistics) {
  std::lock_guard lock(mutex_);
  statistics_ = statistics;
}

EchoTally::EchoTally(EchoMonitor* monitor) : monitor_(monitor) {
  if (!monitor_) return;
  period_ = monitor_->batch_size() > 0 ? monitor_->batch_size() : 64;
}

void EchoTally::count(const EchoOrder::Output& out, const EchoOrder& order, double factor) {
  EchoStatistics& s = statistics_;
  s.fresh = order.fresh();
  s.outputs = order.outputs();
  s.factor = factor;
  s.buffered = order.filled();
  if (size_t(out.place) >= seen_.size()) seen_.resize(size_t(out.place) + 1);
  Seen& seen = seen_[size_t(out.place)];
  const bool again = seen.fresh == out.fresh;
  if (!again || seen.batch != period_number_) ++distinct_;
  if (again) {
    const int64_t lag = s.outputs - seen.output;
    const auto bin = size_t(std::bit_width(uint64_t(lag)) - 1);
    if (bin >= s.lags.size()) s.lags.resize(bin + 1);
    ++s.lags[bin];
    lag_sum_ += double(lag);
    s.mean_lag = lag_sum_ / double(++lag_count_);
  }
  seen = {out.fresh, s.outputs, period_number_};
  if (++in_period_ < period_) return;
  if (monitor_->batch_size() > 0) {
    if (size_t(distinct_) >= s.distinct.size()) s.distinct.resize(size_t(distinct_) + 1);
    ++s.distinct[size_t(distinct_)];
  }
  in_period_ = distinct_ = 0;
  ++period_number_;
  monitor_->publish(s);
}

void EchoTally::publish() {
  if (monitor_) monitor_->publish(statistics_);
}

void EchoTally::forget() {
  seen_.clear();
  in_period_ = distinct_ = 0;
  ++period_number_;
}

}  // namespace zoo::data
