// Sources: streams of tickets, each of which says which item to fetch and under which number.
//
//   auto order = indices(dataset->size(), {.seed = 1});                       // endless, a new permutation each epoch
//   auto once = indices(n, {.shuffle = false, .epochs = 1});                  // 0 … n-1, for evaluation
//   auto mine = indices(n, {.seed = 1, .shard = Shard{.rank = 3, .world_size = 8}});
#pragma once

#include <libzoo/data/stream.h>

namespace zoo::data {

struct Ticket {
  int64_t index = 0;     // of the item, in [0, n)
  int64_t epoch = 0;     // pass over the items, from 0
  int64_t position = 0;  // number of this ticket in its source's stream, from 0

  bool operator==(const Ticket&) const = default;
  void save(Position& position) const;
  static Ticket load(PositionReader& position);
};

// What to do so that all ranks get equally many items: nothing, drop the rest, or repeat items from the start.
enum class ShardMode { none, drop, pad };

struct Shard {
  int64_t rank = 0, world_size = 1;
  int64_t worker = 0, num_workers = 1;  // loader processes within a rank; one where the threads of a stream do the work
  ShardMode mode = ShardMode::pad;
};

// The items of one worker of one rank in one epoch, in order: from the permutation (purpose shard_permutation) or
// 0 … n-1, rank r takes places r, r + world_size, …, and its worker m every num_workers-th of those from m. The lists are
// disjoint and complete (none). Unshuffled pad and drop equal torch's DistributedSampler.
// Throws Error if a count is below 1 (num_items below 0) or rank or worker are out of range.
std::vector<int64_t> shard_assign(int64_t num_items, const Shard& shard, uint64_t seed, int64_t epoch, bool shuffle);
int64_t shard_length(int64_t num_items, const Shard& shard);  // the length of that list, the same in all epochs

struct IndicesOptions {
  uint64_t seed = 0;
  bool shuffle = true;             // a full permutation each epoch (purpose shuffle_stage, or that of shard_assign)
  std::optional<int64_t> epochs = {};   // none: endless
  std::optional<Shard> shard = {};
};

// Throws Error if n is negative or above 2^32, or if an endless stream would have no items.
Stream<Ticket> indices(int64_t n, const IndicesOptions& options = {});

// Endless independent draws from 0 … n-1; epoch = position / n. Throws Error unless 1 <= n <= 2^32.
Stream<Ticket> with_replacement(int64_t n, uint64_t seed);

}  // namespace zoo::data
