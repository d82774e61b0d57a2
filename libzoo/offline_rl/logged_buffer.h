// Writes what an agent plays as shards of Dopamine's logged replay buffer (replay_shard.h): a circular memory of `capacity` rows, of which a
// shard is made whenever, after an add, its count is capacity - 1 modulo capacity.
//
//   LoggedBuffer log({.folder = "log/replay_logs", .capacity = 50'000, .frame_shape = {10, 10, 4}});
//   log.add(frame, action, reward, step.done());
//   log.close();                                     // the rows since the last shard
#pragma once

#include <libzoo/core/state.h>
#include <libzoo/offline_rl/replay_shard.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace zoo::offline_rl {

// Counts rows as the buffer writes them: an episode's first add writes stack - 1 rows of zeros before its own.
struct RowCount {
  int64_t capacity = 0, stack = 1, horizon = 1;
  int64_t added = 0;  // rows ever

  int64_t cursor() const { return added % capacity; }
  int64_t add(bool first_of_episode);  // returns how many rows were written
  // If the rows of an episode's first add jump over this point, there is no shard of that cycle.
  bool shard_is_due() const { return cursor() == capacity - 1; }
  // Rows that cannot be sampled: cursor - horizon … cursor + stack - 1.
  std::vector<int64_t> invalid_range() const;
};

struct LoggedBufferOptions {
  std::filesystem::path folder{};
  int64_t capacity = 1'000'000;
  int64_t stack = 4, horizon = 1;
  std::vector<int64_t> frame_shape = {84, 84};
  bool clip_rewards = false;  // to [-1, 1], as the DQN Replay data set has them
  int compression = 6;
};

class LoggedBuffer {
 public:
  // Throws UserError if the capacity is less than horizon + stack.
  explicit LoggedBuffer(const LoggedBufferOptions& options);

  // `end`: the episode ends here, by the game or by a limit; the format knows no difference.
  void add(std::span<const uint8_t> frame, int32_t action, float reward, bool end);
  // Writes the last, unfinished shard: its count is the number of its rows.
  void close();
  int64_t shards() const { return suffix_; }
  int64_t added() const { return count_.added; }

  State state() const;
  void restore(const State& state);

 private:
  void put(std::span<const uint8_t> frame, int32_t action, float reward, uint8_t terminal);
  void write(int64_t add_count);

  LoggedBufferOptions options_;
  RowCount count_;
  ReplayShard rows_;
  int64_t suffix_ = 0;
  bool first_ = true;
};

}  // namespace zoo::offline_rl
