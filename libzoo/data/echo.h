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
    Held& held = held_[size_t(out->place)];
    last_ = *out;
    if constexpr (Storable<T>)
      last_item_ = held.item;
    else
      last_address_ = held.address;
    if (!out->last) return Echoed<T>{*held.item, out->copy, out->fresh, false};
    Echoed<T> echoed{std::move(*held.item), out->copy, out->fresh, true};
    held = {};
    return echoed;
  }

  void save(Position& position) const override {
    upstream_->save(position);
    if (options_.control) position.push_back(std::bit_cast<int64_t>(factor_));
    for (int64_t place : order_.save(position)) {
      const Held& held = held_[size_t(place)];
      if constexpr (Storable<T>)
        held.item->save(position);
      else
        append_list(position, held.address);
    }
  }

  void load(PositionReader& position) override {
    const PositionReader upstream_position = position;
    upstream_->load(position);
    double factor = options_.factor;
    if (options_.control) check_echo_factor(factor = std::bit_cast<double>(position.take()), "the saved echo factor");
    EchoOrder order = order_;
    std::vector<Held> held(size_t(order.load(position)));
    std::vector<Position> addresses;
    for (Held& one : held) {
      if constexpr (Storable<T>)
        one.item = T::load(position);
      else
        addresses.push_back(one.address = take_list(position));
    }
    if constexpr (!Storable<T>) {
      std::vector<T> items = fetch(addresses);
      for (size_t i = 0; i < items.size(); ++i) held[i].item = std::move(items[i]);
      PositionReader again = upstream_position;
      upstream_->load(again);
    }
    order_ = std::move(order);
    held_ = std::move(held);
    factor_ = factor;
    if (options_.control) options_.control->resume(order_.fresh(), factor);
    tally_.forget();
  }

  // copy, fresh, last, and the item or its address.
  void locate(Position& address) const override {
    address.insert(address.end(), {last_.copy, last_.fresh, int64_t(last_.last)});
    if constexpr (Storable<T>)
      last_item_->save(address);
    else
      address.insert(address.end(), last_address_.begin(), last_address_.end());
  }

  std::vector<Echoed<T>> refetch(const std::vector<Position>& addresses) override {
    std::vector<Echoed<T>> echoed;
    if constexpr (Storable<T>) {
      for (const Position& address : addresses) {
        PositionReader reader(address);
        const auto [copy, fresh, last] = take_numbers(reader);
        echoed.push_back({T::load(reader), copy, fresh, last});
      }
    } else {
      std::vector<Position> wanted;
      for (const Position& address : addresses)
        wanted.emplace_back(address.begin() + std::min<ptrdiff_t>(3, std::ssize(address)), address.end());
      std::vector<T> items = fetch(wanted);
      for (size_t i = 0; i < items.size(); ++i) {
        PositionReader reader(addresses[i]);
        const auto [copy, fresh, last] = take_numbers(reader);
        echoed.push_back({std::move(items[i]), copy, fresh, last});
      }
    }
    return echoed;
  }

  void report(std::vector<StageReport>& reports) const override {
    upstream_->report(reports);
    reports.push_back(meter_.report("echo", options_.shuffle_buffer));
  }

 private:
  std::string name(bool) const override { return describe_echo(options_); }

  struct Held {
    std::optional<T> item;
    Position address;  // of an item that is not storable
  };

  bool pull() {
    const auto timer = probe_.time();
    std::optional<T> item = upstream_->next();
    if (!item) return false;
    probe_.pulled(timer, *upstream_);
    const EchoKey key = echo_key(*item, order_.fresh());
    factor_ = options_.control ? options_.control->factor_for(order_.fresh()) : options_.factor;
    const bool fractional = factor_ != double(int64_t(factor_));
    const int64_t copies = echo_copies(fractional ? echo_copy_word(options_.seed, key.epoch, key.id) : 0, factor_);
    const auto place = size_t(order_.add(key.id, copies));
    if (place >= held_.size()) held_.resize(place + 1);
    held_[place].item = std::move(item);
    if constexpr (!Storable<T>) {
      held_[place].address.clear();
      upstream_->locate(held_[place].address);
    }
    return true;
  }

  struct Numbers {
    int64_t copy, fresh;
    bool last;
  };
  static Numbers take_numbers(PositionReader& reader) {
    const int64_t copy = reader.take(), fresh = reader.take();
    return {copy, fresh, reader.take() != 0};
  }

  // The items at these addresses: those that are held, and each of the others once from upstream.
  std::vector<T> fetch(const std::vector<Position>& addresses) {
    std::map<Position, std::optional<T>> items;
    for (const Held& held : held_)
      if (held.item) items.emplace(held.address, held.item);
    std::vector<Position> wanted;
    for (const Position& address : addresses)
      if (items.emplace(address, std::nullopt).second) wanted.push_back(address);
    if (!wanted.empty()) {
      std::vector<T> fetched = upstream_->refetch(wanted);
      for (size_t i = 0; i < wanted.size(); ++i) items.at(wanted[i]) = std::move(fetched.at(i));
    }
    std::vector<T> result;
    for (const Position& address : addresses) result.push_back(*items.at(address));
    return result;
  }

  static constexpr uint64_t kWords = uint64_t(1) << 34;  // of a random stream; then from the start

  EchoOptions options_;
  RandomStream words_;
  EchoOrder order_;
  std::vector<Held> held_;  // by the places of order_
  double factor_ = 1;       // of the latest item
  Meter meter_;
  EchoProbe probe_;
  EchoTally tally_;
  EchoOrder::Output last_;      // what next() returned, and its item or the address of that
  std::optional<T> last_item_;
  Position last_address_;
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
