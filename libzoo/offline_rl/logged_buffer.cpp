#include <libzoo/core/error.h>
#include <libzoo/offline_rl/logged_buffer.h>

#include <fmt/format.h>

#include <algorithm>

namespace zoo::offline_rl {
namespace {

void copy_array(Array& to, const State& state, const char* name) {
  const auto found = state.arrays.find(name);
  if (found == state.arrays.end() || found->second.dtype() != to.dtype() || found->second.shape() != to.shape())
    throw Error(fmt::format("logged buffer: the state has no {} of this size", name));
  std::copy_n(found->second.data(), to.bytes(), to.mutable_data());
}

}  // namespace

int64_t RowCount::add(bool first_of_episode) {
  const int64_t rows = first_of_episode ? stack : 1;
  added += rows;
  return rows;
}

std::vector<int64_t> RowCount::invalid_range() const {
  std::vector<int64_t> range;
  for (int64_t i = 0; i < horizon + stack; ++i) range.push_back((cursor() - horizon + i + capacity) % capacity);
  return range;
}

LoggedBuffer::LoggedBuffer(const LoggedBufferOptions& o)
    : options_(o), count_{.capacity = o.capacity, .stack = o.stack, .horizon = o.horizon} {
  if (o.capacity < o.horizon + o.stack)
    throw UserError(fmt::format("a shard of {} rows is too small for stacks of {} and {} steps", o.capacity, o.stack, o.horizon));
  std::vector<int64_t> shape = o.frame_shape;
  shape.insert(shape.begin(), o.capacity);
  rows_.observation = Array(DType::u8, shape);
  rows_.action = Array(DType::i32, {o.capacity});
  rows_.reward = Array(DType::f32, {o.capacity});
  rows_.terminal = Array(DType::u8, {o.capacity});
}

void LoggedBuffer::put(std::span<const uint8_t> frame, int32_t action, float reward, uint8_t terminal) {
  const auto row = size_t(count_.cursor()), bytes = size_t(count(options_.frame_shape));
  auto to = rows_.observation.mutable_span<uint8_t>().subspan(row * bytes, bytes);
  if (frame.empty())
    std::fill(to.begin(), to.end(), uint8_t(0));
  else
    std::copy(frame.begin(), frame.end(), to.begin());
  rows_.action.mutable_span<int32_t>()[row] = action;
  rows_.reward.mutable_span<float>()[row] = reward;
  rows_.terminal.mutable_span<uint8_t>()[row] = terminal;
  count_.add(false);
}

void LoggedBuffer::add(std::span<const uint8_t> frame, int32_t action, float reward, bool end) {
  if (std::ssize(frame) != count(options_.frame_shape)) throw Error(fmt::format("logged buffer: a frame of {} bytes", frame.size()));
  if (first_)
    for (int64_t i = 1; i < options_.stack; ++i) put({}, 0, 0, 0);
  put(frame, action, options_.clip_rewards ? std::clamp(reward, -1.0f, 1.0f) : reward, end);
  first_ = end;
  if (count_.shard_is_due()) write(count_.added);
}

void LoggedBuffer::close() {
  if (count_.cursor() > 0 && !count_.shard_is_due()) write(count_.cursor());
}

void LoggedBuffer::write(int64_t add_count) {
  rows_.add_count = add_count;
  rows_.invalid_range = count_.invalid_range();
  write_shard(options_.folder, suffix_++, rows_, options_.compression);
}

State LoggedBuffer::state() const {
  State state;
  state.arrays = {{"observation", rows_.observation}, {"action", rows_.action}, {"reward", rows_.reward}, {"terminal", rows_.terminal}};
  state.values = {{"added", count_.added}, {"suffix", suffix_}, {"first", first_}};
  return state;
}

void LoggedBuffer::restore(const State& state) {
  copy_array(rows_.observation, state, "observation");
  copy_array(rows_.action, state, "action");
  copy_array(rows_.reward, state, "reward");
  copy_array(rows_.terminal, state, "terminal");
  count_.added = state.values.at("added").get<int64_t>();
  suffix_ = state.values.at("suffix").get<int64_t>();
  first_ = state.values.at("first").get<bool>();
}

}  // namespace zoo::offline_rl
