#include <libzoo/core/error.h>
#include <libzoo/core/json.h>
#include <libzoo/core/log.h>
#include <libzoo/io/atomic_file.h>
#include <libzoo/offline_rl/convert_log.h>
#include <libzoo/offline_rl/rl_unplugged.h>

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace zoo::offline_rl {
namespace {

constexpr const char* kAbout = "about.json";

// What is known where a shard's rows begin.
struct Position {
  bool known = true;      // that the rows before are in the log, or that there are none
  bool first = true;      // an episode begins
  int64_t padding = 0;    // rows of zeros still to come
};

// The frames of a few rows, by one pass over the shard.
std::vector<bool> are_blank(const ShardReader& reader, std::span<const int64_t> rows) {
  std::vector<bool> blank(rows.size(), false);
  int64_t row = 0;
  const int64_t bytes = reader.frame_bytes();
  reader.observations([&](std::span<const uint8_t> piece) {
    for (size_t at = 0; at < piece.size(); at += size_t(bytes), ++row) {
      const auto frame = piece.subspan(at, size_t(bytes));
      for (size_t i = 0; i < rows.size(); ++i)
        if (rows[i] == row) blank[i] = std::all_of(frame.begin(), frame.end(), [](uint8_t value) { return value == 0; });
    }
  });
  return blank;
}

// The rows of a shard in the order of play. A buffer that was never full holds rows 0 … add_count-1; if others came before it in the same
// memory (`follows`), the last row is older than these.
std::vector<int64_t> rows_in_order(const ReplayShard& shard, bool follows) {
  const int64_t capacity = shard.rows(), added = shard.add_count;
  std::vector<int64_t> rows;
  if (added >= capacity) {
    for (int64_t i = 0; i < capacity; ++i) rows.push_back((added + i) % capacity);
  } else {
    if (follows) rows.push_back(capacity - 1);
    for (int64_t i = 0; i < added; ++i) rows.push_back(i);
  }
  return rows;
}

// Whether `next`, the unfinished last shard, was written in the cycle after `before`: then its rows that were not yet overwritten are those of `before`.
bool directly_follows(const ReplayShard& before, const ReplayShard& next) {
  if (before.rows() != next.rows()) return false;
  for (int64_t row = next.add_count; row + 1 < next.rows(); ++row) {
    const auto i = size_t(row);
    if (before.action.span<int32_t>()[i] != next.action.span<int32_t>()[i] ||
        before.reward.span<float>()[i] != next.reward.span<float>()[i])
      return false;
  }
  return true;
}

void convert_shard(const ShardReader& reader, const ReplayShard& shard, bool follows, int64_t stack, Position& at, ReplayLogWriter& log) {
  const auto order = rows_in_order(shard, follows);
  const auto actions = shard.action.span<int32_t>();
  const auto rewards = shard.reward.span<float>();
  const auto terminals = shard.terminal.span<uint8_t>();
  const auto could_be_padding = [&](int64_t row) {
    return actions[size_t(row)] == 0 && rewards[size_t(row)] == 0 && terminals[size_t(row)] == 0;
  };
  if (!at.known) {
    // Padding if an episode began where the log has a gap: only the frames can tell.
    const auto few = std::span(order).first(std::min(order.size(), size_t(stack - 1)));
    const auto blank = are_blank(reader, few);
    at = {.known = false, .first = false, .padding = 0};
    while (at.padding < std::ssize(few) && blank[size_t(at.padding)] && could_be_padding(few[size_t(at.padding)])) ++at.padding;
    at.first = at.padding > 0;
    if (at.first) at.known = true;
  }
  std::vector<int64_t> place(size_t(shard.rows()), -1);
  for (int64_t row : order) {
    if (at.padding > 0) {
      --at.padding;
      continue;
    }
    const bool terminal = terminals[size_t(row)] != 0;
    const uint8_t flags = uint8_t((terminal ? kTerminal : 0) | (at.first ? kFirst : 0) | (at.known ? 0 : kGap));
    place[size_t(row)] = log.add(actions[size_t(row)], rewards[size_t(row)], flags);
    at = {.known = true, .first = terminal, .padding = terminal ? stack - 1 : 0};
  }
  int64_t row = 0;
  const auto bytes = size_t(reader.frame_bytes());
  reader.observations([&](std::span<const uint8_t> piece) {
    for (size_t i = 0; i < piece.size(); i += bytes, ++row)
      if (place[size_t(row)] >= 0) log.put_frame(place[size_t(row)], piece.subspan(i, bytes));
  });
}

}  // namespace

ConvertOptions about_shards(const std::filesystem::path& folder) {
  ConvertOptions about;
  const auto path = folder / kAbout;
  if (!std::filesystem::exists(path)) return about;
  const Json json = parse_json(io::map_file(path).text(), path.string());
  try {
    about.stack = json.at("stack").get<int64_t>();
    about.actions = json.at("actions").get<int64_t>();
    about.environment = json.at("environment").get<std::string>();
  } catch (const nlohmann::json::exception& error) {
    throw UserError(fmt::format("{}: {}", path.string(), error.what()), "it holds environment, actions and stack");
  }
  return about;
}

void write_about(const std::filesystem::path& folder, const ConvertOptions& about) {
  std::filesystem::create_directories(folder);
  io::write_file(folder / kAbout,
                 Json{{"environment", about.environment}, {"actions", about.actions}, {"stack", about.stack}}.dump(1) + "\n");
}

void convert_shards(const std::filesystem::path& folder, const std::filesystem::path& to, const ConvertOptions& o,
                    const std::function<void(int64_t, int64_t)>& progress) {
  const auto suffixes = shard_suffixes(names_in(folder));
  if (suffixes.empty())
    throw UserError(fmt::format("{}: holds no complete shard", folder.string()),
                    "six files $store$_…_ckpt.N.gz, add_count_ckpt.N.gz and "
                    "invalid_range_ckpt.N.gz make one");
  if (o.stack < 1) throw UserError("a stack of less than one frame");
  std::optional<ReplayLogWriter> log;
  std::optional<ReplayShard> before;
  std::vector<int64_t> shape;
  Position at{.padding = o.stack - 1};
  for (size_t i = 0; i < suffixes.size(); ++i) {
    const ShardReader reader(folder, suffixes[i]);
    if (!log) {
      shape = reader.frame_shape();
      LogInfo info;
      info.frame_shape = shape.size() == 1 ? std::vector<int64_t>{1, shape[0]} : shape;
      info.stack = o.stack, info.actions = o.actions, info.environment = o.environment;
      log.emplace(to, std::move(info));
    }
    if (reader.frame_shape() != shape)
      throw UserError(fmt::format("{}: shard {} has frames of another shape than the one before", folder.string(), suffixes[i]));
    ReplayShard shard = reader.read_without_frames();
    const bool unfinished = shard.add_count < shard.rows();
    const bool follows = unfinished && suffixes[i] > 0;
    if (before)
      at.known = unfinished ? directly_follows(*before, shard) : shard.add_count - shard.rows() == before->add_count;
    else
      at.known = unfinished && !follows;
    log->begin_shard(suffixes[i]);
    convert_shard(reader, shard, follows, o.stack, at, *log);
    before = std::move(shard);
    if (progress) progress(int64_t(i + 1), std::ssize(suffixes));
  }
  log->commit();
}

void convert_unplugged(const std::vector<std::filesystem::path>& files, const std::filesystem::path& to, const ConvertOptions& o) {
  std::optional<ReplayLogWriter> log;
  for (size_t f = 0; f < files.size(); ++f) {
    UnpluggedEpisodes episodes(io::map_file(files[f]), files[f].string());
    bool begun = false;
    while (const auto episode = episodes.next()) {
      const auto& shape = episode->observation.shape();
      if (!log) {
        LogInfo info;
        info.frame_shape = {shape[1], shape[2]};
        info.stack = o.stack, info.actions = o.actions, info.environment = o.environment;
        log.emplace(to, std::move(info));
      }
      if (!begun) log->begin_shard(int64_t(f));
      begun = true;
      // The last step of an episode has an observation but, if the game is over, no action: the reward that ended it is one row before.
      const int64_t steps = episode->terminal ? episode->steps() - 1 : episode->steps();
      for (int64_t t = 0; t < steps; ++t) {
        const bool last = t + 1 == steps;
        const uint8_t flags = uint8_t((t == 0 ? kFirst : 0) | (last ? (episode->terminal ? kTerminal : kTruncated) : 0));
        const int64_t row = log->add(int32_t(episode->action[size_t(t)]), episode->clipped_reward[size_t(t)], flags);
        const auto bytes = size_t(shape[1] * shape[2]);
        log->put_frame(row, episode->observation.span<uint8_t>().subspan(size_t(t) * bytes, bytes));
      }
    }
  }
  if (!log) throw UserError("the files hold no episodes");
  log->commit();
}

std::filesystem::path open_log(const std::filesystem::path& path) {
  if (std::filesystem::exists(path / "log.json")) return path;
  const auto converted = path / "converted";
  const auto suffixes = shard_suffixes(names_in(path));
  bool fresh = std::filesystem::exists(converted / "log.json");
  if (fresh) {
    const auto made = std::filesystem::last_write_time(converted / "log.json");
    for (int64_t suffix : suffixes)
      fresh = fresh && std::filesystem::last_write_time(path / shard_file_name(ShardArray::observation, suffix)) <= made;
  }
  if (!fresh) {
    log::info(fmt::format("{}: {} shards are converted to {}", path.string(), suffixes.size(), converted.string()));
    convert_shards(path, converted, about_shards(path));
  }
  return converted;
}

}  // namespace zoo::offline_rl
