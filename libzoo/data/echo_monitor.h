// What an echo stage does to the stream, for anyone to look at while it runs.
//
//   auto monitor = std::make_shared<EchoMonitor>(64);
//   auto stream = tickets | echo({.factor = 2, .shuffle_buffer = 4096, .monitor = monitor}) | …;
//   monitor->read().mean_distinct();   // different items in a batch of 64
#pragma once

#include <libzoo/data/echo_order.h>

#include <cstdint>
#include <mutex>
#include <vector>

namespace zoo::data {

struct EchoStatistics {
  int64_t fresh = 0;     // items that entered, from the start of the stream
  int64_t outputs = 0;   // copies that left
  double factor = 1;     // of the latest item
  int64_t buffered = 0;  // copies that wait
  // Since the stage was made or restored:
  std::vector<int64_t> lags = {};      // [i]: consecutive copies of an item 2^i to 2^(i+1)-1 outputs apart
  std::vector<int64_t> distinct = {};  // [n]: batches with n different items; empty without a batch size
  double mean_lag = 0;                 // outputs

  double mean_distinct() const;  // items a batch; 0 before the first
};

class EchoMonitor {
 public:
  // Outputs that make a batch, whose different items are counted; 0: none are. Throws Error if negative.
  explicit EchoMonitor(int64_t batch_size = 0);

  EchoStatistics read() const;  // at most a batch (64 outputs without) behind
  void publish(const EchoStatistics& statistics);
  int64_t batch_size() const { return batch_size_; }

 private:
  int64_t batch_size_;
  mutable std::mutex mutex_;
  EchoStatistics statistics_;
};

// The stage's side: counts without locks, and publishes now and then. Costs nothing without a monitor.
class EchoTally {
 public:
  explicit EchoTally(EchoMonitor* monitor);
  void output(const EchoOrder::Output& output, const EchoOrder& order, double factor) {
    if (monitor_) count(output, order, factor);
  }
  void publish();
  void forget();  // what was seen of the items in the buffer

 private:
  struct Seen {
    int64_t fresh = -1, output = 0, batch = 0;
  };
  void count(const EchoOrder::Output& output, const EchoOrder& order, double factor);

  EchoMonitor* monitor_;
  EchoStatistics statistics_;
  std::vector<Seen> seen_;  // by the places of the order
  int64_t period_ = 0, in_period_ = 0, distinct_ = 0, period_number_ = 0;
  int64_t lag_count_ = 0;
  double lag_sum_ = 0;
};

}  // namespace zoo::data
