// shuffle(slots, seed): mixes a stream that is too long, or has no index, for a full permutation. The order is that of
// the echo buffer: before each output the buffer is filled, output number t takes slot (word t · filled) >> 32, the next
// input takes its place, and when the input ends the last slot does. Nothing is lost at the end. One slot: order unchanged.
//
// Buffered tickets are part of the saved position; other items are fetched again from their addresses.
#pragma once

#include <libzoo/core/random.h>
#include <libzoo/data/stream.h>

#include <concepts>

namespace zoo::data {

// Items small enough to be written into a position.
template <class T>
concept Storable = requires(const T& item, Position& to, PositionReader& from) {
  item.save(to);
  { T::load(from) } -> std::same_as<T>;
};

std::string describe_shuffle(int64_t slots, uint64_t seed);
void check_shuffle(int64_t slots);  // throws Error if below 1
// Throws Error unless 0 <= outputs, 0 <= filled <= slots and -1 <= hole < filled.
void check_shuffle_position(int64_t outputs, int64_t filled, int64_t hole, int64_t slots);

template <class T>
class ShuffleStage final : public StageOn<T> {
  using StageOn<T>::upstream_;

 public:
  ShuffleStage(std::unique_ptr<Stage<T>> upstream, int64_t slots, uint64_t seed)
      : StageOn<T>(std::move(upstream)), slots_(slots), seed_(seed), random_({seed, 0, 0, Purpose::shuffle_stage, kCopy}) {}

  std::optional<T> next() override {
    fill();
    if (buffer_.empty()) return std::nullopt;
    size_t slot = 0;
    if (slots_ > 1) slot = size_t((uint64_t(random_.word(uint64_t(outputs_))) * buffer_.size()) >> 32);
    ++outputs_;
    meter_.delivered(int64_t(buffer_.size()));
    hole_ = int64_t(slot);
    std::optional<T> item(std::move(*buffer_[slot].item));
    buffer_[slot].item.reset();
    address_ = buffer_[slot].address;
    return item;
  }

  void save(Position& position) const override {
    upstream_->save(position);
    position.insert(position.end(), {outputs_, int64_t(buffer_.size()), hole_});
    for (size_t i = 0; i < buffer_.size(); ++i) {
      if (int64_t(i) == hole_) continue;
      if constexpr (Storable<T>) {
        buffer_[i].item->save(position);
      } else {
        append_list(position, buffer_[i].address);
      }
    }
  }

  void load(PositionReader& position) override {
    const PositionReader upstream_position = position;
    upstream_->load(position);
    const int64_t outputs = position.take(), filled = position.take(), hole = position.take();
    check_shuffle_position(outputs, filled, hole, slots_);
    std::vector<Slot> buffer;
    std::vector<Position> wanted;
    for (int64_t i = 0; i < filled; ++i) {
      buffer.emplace_back();
      if (i == hole) continue;
      if constexpr (Storable<T>) {
        buffer.back().item = T::load(position);
        buffer.back().item->save(buffer.back().address);
      } else {
        buffer.back().address = take_list(position);
        wanted.push_back(buffer.back().address);
      }
    }
    std::vector<T> items = refetch_held(*upstream_, wanted, upstream_position);
    for (size_t i = 0, used = 0; used < items.size(); ++i)
      if (int64_t(i) != hole) buffer[i].item = std::move(items[used++]);
    buffer_ = std::move(buffer);
    outputs_ = outputs;
    hole_ = hole;
  }

  void locate(Position& address) const override { address.insert(address.end(), address_.begin(), address_.end()); }

  std::vector<T> refetch(const std::vector<Position>& addresses) override {
    if constexpr (Storable<T>) {
      std::vector<T> items;
      for (const Position& address : addresses) {
        PositionReader reader(address);
        items.push_back(T::load(reader));
      }
      return items;
    } else {
      return upstream_->refetch(addresses);
    }
  }

  void report(std::vector<StageReport>& reports) const override {
    upstream_->report(reports);
    reports.push_back(meter_.report("shuffle", slots_));
  }

 private:
  std::string name(bool) const override { return describe_shuffle(slots_, seed_); }

  static constexpr uint16_t kCopy = 2;  // keeps its words apart from those of the sources

  struct Slot {
    std::optional<T> item;
    Position address;  // of a storable item: the item
  };

  std::optional<Slot> pull() {
    Slot slot{upstream_->next(), {}};
    if (!slot.item) return std::nullopt;
    if constexpr (Storable<T>)
      slot.item->save(slot.address);
    else
      upstream_->locate(slot.address);
    return slot;
  }

  // The slot that the last output left is filled here, not there, so that an output waits for no input after it.
  void fill() {
    if (hole_ >= 0) {
      std::optional<Slot> input = pull();
      if (input) {
        buffer_[size_t(hole_)] = std::move(*input);
      } else {
        if (size_t(hole_) + 1 < buffer_.size()) buffer_[size_t(hole_)] = std::move(buffer_.back());
        buffer_.pop_back();
      }
      hole_ = -1;
      if (!input) return;
    }
    while (int64_t(buffer_.size()) < slots_) {
      std::optional<Slot> input = pull();
      if (!input) return;
      buffer_.push_back(std::move(*input));
    }
  }

  int64_t slots_;
  uint64_t seed_;
  RandomStream random_;
  Meter meter_;
  std::vector<Slot> buffer_;
  Position address_;
  int64_t outputs_ = 0, hole_ = -1;
};

struct Shuffle {
  int64_t slots;
  uint64_t seed;
  template <class T>
  std::unique_ptr<Stage<T>> attach(std::unique_ptr<Stage<T>> upstream) && {
    check_shuffle(slots);
    return std::make_unique<ShuffleStage<T>>(std::move(upstream), slots, seed);
  }
};

inline Shuffle shuffle(int64_t slots, uint64_t seed = 0) { return {slots, seed}; }

}  // namespace zoo::data
