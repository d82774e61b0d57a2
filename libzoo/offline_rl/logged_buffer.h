// Writes what an agent plays as shards of Dopamine's logged replay buffer (replay_shard.h): a circular memory of `capacity` rows, of which a
// shard is made whenever, after an add, its count is capacity - 1 modulo capacity.
//
//   LoggedBuffer log({.folder = "log/replay_logs", .capacity = 50'000, .frame_shape = {10, 10, 4}});
//   log.add(frame, action, reward, step.done());
//   log.close();                                     // the rows since the last shard
#pragma once

#include <libzoo/core/state.h>
#include <libzoo/rl/replay.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace zoo::offline_rl {

// Whether the memory is to be written now. If the rows of an episode's first add jump over this point, there is no shard of that cycle.
inline bool shard_is_due(const rl::ReplayMemory& memory) { return memory.cursor() == memory.options().capacity - 1; }

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
  void add(std::span<const uint8_t> frame, int64_t action, double reward, bool end);
  // Writes the last, unfinished shard: its count is the number of its rows.
  void close();
  int64_t shards() const { return suffix_; }
  const rl::ReplayMemory& memory() const { return memory_; }

  State state() const;
  void restore(const State& state);

 private:
  void write(int64_t add_count);

  LoggedBufferOptions options_;
  rl::ReplayMemory memory_;
  int64_t suffix_ = 0;
};

}  // namespace zoo::offline_rl
