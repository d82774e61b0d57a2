#include "test/catch.h"
#include "test/files.h"

#include <libzoo/core/error.h>
#include <libzoo/core/random.h>
#include <libzoo/offline_rl/convert_log.h>
#include <libzoo/offline_rl/logged_buffer.h>
#include <libzoo/offline_rl/replay_log.h>

#include <ATen/ATen.h>

#include <map>
#include <set>

using namespace zoo;
using namespace zoo::offline_rl;
using namespace zoo::test;

namespace {

// A step as it was played. Its frame holds its number, from 1 on, so that no frame is blank.
struct Step {
  int64_t action;
  double reward;
  bool end, first;
};

std::vector<uint8_t> frame_of(int64_t step) {
  std::vector<uint8_t> frame(12);
  const auto number = uint32_t(step + 1);
  std::memcpy(frame.data() + 3, &number, 4);
  return frame;
}
int64_t step_of(std::span<const uint8_t> frame) {
  uint32_t number = 0;
  std::memcpy(&number, frame.data() + 3, 4);
  return int64_t(number) - 1;
}

struct Played {
  std::vector<Step> steps;
  int64_t shards = 0;
};

// Episodes of 1 to `longest` steps into shards.
Played play(const std::filesystem::path& folder, int64_t steps, int64_t capacity, int64_t stack, int64_t longest, uint64_t seed) {
  LoggedBufferOptions options;
  options.folder = folder;
  options.capacity = capacity, options.stack = stack;
  options.frame_shape = {3, 4};
  options.compression = 1;
  LoggedBuffer buffer(options);
  RandomStream random({.seed = seed});
  Played played;
  int64_t left = 0;
  for (int64_t i = 0; i < steps; ++i) {
    const bool first = left == 0;
    if (first) left = 1 + int64_t(random.below(uint64_t(longest)));
    --left;
    const Step step{int64_t(random.below(4)), double(random.below(3)) - 1, left == 0, first};
    buffer.add(frame_of(i), step.action, step.reward, step.end);
    played.steps.push_back(step);
  }
  buffer.close();
  played.shards = buffer.shards();
  ConvertOptions about;
  about.stack = stack, about.actions = 4;
  write_about(folder, about);
  return played;
}

void check_rows(const ReplayLog& log, const Played& played) {
  int64_t before = -1;
  for (int64_t row = 0; row < log.rows(); ++row) {
    const int64_t step = step_of(log.frame(row));
    REQUIRE(step > before);  // in order, and each once
    before = step;
    const Step& want = played.steps[size_t(step)];
    REQUIRE(log.action(row) == want.action);
    REQUIRE(log.reward(row) == float(want.reward));
    REQUIRE(bool(log.flags(row) & kTerminal) == want.end);
    if (!(log.flags(row) & kGap)) REQUIRE(bool(log.flags(row) & kFirst) == want.first);
  }
}

}  // namespace

TEST_CASE("shards are converted in the order of play, each surviving frame once", "[offline_rl]") {
  const int64_t stack = GENERATE(1, 4), longest = GENERATE(6, 40);
  const TemporaryFolder folder;
  for (uint64_t seed = 0; seed < 4; ++seed) {
    INFO("seed " << seed);
    const auto logs = folder / std::to_string(seed);
    const auto played = play(logs, 1000, 100, stack, longest, seed);
    const ReplayLog log(open_log(logs));
    check_rows(log, played);
    // What no later row has overwritten in a file: known from the rows' numbers modulo the capacity.
    std::set<int64_t> converted;
    for (int64_t row = 0; row < log.rows(); ++row) converted.insert(step_of(log.frame(row)));
    std::set<int64_t> surviving;
    for (int64_t suffix : shard_suffixes(names_in(logs))) {
      const auto shard = ShardReader(logs, suffix).read();
      for (int64_t row = 0; row < shard.rows(); ++row) {
        // The last shard's rows beyond its count are left from before: those of shards that were written are there already.
        const bool last = suffix + 1 == played.shards && shard.add_count < shard.rows();
        if (last && row >= shard.add_count && row + 1 < shard.rows()) continue;
        const int64_t step = step_of(shard.observation.span<uint8_t>().subspan(size_t(row) * 12, 12));
        if (step >= 0) surviving.insert(step);
      }
    }
    CHECK(converted == surviving);
    CHECK(log.info().shards.size() == size_t(played.shards));
    if (stack == 1) CHECK(log.rows() == 1000);
  }
}

TEST_CASE("a cycle that was never written leaves a gap, over which no state reaches", "[offline_rl]") {
  const TemporaryFolder folder;
  const auto played = play(folder / "log", 2000, 100, 4, 20, 3);
  for (const char* kind : {"$store$_observation", "$store$_action", "$store$_reward", "$store$_terminal", "add_count", "invalid_range"})
    std::filesystem::remove(folder / "log" / (std::string(kind) + "_ckpt.4.gz"));
  const ReplayLog log(open_log(folder / "log"));
  check_rows(log, played);
  int64_t gaps = 0;
  for (int64_t row = 1; row < log.rows(); ++row) {
    const bool jump = step_of(log.frame(row)) != step_of(log.frame(row - 1)) + 1;
    if (!jump) continue;
    ++gaps;
    CHECK((log.flags(row) & (kGap | kFirst)));
    CHECK((log.flags(row - 1) & kTerminal || !log.is_transition(row - 1, 4, 1)));
    if (log.flags(row) & kGap) CHECK_FALSE(log.is_transition(row, 4, 1));
  }
  CHECK(gaps >= 1);
}

TEST_CASE("batches are what was played: stacks with zeros before an episode, sums over n steps", "[offline_rl]") {
  const TemporaryFolder folder;
  const int64_t stack = GENERATE(1, 3), horizon = GENERATE(1, 3);
  const auto played = play(folder / "log", 600, 150, stack, 15, 5);
  const ReplayLog log(open_log(folder / "log"));
  SamplingOptions sampling;
  sampling.batch_size = 64, sampling.stack = stack, sampling.horizon = horizon, sampling.seed = 2;
  const LogSampler sampler(log, sampling);
  const auto rows = sampler.rows(0);
  ReplayLog::BatchOptions options;
  options.stack = stack, options.horizon = horizon, options.gamma = 0.5;
  const auto batch = log.batch(rows, options);
  const auto number = [](const at::Tensor& picture, int64_t place) {  // of the frame at a place of a stack [3, 4, stack]
    const auto frame = picture.select(2, place).contiguous();
    return step_of({frame.const_data_ptr<uint8_t>(), 12});
  };
  for (size_t i = 0; i < rows.size(); ++i) {
    const int64_t step = step_of(log.frame(rows[i]));
    int64_t first = step;
    while (!played.steps[size_t(first)].first) --first;
    for (int64_t k = 0; k < stack; ++k) {
      const int64_t at = step - (stack - 1 - k);
      CHECK(number(batch.state[int64_t(i)], k) == (at >= first ? at : -1));
    }
    double sum = 0, factor = 1;
    bool terminal = false;
    int64_t next = step;
    for (int64_t k = 0; k < horizon && !terminal; ++k, ++next, factor *= 0.5) {
      sum += factor * played.steps[size_t(next)].reward;
      terminal = played.steps[size_t(next)].end;
    }
    CHECK(batch.reward[int64_t(i)].item<float>() == Approx(sum));
    CHECK(batch.terminal[int64_t(i)].item<uint8_t>() == terminal);
    CHECK(batch.action[int64_t(i)].item<int64_t>() == played.steps[size_t(step)].action);
    if (!terminal) CHECK(number(batch.next_state[int64_t(i)], stack - 1) == next);
  }
}

TEST_CASE("batches of an iteration come from a few shards, each from one, and all shards have their turn", "[offline_rl]") {
  const TemporaryFolder folder;
  play(folder / "log", 1000, 100, 1, 10, 6);
  const ReplayLog log(open_log(folder / "log"));
  SamplingOptions sampling;
  sampling.shards_together = 3, sampling.updates_per_iteration = 50, sampling.seed = 1;
  const LogSampler sampler(log, sampling);
  const auto shard_of = [&](int64_t row) {
    for (size_t i = 0; i < log.info().shards.size(); ++i)
      if (row < log.info().shards[i].end) return i;
    return size_t(-1);
  };
  std::set<size_t> all;
  for (int64_t iteration = 0; iteration < 20; ++iteration) {
    std::set<size_t> here;
    for (int64_t u = 0; u < 50; ++u) {
      const auto rows = sampler.rows(50 * iteration + u);
      CHECK(rows == sampler.rows(50 * iteration + u));
      std::set<size_t> of_batch;
      for (int64_t row : rows) of_batch.insert(shard_of(row));
      CHECK(of_batch.size() == 1);
      here.insert(of_batch.begin(), of_batch.end());
    }
    CHECK(here.size() == 3);
    all.insert(here.begin(), here.end());
  }
  CHECK(all.size() == log.info().shards.size());  // the first, number 0, among them
}

TEST_CASE("subsets are of whole episodes, of the first part of each shard, or of the first shards", "[offline_rl]") {
  const TemporaryFolder folder;
  const auto played = play(folder / "log", 1000, 200, 1, 10, 7);
  const ReplayLog log(open_log(folder / "log"));
  const auto drawn = [&](const SubsetOptions& subset) {
    SamplingOptions sampling;
    sampling.shards_together = 0, sampling.batch_size = 100, sampling.seed = 3;
    sampling.subset = subset;
    const LogSampler sampler(log, sampling);
    std::set<int64_t> rows;
    for (int64_t u = 0; u < 400; ++u)
      for (int64_t row : sampler.rows(u)) rows.insert(row);
    CHECK(std::ssize(rows) <= sampler.subset_rows());
    return rows;
  };
  const auto part = drawn({.kind = SubsetKind::trajectories, .fraction = 0.1});
  std::set<int64_t> episodes;
  for (int64_t row : part) {
    int64_t first = row;
    while (!(log.flags(first) & kFirst)) --first;
    episodes.insert(first);
    for (int64_t other = first; !(log.flags(other) & kTerminal); ++other) CHECK(part.contains(other));
  }
  CHECK(episodes.size() == size_t(std::llround(0.1 * double(log.episodes().size()))));
  for (int64_t row : drawn({.kind = SubsetKind::first_shards, .shards = 2})) CHECK(row < log.info().shards[1].end);
  for (int64_t row : drawn({.kind = SubsetKind::part_of_shards, .fraction = 0.25})) {
    const auto& shards = log.info().shards;
    const auto shard = std::find_if(shards.begin(), shards.end(), [&](const LogShard& s) { return row < s.end; });
    CHECK(row - shard->begin < std::llround(0.25 * double(shard->end - shard->begin)));
  }
}

TEST_CASE("a converted log with a file cut short is refused by name", "[offline_rl]") {
  const TemporaryFolder folder;
  play(folder / "log", 100, 60, 1, 10, 8);
  const auto converted = open_log(folder / "log");
  std::filesystem::resize_file(converted / "reward.bin", 100);
  CHECK_THROWS_WITH(ReplayLog(converted), Contains("reward.bin: has 100 bytes"));
  write_text(converted / "log.json", "{}");
  CHECK_THROWS_WITH(ReplayLog(converted), Contains("log.json"));
}
