// What an agent saw and did, in a circular memory with the rules of Dopamine's circular_replay_buffer: one frame a row, states stacked
// when they are drawn, n-step rewards, no transition across an episode's end or the place that is being written.
//
//   rl::ReplayMemory memory({.frame = game->spec().observation, .capacity = 100'000, .stack = 1, .packed = true});
//   memory.add(frame.data(), action, reward, terminal, truncated);
//   auto batch = memory.batch(32);
//   memory.sample(random, batch);          // batch.state [32, 10, 10, 4, 1] …
//
// The first row of an episode has stack - 1 rows of zeros before it, which are no transitions of their own but fill its stack.
#pragma once

#include <libzoo/core/random.h>
#include <libzoo/core/state.h>
#include <libzoo/core/thread_pool.h>
#include <libzoo/rl/environment.h>

#include <cstdint>
#include <span>
#include <vector>

namespace zoo::rl {

struct ReplayOptions {
  ObservationSpec frame = {};    // one row's
  int64_t capacity = 1'000'000;  // rows, at least n_step + stack
  int64_t stack = 4;             // frames of a state
  int64_t n_step = 1;            // rewards of a transition
  double gamma = 0.99;
  int64_t action_size = 0;   // 0: a discrete action, i32; else so many f32
  bool legacy_2019 = false;  // knows no truncation: a new episode starts after a terminal row only, as when the DQN Replay data was written
  bool packed = false;  // boolean frames as bits, an eighth of the memory
};

// As they lie in memory or in the files of the DQN Replay data: [capacity, …].
struct ReplayRows {
  Array observation;  // frame.type, or u8 [capacity, bytes] if packed
  Array action;  // i32 [capacity] or f32 [capacity, action_size]
  Array reward;  // f32
  Array terminal;  // u8, 1: the episode ended here
  Array episode_end;  // u8, 1: it ended here, terminal or not; empty: only where terminal
};

// [rows, …]; batch() makes one, sample() and gather() fill it again and again.
struct Transitions {
  std::vector<int64_t> index;  // of the state's newest row
  Array state;  // [rows, frame's shape, stack], oldest first
  Array action;  // of that row
  Array reward;  // f32: Σ γʲ rⱼ over n steps, or up to the first terminal one
  Array next_state;  // n rows later; zeros where terminal
  Array terminal;  // u8: one of the n steps ended the episode
};

struct DrawRange {
  int64_t low = 0, high = 0;  // [low, high), before the modulo by the capacity; low may be negative
};

// The n_step + stack rows around the cursor that belong to no transition: (cursor - n_step … cursor + stack - 1) modulo capacity.
std::vector<int64_t> invalid_range(int64_t cursor, int64_t capacity, int64_t stack, int64_t n_step);

class ReplayMemory {
 public:
  // Throws UserError if the capacity is below n_step + stack or another option makes no sense.
  explicit ReplayMemory(const ReplayOptions& options);
  // Rows that exist, such as a mapped file: read, never written. Throws UserError if their shapes or types are not those of the options.
  ReplayMemory(const ReplayOptions& options, ReplayRows rows, int64_t add_count);

  // frame: options.frame.bytes() bytes. Throws Error for the other kind of action, and on rows that exist.
  void add(const void* frame, int64_t action, double reward, bool terminal, bool truncated = false);
  void add(const void* frame, std::span<const float> action, double reward, bool terminal, bool truncated = false);

  const ReplayOptions& options() const { return options_; }
  const ReplayRows& rows() const { return rows_; }
  int64_t add_count() const { return add_count_; }  // rows ever written, those of zeros included
  int64_t cursor() const { return add_count_ % options_.capacity; }
  bool full() const { return add_count_ >= options_.capacity; }

  bool valid(int64_t index) const;  // whether a transition starts at this row
  std::vector<int64_t> valid_indices() const;  // ascending
  DrawRange draw_range() const;

  Transitions batch(int64_t rows) const;
  // Uniform with replacement over the valid rows. Throws Error if 1,000 draws in a row meet none.
  int64_t draw(RandomStream& random) const;
  void sample(RandomStream& random, Transitions& to, ThreadPool* threads = nullptr) const;
  // The transitions at to.index, which must be valid.
  void gather(Transitions& to, ThreadPool* threads = nullptr) const;

  // The rows written so far, and the counters. restore throws Error if the state is one of another memory.
  State state() const;
  void restore(const State& state);

 private:
  int64_t wrapped(int64_t index) const;
  void write(const void* frame, int64_t action, std::span<const float> actions, double reward, bool terminal, bool truncated);
  void write_row(const void* frame, int64_t action, std::span<const float> actions, double reward, bool terminal, bool end);
  bool starts_episode() const;
  void check_rows() const;
  void stack_at(int64_t newest, std::byte* to, std::vector<uint8_t>& scratch) const;
  void gather_one(size_t at, Transitions& to, std::vector<uint8_t>& scratch) const;

  ReplayOptions options_;
  ReplayRows rows_;
  bool foreign_ = false;  // the rows are somebody else's
  int64_t add_count_ = 0;
  bool at_start_ = true;  // the next row is an episode's first
};

}  // namespace zoo::rl
