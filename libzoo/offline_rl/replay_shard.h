// The files of Dopamine's logged replay buffer, as the DQN Replay data set consists of them. A shard N is six files in one folder, each an .npy array in
// one gzip member:
//   $store$_observation_ckpt.N.gz u8 [rows, height, width], $store$_action_ckpt.N.gz i32, $store$_reward_ckpt.N.gz f32,
//   $store$_terminal_ckpt.N.gz u8 [rows], add_count_ckpt.N.gz i64 [], invalid_range_ckpt.N.gz i64 [horizon + stack]
// An observation file of the data set is 7 GB when it is decompressed, more than gzip's own length field can say: arrays are read piece by
// piece, sizes come from the .npy headers of all files, which must agree, and checksums are verified at the end.
//
//   for (int64_t suffix : shard_suffixes(names_in(folder))) {
//     ShardReader shard(folder, suffix);
//     ReplayShard small = shard.read();            // into memory, or
//     shard.observations([&](std::span<const uint8_t> bytes) { file.write(bytes); });
//   }
//
// All throw UserError that names the file: one that is missing, cut, damaged, of another type or shape, or longer than its shape.
#pragma once

#include <libzoo/core/array.h>
#include <libzoo/io/bytes.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace zoo::offline_rl {

enum class ShardArray { observation, action, reward, terminal, add_count, invalid_range };
std::string shard_file_name(ShardArray array, int64_t suffix);

// Numbers N that 6 or 7 names "….N.gz" share, ascending (a seventh holds a sum tree, and is ignored).
std::vector<int64_t> shard_suffixes(const std::vector<std::string>& names);
std::vector<std::string> names_in(const std::filesystem::path& folder);  // files; throws UserError if there is no such folder

struct ReplayShard {
  Array observation;  // u8 [rows, …]
  Array action;  // i32 [rows]
  Array reward;  // f32
  Array terminal;  // u8
  int64_t add_count = 0;
  std::vector<int64_t> invalid_range;

  int64_t rows() const { return action.size(); }
};

// What a header may claim before anything is believed.
struct ShardLimits {
  int64_t rows = 16'000'000;
  int64_t frame_bytes = 1 << 20;
};

class ShardReader {
 public:
  // Maps the six files and reads the headers.
  ShardReader(const std::filesystem::path& folder, int64_t suffix, const ShardLimits& limits = {});
  // Of files by name.
  ShardReader(std::map<std::string, io::Bytes> files, int64_t suffix, const ShardLimits& limits = {});

  int64_t rows() const { return rows_; }
  const std::vector<int64_t>& frame_shape() const { return frame_shape_; }
  int64_t frame_bytes() const;

  // Everything; memory grows as data comes out of the files.
  ReplayShard read() const;
  // Everything but the frames: observation is empty.
  ReplayShard read_without_frames() const;
  // The frames in pieces of whole rows, in order.
  void observations(const std::function<void(std::span<const uint8_t>)>& take) const;
  // Reads it all, keeps nothing of the frames, and checks that the counts make sense.
  void verify() const;

 private:
  struct Place {
    io::Bytes file;
    std::string where;
  };
  void read_headers();

  std::map<ShardArray, Place> files_;
  ShardLimits limits_;
  int64_t rows_ = 0;
  std::vector<int64_t> frame_shape_;
};

// Writes a shard. The observation file, without which none is complete, appears last; every file appears as a whole.
void write_shard(const std::filesystem::path& folder, int64_t suffix, const ReplayShard& shard, int level = 6);

}  // namespace zoo::offline_rl
