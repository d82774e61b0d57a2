// bucket_batch(length_of, options): batches of items of similar length, so that padding them to the longest wastes little.
//
//   auto batches = sentences | bucket_batch([](const Tokens& t) { return t.size(); }, {.bounds = {16, 64}, .sizes = {64, 32, 8}});
//
// Items of length up to 16 go into batches of 64, up to 64 into batches of 32, longer ones into batches of 8. A batch leaves
// when it is full; at the end of the stream the short ones leave, the shortest items first, or are dropped.
#pragma once

#include <libzoo/data/stages.h>

#include <algorithm>
#include <concepts>

namespace zoo::data {

struct BucketOptions {
  std::vector<int64_t> bounds;  // largest length of each bucket but the last, ascending
  std::vector<int64_t> sizes;   // items of a batch of each bucket: one more than bounds
  LastBatch last = LastBatch::keep;
};

void check_buckets(const BucketOptions& options);  // throws Error
std::string describe_buckets(const BucketOptions& options);

template <class T, class LengthOf>
class BucketStage final : public StageOn<T, std::vector<T>> {
  using StageOn<T, std::vector<T>>::upstream_;

 public:
  BucketStage(std::unique_ptr<Stage<T>> upstream, LengthOf length_of, BucketOptions options)
      : StageOn<T, std::vector<T>>(std::move(upstream)),
        length_of_(std::move(length_of)),
        options_(std::move(options)),
        buckets_(options_.sizes.size()) {}

  std::optional<std::vector<T>> next() override {
    while (std::optional<T> item = upstream_->next()) {
      const size_t b = bucket_of(*item);
      Position address;
      upstream_->locate(address);
      buckets_[b].items.push_back(std::move(*item));
      buckets_[b].addresses.push_back(std::move(address));
      if (int64_t(buckets_[b].items.size()) == options_.sizes[b]) return leave(b);
    }
    for (size_t b = 0; b < buckets_.size(); ++b) {
      if (buckets_[b].items.empty()) continue;
      if (options_.last == LastBatch::drop) {
        buckets_[b] = {};
        continue;
      }
      std::vector<T> items = leave(b);
      if (options_.last == LastBatch::pad) pad_by_repeating(items, options_.sizes[b]);
      return items;
    }
    return std::nullopt;
  }

  void save(Position& position) const override {
    upstream_->save(position);
    for (const Bucket& bucket : buckets_) {
      position.push_back(int64_t(bucket.addresses.size()));
      for (const Position& address : bucket.addresses) append_list(position, address);
    }
  }

  void load(PositionReader& position) override {
    const PositionReader upstream_position = position;
    upstream_->load(position);
    std::vector<Bucket> buckets(options_.sizes.size());
    std::vector<Position> wanted;
    for (Bucket& bucket : buckets) {
      for (int64_t left = take_counter(position, "bucket_batch"); left > 0; --left) bucket.addresses.push_back(take_list(position));
      wanted.insert(wanted.end(), bucket.addresses.begin(), bucket.addresses.end());
    }
    std::vector<T> items = refetch_held(*upstream_, wanted, upstream_position);
    auto item = items.begin();
    for (Bucket& bucket : buckets)
      for (size_t i = 0; i < bucket.addresses.size(); ++i) bucket.items.push_back(std::move(*item++));
    buckets_ = std::move(buckets);
  }

  void locate(Position& address) const override { append_addresses(address, left_); }
  std::vector<std::vector<T>> refetch(const std::vector<Position>& addresses) override { return refetch_groups(*upstream_, addresses); }

  void report(std::vector<StageReport>& reports) const override {
    upstream_->report(reports);
    reports.push_back(meter_.report("bucket_batch"));
  }

 private:
  struct Bucket {
    std::vector<T> items;
    std::vector<Position> addresses;
  };

  std::string name(bool) const override { return describe_buckets(options_); }

  size_t bucket_of(const T& item) const {
    const auto length = int64_t(length_of_(item));
    return size_t(std::lower_bound(options_.bounds.begin(), options_.bounds.end(), length) - options_.bounds.begin());
  }

  std::vector<T> leave(size_t b) {
    Bucket bucket = std::exchange(buckets_[b], {});
    left_ = std::move(bucket.addresses);
    meter_.delivered();
    return std::move(bucket.items);
  }

  LengthOf length_of_;
  BucketOptions options_;
  std::vector<Bucket> buckets_;
  std::vector<Position> left_;  // the addresses of the batch that left last
  Meter meter_;
};

template <class LengthOf>
struct BucketBatch {
  LengthOf length_of;
  BucketOptions options;
  template <class T>
  auto attach(std::unique_ptr<Stage<T>> upstream) && {
    check_buckets(options);
    return std::make_unique<BucketStage<T, LengthOf>>(std::move(upstream), std::move(length_of), std::move(options));
  }
};

template <class LengthOf>
BucketBatch<LengthOf> bucket_batch(LengthOf length_of, BucketOptions options) {
  return {std::move(length_of), std::move(options)};
}

}  // namespace zoo::data
