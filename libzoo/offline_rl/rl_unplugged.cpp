#include <libzoo/core/error.h>
#include <libzoo/io/memory_budget.h>
#include <libzoo/io/png.h>
#include <libzoo/io/tf_example.h>
#include <libzoo/offline_rl/rl_unplugged.h>

#include <fmt/format.h>

#include <cstring>

namespace zoo::offline_rl {
namespace {

using Bytes = std::span<const uint8_t>;

struct Record {
  std::string where;  // for messages
  io::Bytes bytes;
  io::TfExample example;
};

std::optional<Record> next_record(io::TfRecordReader& reader, const std::string& file) {
  const std::string where = fmt::format("{}: record {}", file, reader.records());
  const auto bytes = reader.next();
  if (!bytes) return std::nullopt;
  return Record{where, *bytes, io::decode_example(*bytes, where)};
}

template <class T>
const std::vector<T>& list_of(const io::TfFeatures& features, const char* name, size_t wanted, const std::string& where) {
  const auto& values = io::values_of<T>(features, name, where);
  if (values.size() != wanted) throw UserError(fmt::format("{}: {} has {} values where {} are needed", where, name, values.size(), wanted));
  return values;
}

template <class T>
T scalar_of(const io::TfFeatures& features, const char* name, const std::string& where) {
  return list_of<T>(features, name, 1, where)[0];
}

// Grey frames of one size, [frames, height, width].
Array decode_frames(const std::vector<Bytes>& pngs, uint64_t record_bytes, const std::string& where) {
  const io::DecodeOptions options{.mode = io::ColorMode::unchanged, .max_pixels = 1 << 20};
  // Compressed frames may be small beside their pixels: what a record may ask for grows with it.
  io::MemoryBudget budget(500 * record_bytes, where);
  std::vector<uint8_t> pixels;
  io::ImageSize size;
  for (const Bytes& png : pngs) {
    const auto frame = io::decode_png(png, options, where);
    if (frame.channels != 1) throw UserError(fmt::format("{}: a frame has {} channels, not 1", where, frame.channels));
    if (!pixels.empty() && (frame.height != size.height || frame.width != size.width))
      throw UserError(
          fmt::format("{}: frames of {}x{} and {}x{} in one record", where, size.height, size.width, frame.height, frame.width));
    size = {frame.height, frame.width};
    budget.spend(frame.pixels.size(), "frames");
    pixels.insert(pixels.end(), frame.pixels.begin(), frame.pixels.end());
  }
  return Array::of<uint8_t>({std::ssize(pngs), size.height, size.width}, std::span<const uint8_t>(pixels));
}

// The frames of one state, [height, width, 4].
Array stack_of(const io::TfFeatures& features, const char* name, uint64_t record_bytes, const std::string& where) {
  constexpr int64_t kFrames = 4;
  const Array frames = decode_frames(list_of<Bytes>(features, name, kFrames, where), record_bytes, where);
  const int64_t height = frames.shape()[1], width = frames.shape()[2], pixels = height * width;
  Array stack(DType::u8, {height, width, kFrames});
  const auto from = frames.span<uint8_t>();
  const auto to = stack.mutable_span<uint8_t>();
  for (int64_t f = 0; f < kFrames; ++f)
    for (int64_t p = 0; p < pixels; ++p) to[size_t(p * kFrames + f)] = from[size_t(f * pixels + p)];
  return stack;
}

}  // namespace

UnpluggedEpisodes::UnpluggedEpisodes(io::Bytes file, std::string where, io::Compression compression)
    : where_(std::move(where)), reader_(std::move(file), where_, {.compression = compression}) {}

std::optional<UnpluggedEpisode> UnpluggedEpisodes::next() {
  const auto record = next_record(reader_, where_);
  if (!record) return std::nullopt;
  const auto& [where, bytes, example] = *record;
  const auto& features = example.features;
  UnpluggedEpisode e;
  e.action = io::values_of<int64_t>(features, "actions", where);
  const auto steps = e.action.size();
  if (steps == 0) throw UserError(where + ": an episode without steps");
  e.observation = decode_frames(list_of<Bytes>(features, "observations", steps, where), bytes.size(), where);
  e.reward = list_of<float>(features, "unclipped_rewards", steps, where);
  e.clipped_reward = list_of<float>(features, "clipped_rewards", steps, where);
  e.discount = list_of<float>(features, "discounts", steps, where);
  e.terminal = e.discount.back() == 0;
  if (e.terminal) {  // the discount belongs to the step before
    e.discount.erase(e.discount.begin());
    e.discount.push_back(0);
  }
  e.episode_id = scalar_of<int64_t>(features, "episode_idx", where);
  e.checkpoint_id = scalar_of<int64_t>(features, "checkpoint_idx", where);
  e.episode_return = scalar_of<float>(features, "episode_return", where);
  e.clipped_episode_return = scalar_of<float>(features, "clipped_episode_return", where);
  return e;
}

UnpluggedTransitions::UnpluggedTransitions(io::Bytes file, std::string where, io::Compression compression)
    : where_(std::move(where)), reader_(std::move(file), where_, {.compression = compression}) {}

std::optional<UnpluggedTransition> UnpluggedTransitions::next() {
  const auto record = next_record(reader_, where_);
  if (!record) return std::nullopt;
  const auto& [where, bytes, example] = *record;
  const auto& features = example.features;
  UnpluggedTransition t;
  t.o_t = stack_of(features, "o_t", bytes.size(), where);
  t.o_tp1 = stack_of(features, "o_tp1", bytes.size(), where);
  t.a_t = scalar_of<int64_t>(features, "a_t", where);
  t.a_tp1 = scalar_of<int64_t>(features, "a_tp1", where);
  t.r_t = scalar_of<float>(features, "r_t", where);
  t.d_t = scalar_of<float>(features, "d_t", where);
  t.episode_id = scalar_of<int64_t>(features, "episode_id", where);
  t.episode_return = scalar_of<float>(features, "episode_return", where);
  return t;
}

}  // namespace zoo::offline_rl
