#include <libzoo/core/random.h>
#include <libzoo/data/echo_order.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zoo::data {
namespace {

constexpr int64_t kMaxSlots = (int64_t(1) << 31) - 1;

void require(bool holds, const char* what) {
  if (!holds) throw Error(fmt::format("the saved echo buffer {}, which cannot be", what), "the checkpoint is damaged");
}

int64_t take_count(PositionReader& position) {
  const int64_t value = position.take();
  require(value >= 0 && value < int64_t(1) << 62, "has a counter out of range");
  return value;
}

}  // namespace

void check_echo_factor(double factor, const char* name) {
  if (!(factor >= 1 && factor <= kMaxEchoFactor)) throw Error(fmt::format("{} must be in [1, {}], got {}", name, kMaxEchoFactor, factor));
}

int64_t echo_copies(uint32_t word, double factor) {
  check_echo_factor(factor);
  const double whole = std::floor(factor);
  return int64_t(whole) + (double(word) < (factor - whole) * 4294967296.0);
}

uint32_t echo_copy_word(uint64_t seed, int64_t epoch, int64_t id) {
  return RandomStream(random_key(seed, epoch, id, int64_t(Purpose::echo_copies), 0)).word(0);
}

EchoOrder::EchoOrder(int64_t shuffle_buffer, int64_t min_lag, Word word)
    : capacity_(std::max<int64_t>(shuffle_buffer, 1)), min_lag_(min_lag), word_(std::move(word)), lag_(min_lag) {
  if (shuffle_buffer < 0 || shuffle_buffer > kMaxSlots)
    throw Error(fmt::format("the shuffle buffer of an echo must have 0 to {} slots, got {}", kMaxSlots, shuffle_buffer));
  if (min_lag < 0) throw Error(fmt::format("min_lag must be at least 0 outputs, got {}", min_lag));
}

bool EchoOrder::wants_item() {
  while (entering_copies_ > 0 && has_room()) {
    enter(entering_);
    if (++entering_.copy == entering_copies_) entering_copies_ = 0;
  }
  return !ended_ && has_room();
}

int64_t EchoOrder::add(int64_t id, int64_t copies) {
  int64_t place = int64_t(items_.size());
  if (free_places_.empty()) {
    items_.emplace_back();
    numbers_.emplace_back();
  } else {
    place = free_places_.back();
    free_places_.pop_back();
  }
  items_[size_t(place)] = {id, copies};
  numbers_[size_t(place)] = fresh_++;
  entering_ = {.copy = 0, .place = int32_t(place)};
  entering_copies_ = copies;
  return place;
}

void EchoOrder::enter(Slot slot) {
  const int64_t to = hole_ >= 0 ? hole_ : int64_t(slots_.size());
  if (hole_ < 0) slots_.emplace_back();
  slots_[size_t(to)] = slot;
  hole_ = -1;
  if (!lags()) return;
  arrivals_.resize(slots_.size());
  arrivals_[size_t(to)] = entered_;
  lag_.enter(entered_++, items_[size_t(slot.place)].id, to);
}

void EchoOrder::close_hole() {
  if (hole_ < 0) return;
  const auto to = size_t(hole_);
  hole_ = -1;
  if (to + 1 < slots_.size()) {
    slots_[to] = slots_.back();
    if (lags()) {
      arrivals_[to] = arrivals_.back();
      lag_.move(arrivals_[to], int64_t(to));
    }
  }
  slots_.pop_back();
  if (lags()) arrivals_.pop_back();
}

size_t EchoOrder::choose() {
  if (!shuffles()) return 0;
  const auto index = [&](uint64_t word) { return size_t((uint64_t(word_(word)) * slots_.size()) >> 32); };
  if (!lags()) return index(uint64_t(outputs_));
  lag_.expire(outputs_);
  for (uint64_t i = 0; i < kWordsPerRow; ++i) {
    const size_t slot = index(kWordsPerRow * uint64_t(outputs_) + i);
    if (lag_.eligible(items_[size_t(slots_[slot].place)].id)) return slot;
  }
  return size_t(lag_.earliest_slot());
}

std::optional<EchoOrder::Output> EchoOrder::next() {
  close_hole();
  if (slots_.empty()) return std::nullopt;
  const size_t chosen = choose();
  const Slot slot = slots_[chosen];
  Item& item = items_[size_t(slot.place)];
  if (lags()) lag_.leave(arrivals_[chosen], item.id, outputs_);
  ++outputs_;
  hole_ = int64_t(chosen);
  const bool last = --item.left == 0;
  if (last) free_places_.push_back(slot.place);
  return Output{slot.place, slot.copy, numbers_[size_t(slot.place)], last};
}

// Ten counters; the slots as place << 32 | copy, with the open one's last content; the numbers of the items and the free
// places; with min_lag the arrivals of the slots, the ids of the items, and what left lately.
void EchoOrder::save(Position& position) const {
  const bool enters = entering_copies_ > 0;
  position.reserve(position.size() + 11 + 2 * slots_.size() + 2 * items_.size() + free_places_.size() + 2 * lag_.recent().size());
  position.insert(position.end(), {outputs_, fresh_, entered_, int64_t(slots_.size()), hole_, places(), int64_t(free_places_.size()),
                                   enters ? entering_.place : -1, enters ? entering_.copy : 0, entering_copies_});
  const auto append = [&](const std::vector<int64_t>& values) { position.insert(position.end(), values.begin(), values.end()); };
  for (const Slot& slot : slots_) position.push_back(int64_t(slot.place) << 32 | slot.copy);
  append(numbers_);
  append(free_places_);
  if (!lags()) return;
  append(arrivals_);
  for (const Item& item : items_) position.push_back(item.id);
  position.push_back(int64_t(lag_.recent().size()));
  for (const auto& [output, id] : lag_.recent()) position.insert(position.end(), {output, id});
}

void EchoOrder::load(PositionReader& position) {
  EchoOrder order(shuffles() ? capacity_ : 0, min_lag_, word_);
  order.outputs_ = take_count(position);
  order.fresh_ = take_count(position);
  order.entered_ = take_count(position);
  const int64_t filled = take_count(position);
  order.hole_ = position.take();
  const int64_t places = take_count(position), free = take_count(position);
  const int64_t entering = position.take(), copy = take_count(position), copies = take_count(position);
  require(filled <= capacity_, "has more slots than it may have");
  require(order.hole_ >= -1 && order.hole_ < filled, "has its open slot outside");
  require(places <= capacity_ + 1 && free <= places, "has more items than copies");
  require(entering >= -1 && entering < places && (entering < 0) == (copies == 0), "lets in an item that it has not");
  require(copy < std::max<int64_t>(copies, 1) && copies <= int64_t(kMaxEchoFactor) + 1, "lets in a copy beyond the last");
  order.entering_ = {.copy = int32_t(copy), .place = int32_t(std::max<int64_t>(entering, 0))};
  order.entering_copies_ = copies;

  for (int64_t i = 0; i < filled; ++i) {
    const int64_t packed = position.take();
    order.slots_.push_back({.copy = int32_t(packed & 0xFFFFFFFF), .place = int32_t(packed >> 32)});
    require(packed >= 0 && packed >> 32 < places && order.slots_.back().copy >= 0, "has a copy of no item");
  }
  for (int64_t i = 0; i < places; ++i) {
    order.numbers_.push_back(position.take());
    require(order.numbers_.back() >= 0 && order.numbers_.back() < order.fresh_, "has an item of a number not yet reached");
  }
  order.items_.resize(size_t(places));
  for (int64_t i = 0; i < filled; ++i)
    if (i != order.hole_) ++order.items_[size_t(order.slots_[size_t(i)].place)].left;
  if (entering >= 0) order.items_[size_t(entering)].left += copies - copy;
  std::vector<bool> is_free(size_t(places), false);
  for (int64_t i = 0; i < free; ++i) {
    const int64_t place = take_count(position);
    require(place < places && !order.holds(place) && !is_free[size_t(place)], "has a free place that is taken");
    is_free[size_t(place)] = true;
    order.free_places_.push_back(place);
  }
  const auto held = std::count_if(order.items_.begin(), order.items_.end(), [](const Item& item) { return item.left > 0; });
  require(held + free == places, "has an item without copies");
  if (lags()) order.load_lag(position);
  *this = std::move(order);
}

void EchoOrder::load_lag(PositionReader& position) {
  std::map<int64_t, int64_t> slot_of;  // by arrival
  for (int64_t i = 0; i < std::ssize(slots_); ++i) {
    const int64_t arrival = position.take();
    arrivals_.push_back(arrival);
    require(arrival >= 0 && arrival < entered_, "has a copy that has not arrived");
    require(i == hole_ || slot_of.emplace(arrival, i).second, "has two copies that arrived at once");
  }
  for (Item& item : items_) item.id = position.take();
  EchoLag::Recent recent;
  for (int64_t left = take_count(position); left > 0; --left) {
    const int64_t output = take_count(position), id = position.take();
    require(output < outputs_ && (recent.empty() || output > recent.back().first), "is out of order");
    recent.emplace_back(output, id);
  }
  lag_.set_recent(recent);
  for (const auto& [arrival, slot] : slot_of) lag_.enter(arrival, items_[size_t(slots_[size_t(slot)].place)].id, slot);
}

}  // namespace zoo::data
