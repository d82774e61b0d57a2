// The order in which data echoing repeats its items, as numbers only: echo.h puts the items to it.
//
//   EchoOrder order(/*shuffle_buffer=*/4096, /*min_lag=*/0, [&](uint64_t i) { return words.word(i); });
//   while (order.wants_item()) … order.add(id, echo_copies(word, 2.5)); … or order.end();
//   while (auto out = order.next()) …
//
// An item enters as its copies 0, 1, … one after the other. Before each output the buffer is filled; output number t takes
// slot (word t · filled) >> 32, the next input takes its place, and when the input has ended the last slot does. Nothing is
// lost at the end. One slot or none: the order stays, and no word is used.
//
// min_lag m > 0: a slot is eligible if no copy with its id left fewer than m outputs ago. Words come in rows of nine, and
// the first that finds an eligible slot counts; if none does, the eligible slot that entered earliest leaves, and if no
// slot is eligible the earliest of all.
#pragma once

#include <libzoo/data/echo_lag.h>
#include <libzoo/data/stream.h>

#include <functional>
#include <optional>
#include <vector>

namespace zoo::data {

inline constexpr double kMaxEchoFactor = 65535;  // copies are numbered in 16 bits of a random key

// Throws Error unless 1 <= factor <= kMaxEchoFactor; `name` is what the message calls it.
void check_echo_factor(double factor, const char* name = "the echo factor");

// floor(factor) copies, and one more with the probability of its fraction: if word < fraction · 2^32.
int64_t echo_copies(uint32_t word, double factor);
// The copy word of an item: (seed, epoch, id, Purpose::echo_copies, 0), word 0. Throws Error if epoch or id exceed 32 bits.
uint32_t echo_copy_word(uint64_t seed, int64_t epoch, int64_t id);

class EchoOrder {
 public:
  using Word = std::function<uint32_t(uint64_t index)>;
  static constexpr int kWordsPerRow = 9;

  // Throws Error unless 0 <= shuffle_buffer < 2^31 and min_lag >= 0.
  EchoOrder(int64_t shuffle_buffer, int64_t min_lag, Word word);

  bool wants_item();                        // the next output needs another item of the source
  int64_t add(int64_t id, int64_t copies);  // the item, by the place that outputs name it with until its last copy has left
  void end() { ended_ = true; }             // the source has none left

  struct Output {
    int64_t place = 0, copy = 0, fresh = 0;  // fresh: running number of the item
    bool last = false;                       // no further copy of it will come
  };
  std::optional<Output> next();  // nothing: the end. Only when no item is wanted

  int64_t fresh() const { return fresh_; }      // items added
  int64_t outputs() const { return outputs_; }
  int64_t filled() const { return int64_t(slots_.size()) - (hole_ >= 0); }

  int64_t places() const { return int64_t(items_.size()); }  // of outputs: below this
  bool holds(int64_t place) const { return items_[size_t(place)].left > 0; }

  // Appends the state: a few copies of memory, since streams ask for it with every item. Throws Error if the position
  // cannot be one.
  void save(Position& position) const;
  void load(PositionReader& position);

 private:
  struct Item {
    int64_t id = 0, left = 0;  // copies that have not left
  };
  struct Slot {
    int32_t copy = 0, place = 0;
  };

  bool shuffles() const { return capacity_ > 1; }
  bool lags() const { return shuffles() && min_lag_ > 0; }
  bool has_room() const { return hole_ >= 0 || int64_t(slots_.size()) < capacity_; }
  void enter(Slot slot);
  void close_hole();
  size_t choose();
  void load_lag(PositionReader& position);

  int64_t capacity_, min_lag_;
  Word word_;
  std::vector<Item> items_;        // by place
  std::vector<int64_t> numbers_;   // running numbers, by place
  std::vector<int64_t> free_places_;
  std::vector<Slot> slots_;
  std::vector<int64_t> arrivals_;  // of the slots, with min_lag
  EchoLag lag_;
  Slot entering_;                  // the copy that enters next, of entering_copies_
  int64_t entering_copies_ = 0;
  int64_t hole_ = -1;              // the slot that the last output left
  int64_t fresh_ = 0, outputs_ = 0, entered_ = 0;
  bool ended_ = false;
};

}  // namespace zoo::data
