// What is in a log, whether it is whole, and one kind of log made into another.
#pragma once

#include <libzoo/core/json.h>
#include <libzoo/offline_rl/convert_log.h>

#include <filesystem>
#include <vector>

namespace zoo::offline_rl {

// Of a folder of shards (frames are not read), a converted log, a log of continuous control, or a file of RL Unplugged episodes: {format, rows,
// episodes, …}. Throws UserError if it is none of these.
Json inspect_log(const std::filesystem::path& path);

// Reads all of it: {format, files or shards, problems: [{file, problem}]}. What is damaged is told, not thrown.
Json verify_log(const std::filesystem::path& path);

}  // namespace zoo::offline_rl
