// A log of play as mapped files, in the order in which it was played: what agents learn from. Made once, out of shards or TFRecords
// (convert_log.h); a frame is stored once, without the rows of zeros that pad episodes in Dopamine's buffers.
//
//   ReplayLog log("breakout/converted");
//   auto batch = log.batch(rows, {.stack = 4});
//
// A folder of log.json {rows, frame_shape, stack, actions, environment, shards: [{suffix, begin, end}]} and, row by row, observation.bin u8, action.bin
// i32, reward.bin f32, flags.bin u8.
#pragma once

#include <libzoo/io/bytes.h>
#include <libzoo/offline_rl/subset_options.h>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace zoo::offline_rl {

enum RowFlag : uint8_t {
  kTerminal = 1,  // the episode ends with this row, by the game or by its cap
  kFirst = 2,  // of an episode
  kGap = 4,  // rows before this one, of the same episode, are not in the log
  kTruncated = 8,  // the episode is cut after this row, and went on
};

struct LogShard {
  int64_t suffix = 0;
  int64_t begin = 0, end = 0;  // rows
};

struct LogInfo {
  std::vector<int64_t> frame_shape;  // [height, width] or [height, width, channels]
  int64_t stack = 4;  // frames of a state
  int64_t actions = 0;  // 1 + the largest that occurs, or what the maker said
  std::string environment;  // of the catalogue; empty if it is not known
  std::vector<LogShard> shards;
};

// [batch, height, width, stack · channels] u8, newest frame last; action i64, reward f32 (the n-step sum), terminal u8.
struct TransitionBatch {
  at::Tensor state, action, reward, next_state, terminal;
};

class ReplayLog {
 public:
  // Throws UserError naming the file that is missing or has another size than log.json says.
  explicit ReplayLog(const std::filesystem::path& folder);

  int64_t rows() const { return rows_; }
  const LogInfo& info() const { return info_; }
  int64_t channels() const;  // of one frame
  std::span<const uint8_t> frame(int64_t row) const { return observation_.view.subspan(size_t(row * frame_bytes_), size_t(frame_bytes_)); }
  int32_t action(int64_t row) const { return actions_[size_t(row)]; }
  float reward(int64_t row) const { return rewards_[size_t(row)]; }
  uint8_t flags(int64_t row) const { return flags_.view[size_t(row)]; }

  // [begin, end) of each stretch of consecutive rows of one episode, in order.
  std::vector<std::pair<int64_t, int64_t>> episodes() const;

  // Whether the log holds the state at `row` and what follows within `horizon` steps.
  bool is_transition(int64_t row, int64_t stack, int64_t horizon) const;

  struct BatchOptions {
    int64_t stack = 1, horizon = 1;
    double gamma = 0.99;
    bool clip_rewards = false;  // to [-1, 1]
  };
  // Of rows that are transitions. After a terminal the next state is zeros.
  TransitionBatch batch(std::span<const int64_t> rows, const BatchOptions& options) const;
  // The states alone.
  at::Tensor states(std::span<const int64_t> rows, int64_t stack) const;

 private:
  void write_stack(int64_t row, int64_t stack, uint8_t* to) const;

  std::filesystem::path folder_;
  LogInfo info_;
  int64_t rows_ = 0, frame_bytes_ = 0;
  io::Bytes observation_, action_, reward_, flags_;
  std::span<const int32_t> actions_;
  std::span<const float> rewards_;
};

// Writes such a folder beside its name and renames it when it is complete.
class ReplayLogWriter {
 public:
  ReplayLogWriter(const std::filesystem::path& folder, LogInfo info);
  ~ReplayLogWriter();
  ReplayLogWriter(const ReplayLogWriter&) = delete;
  ReplayLogWriter& operator=(const ReplayLogWriter&) = delete;

  // Rows in order; their frames may come in any order, by row.
  int64_t add(int32_t action, float reward, uint8_t flags);
  void put_frame(int64_t row, std::span<const uint8_t> frame);
  void begin_shard(int64_t suffix);
  int64_t rows() const { return rows_; }
  void commit();

 private:
  std::filesystem::path target_, partial_;
  LogInfo info_;
  int64_t rows_ = 0, frame_bytes_ = 0, place_ = 0;
  std::ofstream observation_, action_, reward_, flags_;
  bool committed_ = false;
};

// Draws rows of a log: every `updates_per_iteration` batches a few shards are drawn without replacement, and each batch comes from one
// of them, uniformly. A function of (seed, update) alone: nothing needs to be saved.
struct SamplingOptions {
  int64_t batch_size = 32;
  int64_t stack = 1, horizon = 1;
  int64_t shards_together = 5;  // 0: each batch from all shards
  int64_t updates_per_iteration = 62'500;
  SubsetOptions subset;
  uint64_t seed = 0;
};

class LogSampler {
 public:
  // Throws UserError if a subset has no transition.
  LogSampler(const ReplayLog& log, const SamplingOptions& options);

  std::vector<int64_t> rows(int64_t update) const;
  int64_t subset_rows() const;  // rows of the subset, transitions or not

 private:
  struct Ranges {  // of one shard
    std::vector<std::pair<int64_t, int64_t>> parts;
    std::vector<int64_t> ends;  // cumulative counts
  };

  const ReplayLog& log_;
  SamplingOptions options_;
  std::vector<Ranges> shards_;
};

}  // namespace zoo::offline_rl
