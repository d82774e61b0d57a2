// The small stages: batch(n), take(n), shard(rank, world_size). See map.h, prefetch.h and shuffle.h for the others.
#pragma once

#include <libzoo/data/stream.h>

#include <type_traits>

namespace zoo::data {

enum class LastBatch { keep, drop, pad };  // what becomes of a short one; pad: its own items again, from its first

struct BatchOptions {
  LastBatch last = LastBatch::keep;
};

std::string describe_batch(int64_t size, const BatchOptions& options);
void check_batch(int64_t size);                              // throws Error if below 1
void check_take(int64_t count);                              // throws Error if negative
void check_shard(int64_t rank, int64_t world_size);          // throws Error unless 0 <= rank < world_size
int64_t take_counter(PositionReader& position, const char* stage);  // throws Error if negative

// What is wanted of a group of items is kept and asked for as one list of addresses.
void append_addresses(Position& address, const std::vector<Position>& items);

template <class T>
std::vector<std::vector<T>> refetch_groups(Stage<T>& upstream, const std::vector<Position>& groups) {
  std::vector<Position> wanted;
  std::vector<size_t> ends;
  for (const Position& group : groups) {
    for (PositionReader reader(group); !reader.empty();) wanted.push_back(take_list(reader));
    ends.push_back(wanted.size());
  }
  std::vector<T> items = upstream.refetch(wanted);
  std::vector<std::vector<T>> result;
  size_t used = 0;
  for (size_t end : ends)
    for (result.emplace_back(); used < end; ++used) result.back().push_back(std::move(items[used]));
  return result;
}

[[noreturn]] void refuse_padding();  // throws Error: items that can't be copied

template <class T>
void pad_by_repeating(std::vector<T>& items, int64_t size) {
  if constexpr (std::is_copy_constructible_v<T>) {
    for (size_t i = 0; int64_t(items.size()) < size; ++i) items.push_back(T(items[i]));
  } else {
    if (int64_t(items.size()) < size) refuse_padding();
  }
}

// Items gathered before an upstream error stay for the batch that the following call returns.
template <class T>
class BatchStage final : public StageOn<T, std::vector<T>> {
  using StageOn<T, std::vector<T>>::upstream_;

 public:
  BatchStage(std::unique_ptr<Stage<T>> upstream, int64_t size, BatchOptions options)
      : StageOn<T, std::vector<T>>(std::move(upstream)), size_(size), options_(options) {
    upstream_->save(delivered_);
  }

  std::optional<std::vector<T>> next() override {
    while (int64_t(gathered_.size()) < size_) {
      std::optional<T> item = upstream_->next();
      if (!item) break;
      gathered_.push_back(std::move(*item));
      gathering_.emplace_back();
      upstream_->locate(gathering_.back());
    }
    if (int64_t(gathered_.size()) < size_) {
      if (options_.last == LastBatch::drop) gathered_.clear();
      if (options_.last == LastBatch::pad && !gathered_.empty()) pad_by_repeating(gathered_, size_);
    }
    address_ = std::exchange(gathering_, {});
    if (gathered_.empty()) return std::nullopt;
    delivered_.clear();
    upstream_->save(delivered_);
    meter_.delivered(int64_t(gathered_.size()));
    return std::exchange(gathered_, {});
  }

  void save(Position& position) const override { position.insert(position.end(), delivered_.begin(), delivered_.end()); }

  void load(PositionReader& position) override {
    gathered_.clear();
    gathering_.clear();
    upstream_->load(position);
    delivered_.clear();
    upstream_->save(delivered_);
  }

  void locate(Position& address) const override { append_addresses(address, address_); }
  std::vector<std::vector<T>> refetch(const std::vector<Position>& addresses) override {
    auto batches = refetch_groups(*upstream_, addresses);
    if (options_.last == LastBatch::pad)
      for (auto& items : batches) pad_by_repeating(items, size_);
    return batches;
  }

  void report(std::vector<StageReport>& reports) const override {
    upstream_->report(reports);
    reports.push_back(meter_.report("batch", size_));
  }

 private:
  std::string name(bool) const override { return describe_batch(size_, options_); }

  int64_t size_;
  BatchOptions options_;
  Meter meter_;
  std::vector<T> gathered_;
  std::vector<Position> gathering_, address_;  // the addresses of those, and of the batch that was returned
  Position delivered_;
};

struct Batch {
  int64_t size;
  BatchOptions options;
  template <class T>
  auto attach(std::unique_ptr<Stage<T>> upstream) && {
    check_batch(size);
    return std::make_unique<BatchStage<T>>(std::move(upstream), size, options);
  }
};

inline Batch batch(int64_t size, BatchOptions options = {}) { return {size, options}; }

// Passes on some items as they come, and counts them.
template <class T>
class CountingStage : public StageOn<T> {
 public:
  CountingStage(std::unique_ptr<Stage<T>> upstream, const char* kind) : StageOn<T>(std::move(upstream)), kind_(kind) {}

  void save(Position& position) const override {
    this->upstream_->save(position);
    position.push_back(count_);
  }
  void load(PositionReader& position) override {
    this->upstream_->load(position);
    count_ = take_counter(position, kind_);
  }
  void locate(Position& address) const override { this->upstream_->locate(address); }
  std::vector<T> refetch(const std::vector<Position>& addresses) override { return this->upstream_->refetch(addresses); }
  void report(std::vector<StageReport>& reports) const override { this->upstream_->report(reports); }

 protected:
  int64_t count_ = 0;

 private:
  const char* kind_;
};

// The first `limit` items.
template <class T>
class TakeStage final : public CountingStage<T> {
 public:
  TakeStage(std::unique_ptr<Stage<T>> upstream, int64_t limit) : CountingStage<T>(std::move(upstream), "take"), limit_(limit) {}

  std::optional<T> next() override {
    if (this->count_ >= limit_) return std::nullopt;
    std::optional<T> item = this->upstream_->next();
    if (item) ++this->count_;
    return item;
  }

 private:
  std::string name(bool) const override { return "take(" + std::to_string(limit_) + ")"; }

  int64_t limit_;
};

struct Take {
  int64_t count;
  template <class T>
  auto attach(std::unique_ptr<Stage<T>> upstream) && {
    check_take(count);
    return std::make_unique<TakeStage<T>>(std::move(upstream), count);
  }
};

inline Take take(int64_t count) { return {count}; }

// Items rank, rank + world_size, … of any stream; belongs before the costly stages. With workers, the rank within all
// loaders is rank + worker · world_size of world_size · num_workers. For equal shares see indices(n, {.shard = …}).
template <class T>
class ShardStage final : public CountingStage<T> {
 public:
  ShardStage(std::unique_ptr<Stage<T>> upstream, int64_t rank, int64_t world_size)
      : CountingStage<T>(std::move(upstream), "shard"), rank_(rank), world_size_(world_size) {}

  std::optional<T> next() override {
    for (;;) {
      std::optional<T> item = this->upstream_->next();
      if (!item) return std::nullopt;
      if (this->count_++ % world_size_ == rank_) return item;
    }
  }

 private:
  std::string name(bool) const override { return "shard(" + std::to_string(rank_) + ", " + std::to_string(world_size_) + ")"; }

  int64_t rank_, world_size_;
};

struct ShardOf {
  int64_t rank, world_size;
  template <class T>
  auto attach(std::unique_ptr<Stage<T>> upstream) && {
    check_shard(rank, world_size);
    return std::make_unique<ShardStage<T>>(std::move(upstream), rank, world_size);
  }
};

inline ShardOf shard(int64_t rank, int64_t world_size) { return {rank, world_size}; }
inline ShardOf shard(int64_t rank, int64_t world_size, int64_t worker, int64_t num_workers) {
  check_shard(rank, world_size);
  check_shard(worker, num_workers);
  return {rank + worker * world_size, world_size * num_workers};
}

}  // namespace zoo::data
