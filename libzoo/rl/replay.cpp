#include <libzoo/core/error.h>
#include <libzoo/core/json.h>
#include <libzoo/rl/fields.h>
#include <libzoo/rl/parallel.h>
#include <libzoo/rl/replay.h>
#include <libzoo/rl/replay_rows.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace zoo::rl {
namespace {

constexpr int kDraws = 1000;
constexpr int64_t kMaxStack = 16;

std::vector<int64_t> joined(int64_t first, std::span<const int64_t> shape) {
  std::vector<int64_t> all{first};
  all.insert(all.end(), shape.begin(), shape.end());
  return all;
}

std::vector<int64_t> frame_shape(const ReplayOptions& o, int64_t rows) {
  return o.packed ? std::vector<int64_t>{rows, packed_bytes(o.frame.items())} : joined(rows, o.frame.shape);
}
DType frame_type(const ReplayOptions& o) { return o.packed ? DType::u8 : o.frame.type; }

std::vector<int64_t> action_shape(const ReplayOptions& o, int64_t rows) {
  return o.action_size > 0 ? std::vector<int64_t>{rows, o.action_size} : std::vector<int64_t>{rows};
}
DType action_type(const ReplayOptions& o) { return o.action_size > 0 ? DType::f32 : DType::i32; }

std::vector<int64_t> state_shape(const ReplayOptions& o, int64_t rows) {
  auto shape = joined(rows, o.frame.shape);
  shape.push_back(o.stack);
  return shape;
}

void check(const ReplayOptions& o) {
  const auto refuse = [](const std::string& what) { throw UserError("replay memory: " + what); };
  if (o.stack < 1 || o.stack > kMaxStack) refuse(fmt::format("stack must lie in 1 … {}, is {}", kMaxStack, o.stack));
  if (o.n_step < 1) refuse(fmt::format("n_step must be at least 1, is {}", o.n_step));
  if (o.capacity < o.n_step + o.stack)
    refuse(fmt::format("a capacity of {} rows is less than n_step + stack = {}", o.capacity, o.n_step + o.stack));
  if (o.frame.items() < 1) refuse(fmt::format("a frame of shape [{}] is empty", fmt::join(o.frame.shape, ", ")));
  if (o.frame.type != DType::u8 && o.frame.type != DType::boolean && o.frame.type != DType::f32)
    refuse(fmt::format("frames are U8, BOOL or F32, not {}", name(o.frame.type)));
  if (o.packed && o.frame.type != DType::boolean) refuse("only boolean frames can be packed");
}

}  // namespace

std::vector<int64_t> invalid_range(int64_t cursor, int64_t capacity, int64_t stack, int64_t n_step) {
  std::vector<int64_t> rows;
  for (int64_t i = cursor - n_step; i < cursor + stack; ++i) rows.push_back((i % capacity + capacity) % capacity);
  return rows;
}

ReplayMemory::ReplayMemory(const ReplayOptions& options) : options_(options) {
  check(options_);
  const int64_t capacity = options_.capacity;
  rows_.observation = Array(frame_type(options_), frame_shape(options_, capacity));
  rows_.action = Array(action_type(options_), action_shape(options_, capacity));
  rows_.reward = Array(DType::f32, {capacity});
  rows_.terminal = Array(DType::u8, {capacity});
  rows_.episode_end = Array(DType::u8, {capacity});
}

ReplayMemory::ReplayMemory(const ReplayOptions& options, ReplayRows rows, int64_t add_count)
    : options_(options), rows_(std::move(rows)), foreign_(true), add_count_(add_count) {
  check(options_);
  if (rows_.episode_end.size() == 0) rows_.episode_end = rows_.terminal;
  check_rows();
  if (add_count < 0) throw UserError(fmt::format("replay memory: add_count is {}", add_count));
}

void ReplayMemory::check_rows() const {
  const int64_t capacity = options_.capacity;
  const auto check_array = [](const char* name, const Array& array, DType type, const std::vector<int64_t>& shape) {
    if (array.dtype() != type || array.shape() != shape || !array.aligned())
      throw UserError(fmt::format("replay memory: {} is {} [{}], {} [{}] was expected", name, zoo::name(array.dtype()),
                                  fmt::join(array.shape(), ", "), zoo::name(type), fmt::join(shape, ", ")));
  };
  check_array("observation", rows_.observation, frame_type(options_), frame_shape(options_, capacity));
  check_array("action", rows_.action, action_type(options_), action_shape(options_, capacity));
  check_array("reward", rows_.reward, DType::f32, {capacity});
  check_array("terminal", rows_.terminal, DType::u8, {capacity});
  check_array("episode_end", rows_.episode_end, DType::u8, {capacity});
}

int64_t ReplayMemory::wrapped(int64_t index) const {
  const int64_t rest = index % options_.capacity;
  return rest < 0 ? rest + options_.capacity : rest;
}

bool ReplayMemory::starts_episode() const {
  if (!options_.legacy_2019) return at_start_;
  return add_count_ == 0 || rows_.terminal.span<uint8_t>()[size_t(wrapped(add_count_ - 1))] != 0;
}

void ReplayMemory::write_row(const void* frame, int64_t action, std::span<const float> actions, double reward, bool terminal, bool end) {
  const size_t row = size_t(cursor()), bytes = rows_.observation.bytes() / size_t(options_.capacity);
  std::byte* to = rows_.observation.mutable_data() + row * bytes;
  if (!frame)
    std::memset(to, 0, bytes);
  else if (options_.packed)
    pack_bits(static_cast<const uint8_t*>(frame), options_.frame.items(), reinterpret_cast<uint8_t*>(to));
  else
    std::memcpy(to, frame, bytes);
  if (options_.action_size > 0) {
    float* values = rows_.action.mutable_span<float>().data() + row * size_t(options_.action_size);
    std::fill_n(values, options_.action_size, 0.f);
    std::copy(actions.begin(), actions.end(), values);
  } else {
    rows_.action.mutable_span<int32_t>()[row] = int32_t(action);
  }
  rows_.reward.mutable_span<float>()[row] = float(reward);
  rows_.terminal.mutable_span<uint8_t>()[row] = terminal;
  rows_.episode_end.mutable_span<uint8_t>()[row] = end;
  ++add_count_;
}

void ReplayMemory::write(const void* frame, int64_t action, std::span<const float> actions, double reward, bool terminal, bool truncated) {
  if (foreign_) throw Error("this replay memory only reads rows that exist; nothing can be added to it");
  if (starts_episode())
    for (int64_t i = 1; i < options_.stack; ++i) write_row(nullptr, 0, {}, 0, false, false);
  const bool end = terminal || (truncated && !options_.legacy_2019);
  write_row(frame, action, actions, reward, terminal, end);
  at_start_ = end;
}

void ReplayMemory::add(const void* frame, int64_t action, double reward, bool terminal, bool truncated) {
  if (options_.action_size > 0) throw Error(fmt::format("this replay memory holds actions of {} numbers", options_.action_size));
  write(frame, action, {}, reward, terminal, truncated);
}

void ReplayMemory::add(const void* frame, std::span<const float> action, double reward, bool terminal, bool truncated) {
  if (options_.action_size != int64_t(action.size()) || action.empty())
    throw Error(fmt::format("this replay memory holds {}, not actions of {} numbers",
                            options_.action_size > 0 ? fmt::format("actions of {}", options_.action_size) : "discrete actions",
                            action.size()));
  write(frame, 0, action, reward, terminal, truncated);
}

bool ReplayMemory::valid(int64_t index) const {
  const auto& [frame, capacity, stack, n, gamma, action_size, legacy, packed] = options_;
  if (index < 0 || index >= capacity) return false;
  if (!full() && (index >= cursor() - n || index < stack - 1)) return false;
  if (wrapped(index - (cursor() - n)) < n + stack) return false;  // within invalid_range()
  const auto terminal = rows_.terminal.span<uint8_t>();
  for (int64_t i = index - stack + 1; i < index; ++i)
    if (terminal[size_t(wrapped(i))]) return false;
  if (legacy) return true;
  const auto end = rows_.episode_end.span<uint8_t>();
  for (int64_t i = index; i < index + n; ++i)
    if (end[size_t(wrapped(i))] && !terminal[size_t(wrapped(i))]) return false;
  return true;
}

std::vector<int64_t> ReplayMemory::valid_indices() const {
  std::vector<int64_t> all;
  for (int64_t i = 0; i < options_.capacity; ++i)
    if (valid(i)) all.push_back(i);
  return all;
}

DrawRange ReplayMemory::draw_range() const {
  const int64_t first = options_.stack - 1;
  return {full() ? cursor() - options_.capacity + first : first, cursor() - options_.n_step};
}

int64_t ReplayMemory::draw(RandomStream& random) const {
  const auto [low, high] = draw_range();
  for (int i = 0; i < kDraws && high > low; ++i) {
    const int64_t index = wrapped(low + int64_t(random.below(uint64_t(high - low))));
    if (valid(index)) return index;
  }
  throw Error(fmt::format("the replay memory has {} rows of {}, and no transition was found among them",
                          std::min(add_count_, options_.capacity), options_.capacity),
              "add more rows before the first draw");
}

Transitions ReplayMemory::batch(int64_t rows) const {
  Transitions batch;
  batch.index.resize(size_t(rows));
  batch.state = Array(options_.frame.type, state_shape(options_, rows));
  batch.next_state = Array(options_.frame.type, state_shape(options_, rows));
  batch.action = Array(action_type(options_), action_shape(options_, rows));
  batch.reward = Array(DType::f32, {rows});
  batch.terminal = Array(DType::u8, {rows});
  return batch;
}

void ReplayMemory::sample(RandomStream& random, Transitions& to, ThreadPool* threads) const {
  for (int64_t& index : to.index) index = draw(random);
  gather(to, threads);
}

void ReplayMemory::gather(Transitions& to, ThreadPool* threads) const {
  const int64_t rows = int64_t(to.index.size());
  if (to.state.shape() != state_shape(options_, rows) || to.next_state.shape() != to.state.shape() ||
      to.action.shape() != action_shape(options_, rows))
    throw Error("the batch was made for another replay memory");
  for (const int64_t index : to.index)
    if (index < 0 || index >= options_.capacity) throw Error(fmt::format("row {} is none of {}", index, options_.capacity));
  in_parts(threads, to.index.size(), [&](size_t begin, size_t end) {
    std::vector<uint8_t> scratch(options_.packed ? size_t(options_.frame.items() * options_.stack) : 0);
    for (size_t i = begin; i < end; ++i) gather_one(i, to, scratch);
  });
}

void ReplayMemory::stack_at(int64_t newest, std::byte* to, std::vector<uint8_t>& scratch) const {
  const int64_t frames = options_.stack, items = options_.frame.items();
  const size_t bytes = rows_.observation.bytes() / size_t(options_.capacity);
  std::array<const std::byte*, kMaxStack> from;
  for (int64_t k = 0; k < frames; ++k) from[size_t(k)] = rows_.observation.data() + size_t(wrapped(newest - frames + 1 + k)) * bytes;

  std::array<const uint8_t*, kMaxStack> bytes_of;
  std::array<const float*, kMaxStack> floats_of;
  for (int64_t k = 0; k < frames; ++k) {
    bytes_of[size_t(k)] = reinterpret_cast<const uint8_t*>(from[size_t(k)]);
    floats_of[size_t(k)] = reinterpret_cast<const float*>(from[size_t(k)]);
  }
  auto* out = reinterpret_cast<uint8_t*>(to);
  if (options_.frame.type == DType::f32) {
    interleave(floats_of.data(), frames, items, reinterpret_cast<float*>(to));
  } else if (options_.packed && frames == 1) {
    unpack_bits(bytes_of[0], items, out);
  } else {
    for (int64_t k = 0; options_.packed && k < frames; ++k) {
      uint8_t* unpacked = scratch.data() + k * items;
      unpack_bits(bytes_of[size_t(k)], items, unpacked);
      bytes_of[size_t(k)] = unpacked;
    }
    interleave(bytes_of.data(), frames, items, out);
  }
}

void ReplayMemory::gather_one(size_t at, Transitions& to, std::vector<uint8_t>& scratch) const {
  const int64_t index = to.index[at];
  const auto terminal = rows_.terminal.span<uint8_t>();
  const auto rewards = rows_.reward.span<float>();
  double reward = 0, factor = 1;
  bool ended = false;
  for (int64_t j = 0; j < options_.n_step && !ended; ++j, factor *= options_.gamma) {
    const size_t row = size_t(wrapped(index + j));
    reward += factor * double(rewards[row]);
    ended = terminal[row] != 0;
  }
  to.reward.mutable_span<float>()[at] = float(reward);
  to.terminal.mutable_span<uint8_t>()[at] = ended;
  const size_t action_bytes = rows_.action.bytes() / size_t(options_.capacity);
  std::memcpy(to.action.mutable_data() + at * action_bytes, rows_.action.data() + size_t(index) * action_bytes, action_bytes);

  const size_t state_bytes = to.state.bytes() / to.index.size();
  stack_at(index, to.state.mutable_data() + at * state_bytes, scratch);
  std::byte* next = to.next_state.mutable_data() + at * state_bytes;
  if (ended)
    std::memset(next, 0, state_bytes);
  else
    stack_at(index + options_.n_step, next, scratch);
}

State ReplayMemory::state() const {
  const int64_t written = std::min(add_count_, options_.capacity);
  State state;
  const auto save = [&](const char* name, const Array& rows) {
    auto shape = rows.shape();
    shape[0] = written;
    Array part(rows.dtype(), std::move(shape));
    std::memcpy(part.mutable_data(), rows.data(), part.bytes());
    state.arrays[name] = std::move(part);
  };
  save("observation", rows_.observation);
  save("action", rows_.action);
  save("reward", rows_.reward);
  save("terminal", rows_.terminal);
  save("episode_end", rows_.episode_end);
  state.values["capacity"] = options_.capacity;
  state.values["stack"] = options_.stack;
  state.values["n_step"] = options_.n_step;
  state.values["add_count"] = add_count_;
  state.values["at_start"] = int64_t(at_start_);
  return state;
}

void ReplayMemory::restore(const State& state) {
  if (foreign_) throw Error("this replay memory only reads rows that exist; it cannot be restored");
  constexpr int64_t kMax = int64_t(1) << 60;
  integer_field(state.values, "capacity", options_.capacity, options_.capacity);
  integer_field(state.values, "stack", options_.stack, options_.stack);
  integer_field(state.values, "n_step", options_.n_step, options_.n_step);
  const int64_t add_count = integer_field(state.values, "add_count", 0, kMax);
  const bool at_start = integer_field(state.values, "at_start", 0, 1) != 0;
  const int64_t written = std::min(add_count, options_.capacity);
  const std::pair<const char*, Array*> parts[] = {{"observation", &rows_.observation},
                                                  {"action", &rows_.action},
                                                  {"reward", &rows_.reward},
                                                  {"terminal", &rows_.terminal},
                                                  {"episode_end", &rows_.episode_end}};
  for (const auto& [name, rows] : parts) {
    const auto saved = state.arrays.find(name);
    auto shape = rows->shape();
    shape[0] = written;
    if (saved == state.arrays.end() || saved->second.dtype() != rows->dtype() || saved->second.shape() != shape)
      throw Error(fmt::format("`{}` in the state of the replay memory is missing, or one of another memory", name));
  }
  for (const auto& [name, rows] : parts) std::memcpy(rows->mutable_data(), state.arrays.at(name).data(), state.arrays.at(name).bytes());
  add_count_ = add_count;
  at_start_ = at_start;
}

}  // namespace zoo::rl
