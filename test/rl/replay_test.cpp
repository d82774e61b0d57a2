#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/rl/replay.h>
#include <libzoo/rl/replay_rows.h>

#include <cstring>
#include <map>
#include <set>

using namespace zoo;
using rl::ReplayMemory;
using rl::ReplayOptions;

namespace {

// A frame of two bytes that names its step: [episode, step], both from 1.
constexpr int64_t kItems = 2;

ReplayOptions small(int64_t capacity, int64_t stack, int64_t n_step) {
  return {.frame = {.type = DType::u8, .shape = {kItems}}, .capacity = capacity, .stack = stack, .n_step = n_step, .gamma = 0.5};
}

void add_episode(ReplayMemory& memory, uint8_t episode, int length, bool terminal = true) {
  for (int step = 1; step <= length; ++step) {
    const uint8_t frame[kItems] = {episode, uint8_t(step)};
    const bool last = step == length;
    memory.add(frame, 10 * episode + step, step, last && terminal, last && !terminal);
  }
}

// Frame k of a state as (episode, step).
std::pair<int, int> frame_of(const Array& states, int64_t row, int64_t stack, int64_t k) {
  const uint8_t* state = states.span<uint8_t>().data() + row * kItems * stack;
  return {state[k], state[stack + k]};
}

rl::Transitions all_of(const ReplayMemory& memory) {
  const auto indices = memory.valid_indices();
  auto batch = memory.batch(int64_t(indices.size()));
  batch.index = indices;
  memory.gather(batch);
  return batch;
}

}  // namespace

// Against the episodes themselves: what the memory calls a transition must be one, and all of them must be there.
TEST_CASE("every transition of the episodes is drawn once, with its stack, reward and successor", "[rl]") {
  for (const int64_t stack : {1, 2, 4})
    for (const int64_t n : {1, 3}) {
      INFO("stack " << stack << ", n_step " << n);
      ReplayMemory memory(small(1000, stack, n));
      const std::vector<int> lengths{5, 1, 9, 2, 12};
      for (size_t i = 0; i < lengths.size(); ++i) add_episode(memory, uint8_t(i + 1), lengths[i]);
      const auto batch = all_of(memory);
      std::set<std::pair<int, int>> seen;
      for (int64_t row = 0; row < int64_t(batch.index.size()); ++row) {
        const auto [episode, step] = frame_of(batch.state, row, stack, stack - 1);
        REQUIRE(episode >= 1);
        CHECK(seen.insert({episode, step}).second);
        const int length = lengths[size_t(episode - 1)];
        for (int64_t k = 0; k < stack; ++k) {
          const int at = step - int(stack - 1 - k);
          CHECK(frame_of(batch.state, row, stack, k) == (at >= 1 ? std::pair(episode, at) : std::pair(0, 0)));
        }
        double reward = 0, factor = 1;
        for (int j = step; j < step + n && j <= length; ++j, factor *= 0.5) reward += factor * j;
        CHECK(batch.reward.span<float>()[size_t(row)] == Approx(reward));
        const bool ended = step + n > length;
        CHECK(bool(batch.terminal.span<uint8_t>()[size_t(row)]) == ended);
        CHECK(batch.action.span<int32_t>()[size_t(row)] == 10 * episode + step);
        if (!ended) CHECK(frame_of(batch.next_state, row, stack, stack - 1) == std::pair(episode, step + int(n)));
      }
      // All but those whose n steps reach beyond what was written: the last n rows.
      CHECK(int64_t(seen.size()) == 29 - n);
    }
}

TEST_CASE("nothing is drawn across the cursor of a full memory, whatever was there before", "[rl]") {
  ReplayMemory memory(small(40, 4, 2));
  uint8_t episode = 0;
  for (int round = 0; round < 60; ++round) {
    add_episode(memory, ++episode, 1 + round * 7 % 11);
    if (!memory.full()) continue;
    const auto invalid = rl::invalid_range(memory.cursor(), 40, 4, 2);
    CHECK(invalid.size() == 6);
    for (const int64_t index : invalid) CHECK_FALSE(memory.valid(index));
    const auto batch = all_of(memory);
    for (int64_t row = 0; row < int64_t(batch.index.size()); ++row) {
      const auto newest = frame_of(batch.state, row, 4, 3);
      for (int64_t k = 0; k < 3; ++k) {
        const auto frame = frame_of(batch.state, row, 4, k);
        const int step = newest.second - int(3 - k);
        CHECK(frame == (step >= 1 ? std::pair(newest.first, step) : std::pair(0, 0)));
      }
      if (!batch.terminal.span<uint8_t>()[size_t(row)])
        CHECK(frame_of(batch.next_state, row, 4, 3) == std::pair(newest.first, newest.second + 2));
    }
  }
}

TEST_CASE("a truncated episode ends its stacks without a terminal; the version of 2019 does not know of it", "[rl]") {
  ReplayMemory memory(small(100, 1, 2));
  add_episode(memory, 1, 5, false);
  add_episode(memory, 2, 5);
  const auto batch = all_of(memory);
  std::set<std::pair<int, int>> seen;
  for (int64_t row = 0; row < int64_t(batch.index.size()); ++row) {
    const auto frame = frame_of(batch.state, row, 1, 0);
    seen.insert(frame);
    if (frame.first == 1) CHECK(batch.terminal.span<uint8_t>()[size_t(row)] == 0);
  }
  CHECK_FALSE(seen.contains({1, 4}));  // its two steps would reach over the cut
  CHECK_FALSE(seen.contains({1, 5}));
  CHECK(seen.contains({1, 3}));

  auto options = small(100, 4, 1);
  options.legacy_2019 = true;
  ReplayMemory legacy(options);
  add_episode(legacy, 1, 5, false);
  add_episode(legacy, 2, 5);
  CHECK(legacy.add_count() == 3 + 10);  // padded once: it takes both for one episode
}

TEST_CASE("bits hold the same frames as bytes, in an eighth of the memory", "[rl]") {
  for (const int64_t stack : {1, 3}) {
    ReplayOptions bytes{.frame = {.type = DType::boolean, .shape = {5, 5, 3}}, .capacity = 60, .stack = stack};
    auto bits = bytes;
    bits.packed = true;
    ReplayMemory a(bytes), b(bits);
    RandomStream random({.seed = 1});
    std::vector<uint8_t> frame(75);
    for (int i = 0; i < 100; ++i) {
      for (auto& value : frame) value = uint8_t(random.below(2));
      const bool terminal = random.below(9) == 0;
      a.add(frame.data(), i, 1, terminal);
      b.add(frame.data(), i, 1, terminal);
    }
    CHECK(b.rows().observation.bytes() == 60 * 10);
    const auto x = all_of(a), y = all_of(b);
    CHECK(x.index == y.index);
    CHECK(x.state.dtype() == DType::boolean);
    CHECK(x.state.shape() == std::vector<int64_t>{int64_t(x.index.size()), 5, 5, 3, stack});
    CHECK(std::memcmp(x.state.data(), y.state.data(), x.state.bytes()) == 0);
    CHECK(std::memcmp(x.next_state.data(), y.next_state.data(), x.state.bytes()) == 0);
  }
}

TEST_CASE("frames of any count become the last axis, whatever loop does it", "[rl]") {
  for (const int64_t frames : {1, 2, 4, 5})
    for (const int64_t items : {1, 31, 84 * 84}) {
      std::vector<std::vector<uint8_t>> from(static_cast<size_t>(frames), std::vector<uint8_t>(static_cast<size_t>(items)));
      std::vector<const uint8_t*> pointers;
      RandomStream random({.seed = uint64_t(items)});
      for (auto& frame : from) {
        for (auto& value : frame) value = uint8_t(random.next());
        pointers.push_back(frame.data());
      }
      std::vector<uint8_t> to(static_cast<size_t>(frames * items));
      rl::interleave(pointers.data(), frames, items, to.data());
      bool same = true;
      for (int64_t i = 0; i < items; ++i)
        for (int64_t k = 0; k < frames; ++k) same = same && to[size_t(i * frames + k)] == from[size_t(k)][size_t(i)];
      CHECK(same);
    }
}

TEST_CASE("draws are uniform over the valid rows, and the same on any number of threads", "[rl]") {
  ReplayMemory memory(small(50, 2, 1));
  for (uint8_t episode = 1; episode < 20; ++episode) add_episode(memory, episode, 4);
  const auto valid = memory.valid_indices();
  RandomStream random({.seed = 2}), again({.seed = 2});
  ThreadPool threads(2);
  std::map<int64_t, int> counts;
  auto batch = memory.batch(100), other = memory.batch(100);
  for (int i = 0; i < 100; ++i) {
    memory.sample(random, batch);
    memory.sample(again, other, &threads);
    REQUIRE(batch.index == other.index);
    REQUIRE(std::memcmp(batch.state.data(), other.state.data(), batch.state.bytes()) == 0);
    for (const int64_t index : batch.index) ++counts[index];
  }
  REQUIRE(counts.size() == valid.size());
  const double expected = 10000. / double(valid.size());
  double chi_squared = 0;
  for (const auto& [index, count] : counts) chi_squared += (count - expected) * (count - expected) / expected;
  CHECK(chi_squared < 2 * double(valid.size()));
}

TEST_CASE("continuous actions and float frames are kept as they are", "[rl]") {
  ReplayMemory memory({.frame = {.type = DType::f32, .shape = {3}}, .capacity = 10, .stack = 1, .action_size = 2});
  for (int i = 0; i < 4; ++i) {
    const float frame[3] = {float(i), 0.5f, -1}, action[2] = {0.25f * float(i), 7};
    memory.add(frame, action, -1.5, false);
  }
  const auto batch = all_of(memory);
  CHECK(batch.index == std::vector<int64_t>{0, 1, 2});
  CHECK(batch.state.span<float>()[3] == 1);
  CHECK(batch.next_state.span<float>()[3] == 2);
  CHECK(batch.action.span<float>()[2 * 2] == 0.5f);
  CHECK(batch.reward.span<float>()[0] == -1.5f);
  const float frame[3] = {};
  CHECK_THROWS_WITH(memory.add(frame, int64_t(1), 0, false), Contains("actions of 2 numbers"));
  CHECK_THROWS_AS(memory.add(frame, std::span<const float>(frame), 0, false), Error);
}

TEST_CASE("rows that exist are read in place and never written", "[rl]") {
  ReplayMemory memory(small(20, 4, 1));
  for (uint8_t episode = 1; episode < 9; ++episode) add_episode(memory, episode, 4);
  ReplayMemory view(memory.options(), memory.rows(), memory.add_count());
  CHECK(view.rows().observation.data() == memory.rows().observation.data());
  CHECK(view.valid_indices() == memory.valid_indices());
  const uint8_t frame[kItems] = {};
  CHECK_THROWS_WITH(view.add(frame, int64_t(0), 0, false), Contains("only reads"));
  auto rows = memory.rows();
  rows.reward = Array(DType::f32, {19});
  CHECK_THROWS_WITH(ReplayMemory(memory.options(), rows, 40), Contains("reward is F32 [19], F32 [20] was expected"));
}

TEST_CASE("a restored memory goes on where the saved one was, half full or full", "[rl]") {
  for (const int episodes : {3, 30}) {
    ReplayMemory memory(small(64, 4, 2)), other(small(64, 4, 2));
    for (int i = 0; i < episodes; ++i) add_episode(memory, uint8_t(i + 1), 6, i % 2 == 0);
    other.restore(memory.state());
    add_episode(memory, 99, 5);
    add_episode(other, 99, 5);
    const auto a = all_of(memory), b = all_of(other);
    CHECK(a.index == b.index);
    CHECK(std::memcmp(a.state.data(), b.state.data(), a.state.bytes()) == 0);
    ReplayMemory wider(small(65, 4, 2));
    CHECK_THROWS_AS(wider.restore(memory.state()), Error);
    State cut = memory.state();
    cut.arrays["reward"] = Array(DType::f32, {1});
    CHECK_THROWS_WITH(other.restore(cut), Contains("`reward`"));
    CHECK_THROWS_AS(other.restore(State{}), Error);
  }
}

TEST_CASE("memories too small for a transition and draws from nothing are refused", "[rl]") {
  CHECK_THROWS_WITH(ReplayMemory(small(4, 4, 1)), Contains("less than n_step + stack = 5"));
  CHECK_THROWS_AS(ReplayMemory(small(10, 0, 1)), UserError);
  CHECK_THROWS_AS(ReplayMemory(small(10, 1, 0)), UserError);
  auto packed = small(10, 1, 1);
  packed.packed = true;
  CHECK_THROWS_WITH(ReplayMemory(packed), Contains("only boolean"));
  ReplayMemory memory(small(10, 4, 1));
  RandomStream random({.seed = 0});
  CHECK_THROWS_WITH(memory.draw(random), Contains("no transition"));
  auto batch = memory.batch(2);
  batch.index = {0, 10};
  CHECK_THROWS_WITH(memory.gather(batch), Contains("row 10"));
}
