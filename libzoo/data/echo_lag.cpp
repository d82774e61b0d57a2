#include <libzoo/data/echo_lag.h>

namespace zoo::data {

void EchoLag::enter(int64_t arrival, int64_t id, int64_t slot) {
  Item& item = items_[id];
  if (item.arrivals.empty() && item.last_output < 0) eligible_.emplace(arrival, id);
  item.arrivals.insert(arrival);
  slots_.emplace(arrival, slot);
}

void EchoLag::leave(int64_t arrival, int64_t id, int64_t output) {
  Item& item = items_.at(id);
  if (item.last_output < 0) eligible_.erase({*item.arrivals.begin(), id});
  item.arrivals.erase(arrival);
  slots_.erase(arrival);
  item.last_output = output;
  recent_.emplace_back(output, id);
}

void EchoLag::expire(int64_t output) {
  for (; !recent_.empty() && output - recent_.front().first >= min_lag_; recent_.pop_front()) {
    const auto [left, id] = recent_.front();
    const auto found = items_.find(id);
    Item& item = found->second;
    if (item.last_output != left) continue;  // another copy left since
    item.last_output = -1;
    if (item.arrivals.empty())
      items_.erase(found);
    else
      eligible_.emplace(*item.arrivals.begin(), id);
  }
}

bool EchoLag::eligible(int64_t id) const { return items_.at(id).last_output < 0; }

int64_t EchoLag::earliest_slot() const { return eligible_.empty() ? slots_.begin()->second : slots_.at(eligible_.begin()->first); }

void EchoLag::set_recent(const Recent& recent) {
  recent_ = recent;
  for (const auto& [output, id] : recent) items_[id].last_output = output;
}

}  // namespace zoo::data
