// Logs of play: Dopamine's shards, and RL Unplugged's records.
#include "test/fuzz/targets.h"

#include <libzoo/core/error.h>
#include <libzoo/io/npy.h>
#include <libzoo/io/png.h>
#include <libzoo/io/tf_example.h>
#include <libzoo/io/tfrecord.h>
#include <libzoo/offline_rl/replay_shard.h>
#include <libzoo/offline_rl/rl_unplugged.h>

#include <cstring>

namespace zoo::fuzz {
namespace {

using offline_rl::ShardArray;

const std::string kName = "input";
constexpr size_t kFiles = 6;

// The six files of a shard in one input, each after its length.
Input joined(const std::vector<Input>& files) {
  Input result;
  for (const Input& file : files) {
    const auto length = uint32_t(file.size());
    for (int i = 0; i < 4; ++i) result.push_back(uint8_t(length >> 8 * i));
    result.insert(result.end(), file.begin(), file.end());
  }
  return result;
}

std::vector<std::span<const uint8_t>> split(std::span<const uint8_t> input) {
  std::vector<std::span<const uint8_t>> files;
  while (files.size() < kFiles) {
    uint32_t length = 0;
    if (input.size() < 4) {
      files.push_back({});
      continue;
    }
    std::memcpy(&length, input.data(), 4);
    input = input.subspan(4);
    files.push_back(input.first(std::min<size_t>(length, input.size())));
    input = input.subspan(files.back().size());
  }
  return files;
}

Input close_shard(const std::vector<Input>& parts) {
  std::vector<Input> files;
  for (const Input& part : parts) files.push_back(compressed(part, io::Framing::gzip));
  return joined(files);
}

std::vector<Input> open_shard(const Input& input) {
  std::vector<Input> parts;
  for (const auto file : split(input)) {
    io::InflateStream stream(file, io::Framing::gzip, kName);
    Input part(1 << 20);
    part.resize(stream.read(part));
    parts.push_back(std::move(part));
  }
  return parts;
}

std::vector<Input> shards() {
  std::vector<Input> parts;
  const auto put = [&](const Array& array) { parts.push_back(written([&](const auto& path) { io::write_npy(path, array); })); };
  const std::vector<int64_t> range{18, 19, 0, 1, 2};
  put(Array(DType::u8, {20, 6, 5}));
  put(Array(DType::i32, {20}));
  put(Array(DType::f32, {20}));
  put(Array(DType::u8, {20}));
  put(Array::scalar<int64_t>(19));
  put(Array::of<int64_t>({5}, std::span<const int64_t>(range)));
  return {close_shard(parts)};
}

void parse_shard(std::span<const uint8_t> input) {
  std::map<std::string, io::Bytes> files;
  const auto parts = split(input);
  for (size_t i = 0; i < kFiles; ++i) files.emplace(offline_rl::shard_file_name(ShardArray(i), 0), file_of(parts[i]));
  const offline_rl::ShardReader reader(std::move(files), 0);
  const auto shard = reader.read();
  consume(shard.observation), consume(shard.action), consume(shard.reward), consume(shard.terminal);
  reader.verify();
}

// Records around changed examples, with right checksums.
std::vector<Input> open_records(const Input& input) {
  io::TfRecordReader reader(file_of(input), kName, {.compression = io::Compression::gzip, .verify_crc = false, .stop_on_error = true});
  std::vector<Input> parts;
  while (const auto record = reader.next()) parts.emplace_back(record->view.begin(), record->view.end());
  return parts;
}

Input close_records(const std::vector<Input>& parts) {
  Input plain;
  const auto put = [&](std::span<const uint8_t> bytes) { plain.insert(plain.end(), bytes.begin(), bytes.end()); };
  for (const auto& part : parts) {
    put(io::tfrecord_header(part.size()));
    put(part);
    put(io::tfrecord_footer(part));
  }
  return compressed(plain, io::Framing::gzip);
}

std::vector<Input> unplugged() {
  const auto png = io::encode_png({.height = 4, .width = 5, .channels = 1, .pixels = std::vector<uint8_t>(20, 9)});
  const std::vector<std::span<const uint8_t>> pngs(4, png);
  const std::vector<float> four{0, 1, 1, 0}, one{1};
  const std::vector<int64_t> actions{0, 1, 2, 3}, single{7};
  const io::TfFeatures episode{{"observations", pngs},     {"actions", actions},    {"unclipped_rewards", four},
                               {"clipped_rewards", four},  {"discounts", four},     {"episode_idx", single},
                               {"checkpoint_idx", single}, {"episode_return", one}, {"clipped_episode_return", one}};
  const io::TfFeatures transition{{"o_t", pngs}, {"o_tp1", pngs}, {"a_t", single},        {"a_tp1", single},
                                  {"r_t", one},  {"d_t", one},    {"episode_id", single}, {"episode_return", one}};
  return {close_records({to_input(io::encode_example(episode))}), close_records({to_input(io::encode_example(transition))})};
}

void parse_unplugged(std::span<const uint8_t> input) {
  const auto episodes = [&] {
    offline_rl::UnpluggedEpisodes reader(file_of(input), kName);
    while (const auto episode = reader.next()) consume(episode->observation);
  };
  const auto transitions = [&] {
    offline_rl::UnpluggedTransitions reader(file_of(input), kName);
    while (const auto transition = reader.next()) consume(transition->o_t), consume(transition->o_tp1);
  };
  try {
    episodes();
  } catch (const Error&) {
    transitions();
  }
}

}  // namespace

std::vector<Target> replay_targets() {
  return {
      {.name = "replay_shard", .parse = parse_shard, .seeds = shards, .open = open_shard, .close = close_shard},
      {.name = "rl_unplugged", .parse = parse_unplugged, .seeds = unplugged, .open = open_records, .close = close_records},
  };
}

}  // namespace zoo::fuzz
