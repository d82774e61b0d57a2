#include <libzoo/core/error.h>
#include <libzoo/offline_rl/control_log.h>
#include <libzoo/offline_rl/log_tools.h>
#include <libzoo/offline_rl/rl_unplugged.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

namespace zoo::offline_rl {
namespace {

enum class Format { shards, converted, control, unplugged };

Format format_of(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) {
    if (std::filesystem::exists(path / "log.json")) return Format::converted;
    if (is_control_log(path)) return Format::control;
    const auto names = names_in(path);
    // Also a shard that lacks a file: verify tells which.
    if (std::any_of(names.begin(), names.end(), [](const std::string& name) { return name.find("_ckpt.") != std::string::npos; }))
      return Format::shards;
    throw UserError(fmt::format("{}: holds no log", path.string()), "name the folder of the $store$_…_ckpt.N.gz files, or of log.json");
  }
  return is_control_log(path) ? Format::control : Format::unplugged;
}

const char* name_of(Format format) {
  switch (format) {
    case Format::shards: return "DQN Replay shards";
    case Format::converted: return "converted log";
    case Format::control: return "continuous control";
    default: return "RL Unplugged episodes";
  }
}

Json counts_of(const std::map<int64_t, int64_t>& counts) {
  Json result = Json::object();
  for (const auto& [action, count] : counts) result[std::to_string(action)] = count;
  return result;
}

Json inspect_shards(const std::filesystem::path& path) {
  Json rows = Json::array();
  std::map<int64_t, int64_t> actions;
  int64_t episodes = 0;
  for (int64_t suffix : shard_suffixes(names_in(path))) {
    const ShardReader reader(path, suffix);
    const auto shard = reader.read_without_frames();
    const auto terminals = shard.terminal.span<uint8_t>();
    const int64_t used = std::min(shard.add_count, shard.rows()),
                  ends = std::count_if(terminals.begin(), terminals.begin() + used, [](uint8_t t) { return t; });
    for (int64_t i = 0; i < used; ++i) ++actions[shard.action.span<int32_t>()[size_t(i)]];
    double earned = 0;
    for (int64_t i = 0; i < used; ++i) earned += shard.reward.span<float>()[size_t(i)];
    rows.push_back(
        {{"suffix", suffix}, {"rows", shard.rows()}, {"add count", shard.add_count}, {"episode ends", ends}, {"sum of rewards", earned}});
    episodes += ends;
    if (rows.size() == 1) rows[0]["frame"] = reader.frame_shape();
  }
  if (rows.empty())
    throw UserError(fmt::format("{}: holds no complete shard", path.string()), "zoo-offline-rl verify tells what is missing");
  const Json frame = rows[0]["frame"];
  rows[0].erase("frame");
  return {{"frame", frame}, {"episode ends", episodes}, {"actions", counts_of(actions)}, {"shards", rows}};
}

Json inspect_converted(const std::filesystem::path& path) {
  const ReplayLog log(path);
  std::map<int64_t, int64_t> actions;
  for (int64_t row = 0; row < log.rows(); ++row) ++actions[log.action(row)];
  Json shards = Json::array();
  for (const auto& shard : log.info().shards) shards.push_back({{"suffix", shard.suffix}, {"rows", shard.end - shard.begin}});
  return {
      {"environment", log.info().environment},      {"frame", log.info().frame_shape}, {"stack", log.info().stack}, {"rows", log.rows()},
      {"episodes", int64_t(log.episodes().size())}, {"actions", counts_of(actions)},   {"shards", shards}};
}

Json inspect_control(const std::filesystem::path& path) {
  const auto log = read_control_log(path);
  double sum = 0;
  for (double value : log.returns) sum += value;
  return {{"environment", log.environment.name},
          {"transitions", log.size()},
          {"state size", log.transitions.state.size(1)},
          {"action size", log.transitions.action.size(1)},
          {"largest action", log.transitions.action.abs().max().item<double>()},
          {"episodes", int64_t(log.returns.size())},
          {"mean return", log.returns.empty() ? Json(nullptr) : Json(sum / double(log.returns.size()))}};
}

Json inspect_unplugged(const std::filesystem::path& path) {
  UnpluggedEpisodes episodes(io::map_file(path), path.string());
  Json rows = Json::array();
  while (const auto episode = episodes.next())
    rows.push_back({{"episode", episode->episode_id},
                    {"checkpoint", episode->checkpoint_id},
                    {"steps", episode->steps()},
                    {"game over", episode->terminal},
                    {"return", episode->episode_return}});
  return {{"episodes", rows}};
}

}  // namespace

Json inspect_log(const std::filesystem::path& path) {
  const Format format = format_of(path);
  Json result = {{"format", name_of(format)}};
  switch (format) {
    case Format::shards: result.update(inspect_shards(path)); break;
    case Format::converted: result.update(inspect_converted(path)); break;
    case Format::control: result.update(inspect_control(path)); break;
    case Format::unplugged: result.update(inspect_unplugged(path)); break;
  }
  return result;
}

Json verify_log(const std::filesystem::path& path) {
  const Format format = format_of(path);
  Json problems = Json::array();
  int64_t checked = 0;
  const auto check = [&](const std::function<void()>& read) {
    ++checked;
    try {
      read();
    } catch (const UserError& error) {
      problems.push_back(error.what());
    }
  };
  switch (format) {
    case Format::shards: {
      std::map<int64_t, int> files;  // of every suffix there is a file of
      for (const auto& name : names_in(path))
        for (int kind = 0; kind < 6; ++kind) {
          const std::string stem = shard_file_name(ShardArray(kind), 0).substr(0, shard_file_name(ShardArray(kind), 0).size() - 4);
          if (!name.starts_with(stem) || !name.ends_with(".gz")) continue;
          const std::string digits = name.substr(stem.size(), name.size() - stem.size() - 3);
          if (!digits.empty() && digits.size() < 10 &&
              std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; }))
            ++files[std::stoll(digits)];
        }
      for (const auto& entry : files) check([&, suffix = entry.first] { ShardReader(path, suffix).verify(); });
      break;
    }
    case Format::converted: check([&] { ReplayLog log(path); }); break;
    case Format::control: check([&] { read_control_log(path); }); break;
    case Format::unplugged:
      check([&] {
        UnpluggedEpisodes episodes(io::map_file(path), path.string());
        while (episodes.next()) {
        }
      });
      break;
  }
  return {{"format", name_of(format)}, {"checked", checked}, {"problems", problems}};
}

}  // namespace zoo::offline_rl
