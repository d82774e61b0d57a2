// The parts of the stage templates that depend on no item type: checks and descriptions.
#include <libzoo/data/bucket.h>
#include <libzoo/data/cache.h>
#include <libzoo/data/interleave.h>
#include <libzoo/data/map.h>
#include <libzoo/data/prefetch.h>
#include <libzoo/data/shuffle.h>
#include <libzoo/data/stages.h>

#include <fmt/format.h>

#include <algorithm>

namespace zoo::data {

void check_map_options(const MapOptions& options) {
  if (options.workers < 0) throw Error(fmt::format("workers must be at least 0, got {}", options.workers));
  if (options.window < 0) throw Error(fmt::format("window must be at least 0, got {}", options.window));
  if (options.bad_items.max_bad_items < 0)
    throw Error(fmt::format("max_bad_items must be at least 0, got {}", options.bad_items.max_bad_items));
}

std::string describe_map(const MapOptions& options, bool with_workers) {
  std::string inside;
  if (with_workers) inside = fmt::format("workers={}, window={}", options.workers, options.window);
  if (options.bad_items.on_bad_item == OnBadItem::skip) inside += inside.empty() ? "skip bad items" : ", skip bad items";
  return inside.empty() ? options.name : fmt::format("{}({})", options.name, inside);
}

void check_cache(const CacheOptions& options) {
  if (options.max_bytes < 0) throw Error(fmt::format("cache: max_bytes must be at least 0, got {}", options.max_bytes));
}

void check_prefetch(int64_t items, const PrefetchOptions& options) {
  if (items < 0) throw Error(fmt::format("prefetch needs at least 0 items, got {}", items));
  if (options.max_bytes < 0) throw Error(fmt::format("max_bytes of prefetch must be at least 0, got {}", options.max_bytes));
}

std::string describe_prefetch(int64_t items, const PrefetchOptions& options) {
  return options.max_bytes > 0 ? fmt::format("prefetch({}, up to {} bytes)", items, options.max_bytes) : fmt::format("prefetch({})", items);
}

std::string describe_shuffle(int64_t slots, uint64_t seed) { return fmt::format("shuffle({}, seed={})", slots, seed); }

void check_shuffle(int64_t slots) {
  if (slots < 1) throw Error(fmt::format("shuffle needs at least 1 slot, got {}", slots));
}

void check_shuffle_position(int64_t outputs, int64_t filled, int64_t hole, int64_t slots) {
  if (outputs < 0 || filled < 0 || filled > slots || hole < -1 || hole >= std::max<int64_t>(filled, 0))
    throw Error(fmt::format("the saved shuffle buffer has {} outputs, {} of {} slots filled and slot {} open, which cannot be", outputs,
                            filled, slots, hole),
                "the checkpoint is damaged");
}

namespace {

const char* describe_last(LastBatch last) { return last == LastBatch::keep ? "" : last == LastBatch::drop ? ", drop last" : ", pad last"; }

}  // namespace

std::string describe_batch(int64_t size, const BatchOptions& options) {
  return fmt::format("batch({}{})", size, describe_last(options.last));
}

void check_batch(int64_t size) {
  if (size < 1) throw Error(fmt::format("a batch needs at least 1 item, got {}", size));
}

void append_addresses(Position& address, const std::vector<Position>& items) {
  for (const Position& item : items) append_list(address, item);
}

void refuse_padding() { throw Error("a short batch of items that can't be copied can't be padded"); }

void check_buckets(const BucketOptions& options) {
  const auto& [bounds, sizes, last] = options;
  if (sizes.size() != bounds.size() + 1)
    throw Error(
        fmt::format("{} bounds make {} buckets, which need as many batch sizes, got {}", bounds.size(), bounds.size() + 1, sizes.size()));
  for (size_t i = 1; i < bounds.size(); ++i)
    if (bounds[i] <= bounds[i - 1])
      throw Error(fmt::format("the bounds of buckets must ascend, got {} after {}", bounds[i], bounds[i - 1]));
  for (int64_t size : sizes) check_batch(size);
}

std::string describe_buckets(const BucketOptions& options) {
  return fmt::format("bucket_batch(up to [{}], of [{}]{})", fmt::join(options.bounds, ", "), fmt::join(options.sizes, ", "),
                     describe_last(options.last));
}

void check_interleave(const InterleaveOptions& options) {
  if (options.cycle < 1) throw Error(fmt::format("interleave needs a cycle of at least 1, got {}", options.cycle));
  if (options.block < 1) throw Error(fmt::format("interleave needs a block of at least 1, got {}", options.block));
}

std::string describe_interleave(const InterleaveOptions& options) {
  return fmt::format("interleave(cycle={}, block={})", options.cycle, options.block);
}

void check_take(int64_t count) {
  if (count < 0) throw Error(fmt::format("take needs a count of at least 0, got {}", count));
}

void check_shard(int64_t rank, int64_t world_size) {
  if (world_size < 1) throw Error(fmt::format("world_size must be at least 1, got {}", world_size));
  if (rank < 0 || rank >= world_size) throw Error(fmt::format("rank must be in [0, {}), got {}", world_size, rank));
}

int64_t take_counter(PositionReader& position, const char* stage) {
  const int64_t value = position.take();
  if (value < 0) throw Error(fmt::format("the saved counter {} of stage {} is negative", value, stage));
  return value;
}

}  // namespace zoo::data
