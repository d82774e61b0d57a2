#include <libzoo/data/sources.h>

#include <libzoo/core/random.h>

#include <fmt/format.h>

#include <numeric>

namespace zoo::data {
namespace {

constexpr int64_t kMaxItems = int64_t(1) << 32;
constexpr uint16_t kReplacementCopy = 1;  // keeps the words of with_replacement apart from those of permutations

uint32_t epoch_word(int64_t epoch) {
  if (epoch < 0 || epoch > int64_t(UINT32_MAX)) throw Error(fmt::format("epoch {} does not fit 32 bits", epoch));
  return uint32_t(epoch);
}

void check_size(int64_t n, int64_t least) {
  if (n < least || n > kMaxItems) throw Error(fmt::format("a source needs {} to 2^32 items, got {}", least, n));
}

// A source whose items are told by their running number.
class Counted : public Stage<Ticket> {
 public:
  void save(Position& position) const override { position.push_back(position_); }

  void load(PositionReader& position) override {
    const int64_t value = position.take();
    if (value < 0) throw Error(fmt::format("the saved position {} of a source is negative", value));
    position_ = value;
  }

  void locate(Position& address) const override { address.push_back(position_ - 1); }
  std::vector<Ticket> refetch(const std::vector<Position>& addresses) override { return refetch_by_position(*this, addresses); }
  void report(std::vector<StageReport>&) const override {}  // a plan costs nothing

 protected:
  int64_t position_ = 0;
};

// The epoch's order is computed when the epoch begins.
class Indices final : public Counted {
 public:
  Indices(int64_t n, const IndicesOptions& options) : n_(n), options_(options) {
    check_size(n, 0);
    length_ = options.shard ? shard_length(n, *options.shard) : n;
    if (options.epochs && *options.epochs < 0) throw Error(fmt::format("epochs must be at least 0, got {}", *options.epochs));
    if (!options.epochs && length_ == 0)
      throw Error(fmt::format("an endless stream of {} items has nothing to give", n), "check that the data set is not empty");
  }

  std::optional<Ticket> next() override {
    if (length_ == 0) return std::nullopt;
    const int64_t epoch = position_ / length_, place = position_ % length_;
    if (options_.epochs && epoch >= *options_.epochs) return std::nullopt;
    const bool identity_order = !options_.shuffle && !options_.shard;
    if (!identity_order && epoch != order_epoch_) {
      order_ = options_.shard ? shard_assign(n_, *options_.shard, options_.seed, epoch, options_.shuffle)
                              : permutation(n_, {options_.seed, epoch_word(epoch), 0, Purpose::shuffle_stage, 0});
      order_epoch_ = epoch;
    }
    return Ticket{identity_order ? place : order_[size_t(place)], epoch, position_++};
  }

  std::string describe() const override {
    std::string text = fmt::format("indices({}, seed={}, {}, {}", n_, options_.seed, options_.shuffle ? "shuffled" : "in order",
                                   options_.epochs ? fmt::format("epochs={}", *options_.epochs) : "endless");
    if (const auto& s = options_.shard)
      text += fmt::format(", rank={}/{}, worker={}/{}, {}", s->rank, s->world_size, s->worker, s->num_workers,
                          s->mode == ShardMode::none   ? "none"
                          : s->mode == ShardMode::drop ? "drop"
                                                       : "pad");
    return text + ")";
  }

 private:
  int64_t n_, length_ = 0, order_epoch_ = -1;
  IndicesOptions options_;
  std::vector<int64_t> order_;
};

class WithReplacement final : public Counted {
 public:
  WithReplacement(int64_t n, uint64_t seed) : n_(n), seed_(seed), random_({seed, 0, 0, Purpose::shuffle_stage, kReplacementCopy}) {
    check_size(n, 1);
  }

  std::optional<Ticket> next() override {
    const auto index = int64_t((uint64_t(random_.word(uint64_t(position_))) * uint64_t(n_)) >> 32);
    const Ticket ticket{index, position_ / n_, position_};
    ++position_;
    return ticket;
  }

  std::string describe() const override { return fmt::format("with_replacement({}, seed={})", n_, seed_); }

 private:
  int64_t n_;
  uint64_t seed_;
  RandomStream random_;
};

void check(int64_t num_items, const Shard& s) {
  if (num_items < 0 || num_items > kMaxItems) throw Error(fmt::format("num_items must be 0 to 2^32, got {}", num_items));
  if (s.world_size < 1) throw Error(fmt::format("world_size must be at least 1, got {}", s.world_size));
  if (s.num_workers < 1) throw Error(fmt::format("num_workers must be at least 1, got {}", s.num_workers));
  if (s.rank < 0 || s.rank >= s.world_size) throw Error(fmt::format("rank must be in [0, {}), got {}", s.world_size, s.rank));
  if (s.worker < 0 || s.worker >= s.num_workers) throw Error(fmt::format("worker must be in [0, {}), got {}", s.num_workers, s.worker));
}

// Places of all ranks together.
int64_t total_length(int64_t num_items, const Shard& s) {
  const int64_t rows = num_items / s.world_size;
  if (s.mode == ShardMode::none || num_items % s.world_size == 0) return num_items;
  return (s.mode == ShardMode::drop ? rows : rows + 1) * s.world_size;
}

}  // namespace

void Ticket::save(Position& out) const { out.insert(out.end(), {index, epoch, position}); }

Ticket Ticket::load(PositionReader& in) {
  Ticket ticket;
  ticket.index = in.take();
  ticket.epoch = in.take();
  ticket.position = in.take();
  return ticket;
}

int64_t shard_length(int64_t num_items, const Shard& shard) {
  check(num_items, shard);
  const auto every = [](int64_t n, int64_t first, int64_t step) { return n <= first ? 0 : (n - first - 1) / step + 1; };
  return every(every(total_length(num_items, shard), shard.rank, shard.world_size), shard.worker, shard.num_workers);
}

std::vector<int64_t> shard_assign(int64_t num_items, const Shard& shard, uint64_t seed, int64_t epoch, bool shuffle) {
  check(num_items, shard);
  std::vector<int64_t> order;
  if (shuffle) order = permutation(num_items, {seed, epoch_word(epoch), 0, Purpose::shard_permutation, 0});
  const int64_t total = total_length(num_items, shard);
  std::vector<int64_t> mine;
  mine.reserve(size_t(shard_length(num_items, shard)));
  for (int64_t place = shard.rank + shard.worker * shard.world_size; place < total; place += shard.world_size * shard.num_workers) {
    const int64_t wrapped = place % num_items;
    mine.push_back(shuffle ? order[size_t(wrapped)] : wrapped);
  }
  return mine;
}

Stream<Ticket> indices(int64_t n, const IndicesOptions& options) { return Stream<Ticket>(std::make_unique<Indices>(n, options)); }

Stream<Ticket> with_replacement(int64_t n, uint64_t seed) { return Stream<Ticket>(std::make_unique<WithReplacement>(n, seed)); }

}  // namespace zoo::data
