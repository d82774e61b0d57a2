// Logs as others write them, made into a ReplayLog.
//
//   convert_shards("Pong/1/replay_logs", "pong-1", {.stack = 4});      // Dopamine's shards
//   convert_unplugged({"run_1-00000-of-00050"}, "pong-1", {});         // RL Unplugged's ordered episodes
//   ReplayLog log(open_log("Pong/1/replay_logs"));                     // converted beside the shards, if it is not yet
#pragma once

#include <libzoo/offline_rl/replay_log.h>
#include <libzoo/offline_rl/replay_shard.h>

#include <filesystem>
#include <functional>
#include <vector>

namespace zoo::offline_rl {

// What the shards themselves do not tell. A file about.json {environment, actions, stack} beside them, as zoo-offline-rl log writes it, gives
// the defaults.
struct ConvertOptions {
  int64_t stack = 4;
  int64_t actions = 0;  // 0: 1 + the largest in the log
  std::string environment;
};

// Rows come out in the order of play: by add_count, with row cursor … of a full shard first, and without the stack - 1 rows of zeros
// before each episode. Cycles that were never written leave gaps; the rows after a gap have no full stack. `progress` gets
// the number of shards done and of all.
void convert_shards(const std::filesystem::path& folder, const std::filesystem::path& to, const ConvertOptions& options,
                    const std::function<void(int64_t, int64_t)>& progress = {});

void convert_unplugged(const std::vector<std::filesystem::path>& files, const std::filesystem::path& to, const ConvertOptions& options);

ConvertOptions about_shards(const std::filesystem::path& folder);
void write_about(const std::filesystem::path& folder, const ConvertOptions& about);

// The folder of the ReplayLog that `path` is, or that is made of the shards in it: <path>/converted, made anew if a shard is younger.
std::filesystem::path open_log(const std::filesystem::path& path);

}  // namespace zoo::offline_rl
