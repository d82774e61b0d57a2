// echo({.factor = 2, .shuffle_buffer = 4096, .seed = 1}): data echoing (Choi et al. 2019, arXiv 1907.05550). Each item comes
// `factor` times, mixed by a shuffle buffer (see echo_order.h for the exact order), so that a step need not wait for an
// input that is slower. Before augmentation, after it, or around whole batches:
//
//   tickets | lazy<Picture>() | echo({.factor = 2, .shuffle_buffer = 4096}) | map(decode_once_and_augment, {.workers = 4}) | batch(64)
//   tickets | map(decode, {.workers = 4}) | map(augment) | echo(…) | batch(64)
//   tickets | map(decode, {.workers = 4}) | map(augment) | batch(64) | echo({.factor = 2, .shuffle_buffer = 16})
//
// Items are copied for each copy, so they should be handles (a ticket, a shared pointer, a tensor); copies share what they
// point to. Storable items (shuffle.h) are part of the saved position; others are fetched again, each distinct one once.
// A copy that augments differently takes `copy` into its random key. The learning rate has to be tuned anew.
#pragma once

#include <libzoo/data/echo_control.h>
#include <libzoo/data/echo_key.h>
#include <libzoo/data/echo_monitor.h>
#include <libzoo/data/echo_order.h>
#include <libzoo/data/shuffle.h>
#include <libzoo/data/stages.h>

#include <algorithm>
#include <bit>
#include <map>
#include <memory>

namespace zoo::data {

template <class T>
struct Echoed {
  T item;
  int64_t copy = 0;   // 0 … k-1 of its item
  int64_t fresh = 0;  // running number of the item in the stage
  bool last = true;   // no further copy of the item will come

  bool operator==(const Echoed&) const = default;
  void save(Position& position) const
    requires Storable<T>
  {
    item.save(position);
    position.insert(position.end(), {copy, fresh, int64_t(last)});
  }
  static Echoed load(PositionReader& position)
    requires Storable<T>
  {
    Echoed echoed{T::load(position)};
    echoed.copy = position.take();
    echoed.fresh = position.take();
    echoed.last = position.take() != 0;
    return echoed;
  }
};

struct EchoOptions {
  double factor = 1;           // copies of an item, 1 to 65535; 2.5: two or three
  int64_t shuffle_buffer = 0;  // slots for copies; 0 or 1: in order. 16 · batch size · factor and more mixes well
  int64_t min_lag = 0;         // outputs between two copies of an item, where the buffer allows; 0: no matter
  uint64_t seed = 0;
  std::shared_ptr<EchoControl> control = {};  // gives the factor instead, and is told how long fresh items take
  std::shared_ptr<EchoMonitor> monitor = {};  // is given the statistics
  bool nested = false;                        // allow an echo before this one; their factors multiply

  bool passes_through() const { return factor == 1 && !control && shuffle_buffer <= 1; }  // each item once, in order
};

// Throws Error if an option is out of range, or if `upstream` has an echo and nested is not set.
void check_echo(const EchoOptions& options, const std::string& upstream);
std::string describe_echo(const EchoOptions& options);

template <class T>
class EchoStage final : public StageOn<T, Echoed<T>> {
  static_assert(std::is_copy_constructible_v<T>, "echo copies its items: make them shared pointers");
  using StageOn<T, Echoed<T>>::upstream_;

 public:
  EchoStage(std::unique_ptr<Stage<T>> upstream, EchoOptions options)
      : StageOn<T, Echoed<T>>(std::move(upstream)),
        options_(std::move(options)),
        words_({options_.seed, 0, 0, Purpose::echo_shuffle, 0}),
        order_(options_.shuffle_buffer, options_.min_lag, [this](uint64_t index) { return words_.word(index % kWords); }),
        probe_(options_.control.get()),
        tally_(options_.monitor.get()) {}

  std::optional<Echoed<T>> next() override {
    while (order_.wants_item())
      if (!pull()) order_.end();
    const auto out = order_.next();
    if (!out) {
      tally_.publish();
      return std::nullopt;
    }
    meter_.delivered(order_.filled());
    tally_.output(*out, order_, factor_);
    last_ = *out;
    last_record_.assign(record(out->place).begin(), record(out->place).end());
    std::optional<T>& held = held_[size_t(out->place)];
    if (!out->last) return Echoed<T>{*held, out->copy, out->fresh, false};
    Echoed<T> echoed{std::move(*held), out->copy, out->fresh, true};
    held.reset();
    return echoed;
  }

  void save(Position& position) const override {
    upstream_->save(position);
    if (options_.control) position.push_back(std::bit_cast<int64_t>(factor_));
    order_.save(position);
    position.push_back(int64_t(record_size_));
    position.insert(position.end(), records_.begin(), records_.end());
  }

  void load(PositionReader& position) override {
    const PositionReader upstream_position = position;
    upstream_->load(position);
    double factor = options_.factor;
    if (options_.control) check_echo_factor(factor = std::bit_cast<double>(position.take()), "the saved echo factor");
    EchoOrder order = order_;
    order.load(position);
    const int64_t record_size = take_counter(position, "echo");
    const auto size = size_t(order.places() > 0 ? record_size : 0);
    Position records;
    for (int64_t i = 0; i < order.places(); ++i)
      for (size_t k = 0; k < size; ++k) records.push_back(position.take());
    std::vector<Record> wanted;
    for (int64_t i = 0; i < order.places(); ++i)
      if (order.holds(i)) wanted.push_back(Record(records).subspan(size_t(i) * size, size));
    std::vector<T> items = fetch(wanted);
    std::vector<std::optional<T>> held(size_t(order.places()));
    for (size_t i = 0, used = 0; i < held.size(); ++i)
      if (order.holds(int64_t(i))) held[i] = std::move(items[used++]);
    if constexpr (!Storable<T>) {
      PositionReader again = upstream_position;
      upstream_->load(again);
    }
    order_ = std::move(order);
    held_ = std::move(held);
    records_ = std::move(records);
    record_size_ = size;
    factor_ = factor;
    if (options_.control) options_.control->resume(order_.fresh(), factor);
    tally_.forget();
  }

  // copy, fresh, last, and the item's record.
  void locate(Position& address) const override {
    address.insert(address.end(), {last_.copy, last_.fresh, int64_t(last_.last)});
    address.insert(address.end(), last_record_.begin(), last_record_.end());
  }

  std::vector<Echoed<T>> refetch(const std::vector<Position>& addresses) override {
    std::vector<Echoed<T>> echoed;
    std::vector<EchoOrder::Output> outputs;
    std::vector<Record> wanted;
    for (const Position& address : addresses) {
      PositionReader reader(address);
      auto& out = outputs.emplace_back();
      out.copy = reader.take();
      out.fresh = reader.take();
      out.last = reader.take() != 0;
      wanted.push_back(Record(address).subspan(3));
    }
    std::vector<T> items = fetch(wanted);
    for (size_t i = 0; i < items.size(); ++i) echoed.push_back({std::move(items[i]), outputs[i].copy, outputs[i].fresh, outputs[i].last});
    return echoed;
  }

  void report(std::vector<StageReport>& reports) const override {
    upstream_->report(reports);
    reports.push_back(meter_.report("echo", options_.shuffle_buffer));
  }

 private:
  std::string name(bool) const override { return describe_echo(options_); }

  // A storable item itself, else the list of its address; padded with zeros to the longest so far, so that all of them
  // are saved at once.
  using Record = std::span<const int64_t>;
  Record record(int64_t place) const { return Record(records_).subspan(size_t(place) * record_size_, record_size_); }

  void keep(size_t place, std::optional<T> item) {
    scratch_.clear();
    if constexpr (Storable<T>) {
      item->save(scratch_);
    } else {
      Position address;
      upstream_->locate(address);
      append_list(scratch_, address);
    }
    if (place >= held_.size()) {
      held_.resize(place + 1);
      records_.resize(held_.size() * record_size_);
    }
    if (scratch_.size() > record_size_) {
      Position wider(held_.size() * scratch_.size());
      for (size_t i = 0; i < held_.size(); ++i)
        std::copy_n(records_.begin() + ptrdiff_t(i * record_size_), record_size_, wider.begin() + ptrdiff_t(i * scratch_.size()));
      records_ = std::move(wider);
      record_size_ = scratch_.size();
    }
    scratch_.resize(record_size_);
    std::copy(scratch_.begin(), scratch_.end(), records_.begin() + ptrdiff_t(place * record_size_));
    held_[place] = std::move(item);
  }

  bool pull() {
    const auto timer = probe_.time();
    std::optional<T> item = upstream_->next();
    if (!item) return false;
    probe_.pulled(timer, *upstream_);
    const EchoKey key = echo_key(*item, order_.fresh());
    factor_ = options_.control ? options_.control->factor_for(order_.fresh()) : options_.factor;
    const bool fractional = factor_ != double(int64_t(factor_));
    const int64_t copies = echo_copies(fractional ? echo_copy_word(options_.seed, key.epoch, key.id) : 0, factor_);
    keep(size_t(order_.add(key.id, copies)), std::move(item));
    return true;
  }

  // The items of these records: those that are held, and each of the others once from upstream.
  std::vector<T> fetch(const std::vector<Record>& records) {
    std::vector<T> result;
    if constexpr (Storable<T>) {
      for (const Record& record : records) {
        PositionReader reader(record);
        result.push_back(T::load(reader));
      }
    } else {
      const auto address_in = [](const Record& record) {
        PositionReader reader(record);
        return take_list(reader);
      };
      std::map<Position, std::optional<T>> items;
      for (size_t i = 0; i < held_.size(); ++i)
        if (held_[i]) items.emplace(address_in(record(int64_t(i))), held_[i]);
      std::vector<Position> addresses, wanted;
      for (const Record& record : records) {
        addresses.push_back(address_in(record));
        if (items.emplace(addresses.back(), std::nullopt).second) wanted.push_back(addresses.back());
      }
      if (!wanted.empty()) {
        std::vector<T> fetched = upstream_->refetch(wanted);
        for (size_t i = 0; i < wanted.size(); ++i) items.at(wanted[i]) = std::move(fetched.at(i));
      }
      for (const Position& address : addresses) result.push_back(*items.at(address));
    }
    return result;
  }

  static constexpr uint64_t kWords = uint64_t(1) << 34;  // of a random stream; then from the start

  EchoOptions options_;
  RandomStream words_;
  EchoOrder order_;
  std::vector<std::optional<T>> held_;  // by the places of order_
  Position records_;                    // the same, record_size_ numbers each
  size_t record_size_ = 0;
  double factor_ = 1;  // of the latest item
  Meter meter_;
  EchoProbe probe_;
  EchoTally tally_;
  EchoOrder::Output last_;  // what next() returned, and its item's record
  Position last_record_, scratch_;
};

struct Echo {
  EchoOptions options;
  template <class T>
  auto attach(std::unique_ptr<Stage<T>> upstream) && {
    check_echo(options, upstream->identity());
    return std::make_unique<EchoStage<T>>(std::move(upstream), std::move(options));
  }
};

inline Echo echo(EchoOptions options) { return {std::move(options)}; }

}  // namespace zoo::data
