#include <libzoo/core/error.h>
#include <libzoo/offline_rl/logged_buffer.h>
#include <libzoo/offline_rl/replay_shard.h>
#include <libzoo/offline_rl/state_parts.h>

#include <fmt/format.h>

#include <algorithm>

namespace zoo::offline_rl {
namespace {

rl::ReplayOptions memory_options(const LoggedBufferOptions& o) {
  rl::ReplayOptions memory;
  memory.frame = {.type = DType::u8, .shape = o.frame_shape};
  memory.capacity = o.capacity;
  memory.stack = o.stack;
  memory.n_step = o.horizon;
  memory.legacy_2019 = true;
  return memory;
}

}  // namespace

LoggedBuffer::LoggedBuffer(const LoggedBufferOptions& o) : options_(o), memory_(memory_options(o)) {}

void LoggedBuffer::add(std::span<const uint8_t> frame, int64_t action, double reward, bool end) {
  if (std::ssize(frame) != count(options_.frame_shape)) throw Error(fmt::format("logged buffer: a frame of {} bytes", frame.size()));
  memory_.add(frame.data(), action, options_.clip_rewards ? std::clamp(reward, -1.0, 1.0) : reward, end);
  if (shard_is_due(memory_)) write(memory_.add_count());
}

void LoggedBuffer::close() {
  if (memory_.add_count() > 0 && !shard_is_due(memory_)) write(memory_.cursor());
}

void LoggedBuffer::write(int64_t add_count) {
  const auto& rows = memory_.rows();
  ReplayShard shard;
  shard.observation = rows.observation, shard.action = rows.action, shard.reward = rows.reward, shard.terminal = rows.terminal;
  shard.add_count = add_count;
  shard.invalid_range = rl::invalid_range(memory_.cursor(), options_.capacity, options_.stack, options_.horizon);
  write_shard(options_.folder, suffix_++, shard, options_.compression);
}

State LoggedBuffer::state() const {
  State state;
  put_part(state, "memory", memory_.state());
  state.values["suffix"] = suffix_;
  return state;
}

void LoggedBuffer::restore(const State& state) {
  memory_.restore(part_of(state, "memory"));
  suffix_ = state.values.at("suffix").get<int64_t>();
}

}  // namespace zoo::offline_rl
