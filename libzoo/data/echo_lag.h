// The bookkeeping of min_lag: which of the buffered copies may leave because no copy of their item left fewer than
// min_lag outputs ago, and which of those entered earliest. O(log n) a copy. See echo_order.h.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

namespace zoo::data {

class EchoLag {
 public:
  explicit EchoLag(int64_t min_lag) : min_lag_(min_lag) {}

  // Copies are told apart by their arrival, the running number of the inputs.
  void enter(int64_t arrival, int64_t id, int64_t slot);
  void move(int64_t arrival, int64_t slot) { slots_.at(arrival) = slot; }
  void leave(int64_t arrival, int64_t id, int64_t output);

  void expire(int64_t output);  // before output number `output` is chosen
  bool eligible(int64_t id) const;
  int64_t earliest_slot() const;  // the eligible copy that entered earliest; if there is none, the earliest of all

  // What left lately, oldest first: {output, id}.
  using Recent = std::deque<std::pair<int64_t, int64_t>>;
  const Recent& recent() const { return recent_; }
  void set_recent(const Recent& recent);  // before the first enter()

 private:
  struct Item {
    std::set<int64_t> arrivals;  // of its copies in the buffer
    int64_t last_output = -1;    // -1: not within min_lag
  };

  int64_t min_lag_;
  std::unordered_map<int64_t, Item> items_;
  std::set<std::pair<int64_t, int64_t>> eligible_;  // {first arrival, id} of the items that may leave
  std::map<int64_t, int64_t> slots_;                // by arrival
  Recent recent_;
};

}  // namespace zoo::data
