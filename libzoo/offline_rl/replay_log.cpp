#include <libzoo/core/array.h>
#include <libzoo/core/error.h>
#include <libzoo/core/json.h>
#include <libzoo/core/random.h>
#include <libzoo/io/atomic_file.h>
#include <libzoo/offline_rl/replay_log.h>

#include <ATen/ATen.h>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace zoo::offline_rl {
namespace {

constexpr const char* kInfo = "log.json";

io::Bytes map_rows(const std::filesystem::path& file, int64_t rows, int64_t bytes_per_row) {
  auto bytes = io::map_file(file);
  if (int64_t(bytes.size()) != rows * bytes_per_row)
    throw UserError(fmt::format("{}: has {} bytes where {} rows need {}", file.string(), bytes.size(), rows, rows * bytes_per_row),
                    "convert the log again");
  return bytes;
}

template <class T>
std::span<const T> values_in(const io::Bytes& bytes) {
  return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

LogInfo info_of(const Json& json) {
  LogInfo info;
  info.frame_shape = json.at("frame_shape").get<std::vector<int64_t>>();
  info.stack = json.at("stack").get<int64_t>();
  info.actions = json.at("actions").get<int64_t>();
  info.environment = json.at("environment").get<std::string>();
  for (const Json& shard : json.at("shards"))
    info.shards.push_back({shard.at("suffix").get<int64_t>(), shard.at("begin").get<int64_t>(), shard.at("end").get<int64_t>()});
  return info;
}

}  // namespace

ReplayLog::ReplayLog(const std::filesystem::path& folder) : folder_(folder) {
  const auto path = folder / kInfo;
  const auto text = io::map_file(path);
  try {
    const Json json = parse_json(text.text(), path.string());
    info_ = info_of(json);
    rows_ = json.at("rows").get<int64_t>();
    frame_bytes_ = count(info_.frame_shape);
    int64_t end = 0;
    for (const auto& shard : info_.shards) {
      if (shard.begin != end || shard.end < shard.begin) throw Error("shards do not follow each other");
      end = shard.end;
    }
    if (end != rows_ || rows_ < 1 || frame_bytes_ < 1 || frame_bytes_ > (1 << 24) || info_.frame_shape.size() < 2 ||
        info_.frame_shape.size() > 3 || rows_ > (int64_t(1) << 40) || info_.stack < 1)
      throw Error("the numbers do not fit together");
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    throw UserError(fmt::format("{}: is not that of a log: {}", path.string(), error.what()), "convert the log again");
  }
  observation_ = map_rows(folder / "observation.bin", rows_, frame_bytes_);
  action_ = map_rows(folder / "action.bin", rows_, sizeof(int32_t));
  reward_ = map_rows(folder / "reward.bin", rows_, sizeof(float));
  flags_ = map_rows(folder / "flags.bin", rows_, 1);
  actions_ = values_in<int32_t>(action_);
  rewards_ = values_in<float>(reward_);
  for (int32_t action : actions_)
    if (action < 0 || action >= info_.actions)
      throw UserError(fmt::format("{}: action {} is not one of {}", (folder / "action.bin").string(), action, info_.actions));
}

int64_t ReplayLog::channels() const { return info_.frame_shape.size() == 3 ? info_.frame_shape[2] : 1; }

std::vector<std::pair<int64_t, int64_t>> ReplayLog::episodes() const {
  std::vector<std::pair<int64_t, int64_t>> result;
  for (int64_t row = 0; row < rows_; ++row) {
    if (row == 0 || (flags(row) & (kFirst | kGap))) result.emplace_back(row, row);
    result.back().second = row + 1;
  }
  return result;
}

bool ReplayLog::is_transition(int64_t row, int64_t stack, int64_t horizon) const {
  for (int64_t i = 0; i + 1 < stack; ++i) {  // back to the episode's first row, before which zeros are known to be
    if (flags(row - i) & kFirst) break;
    if (row - i == 0 || (flags(row - i) & kGap)) return false;
  }
  for (int64_t i = row; i < row + horizon; ++i) {
    if (flags(i) & kTerminal) return true;
    if ((flags(i) & kTruncated) || i + 1 >= rows_ || (flags(i + 1) & (kFirst | kGap))) return false;
  }
  return true;
}

void ReplayLog::write_stack(int64_t row, int64_t stack, uint8_t* to) const {
  const int64_t channels = this->channels(), pixels = frame_bytes_ / channels;
  if (stack == 1) {
    std::memcpy(to, frame(row).data(), size_t(frame_bytes_));
    return;
  }
  bool inside = true;
  for (int64_t place = stack - 1; place >= 0; --place) {
    const int64_t at = row - (stack - 1 - place);
    if (inside) {
      const uint8_t* from = frame(at).data();
      for (int64_t p = 0; p < pixels; ++p)
        for (int64_t c = 0; c < channels; ++c) to[(p * stack + place) * channels + c] = from[p * channels + c];
      inside = !(flags(at) & kFirst) && at > 0;
    } else {
      for (int64_t p = 0; p < pixels; ++p)
        for (int64_t c = 0; c < channels; ++c) to[(p * stack + place) * channels + c] = 0;
    }
  }
}

at::Tensor ReplayLog::states(std::span<const int64_t> rows, int64_t stack) const {
  auto states = at::empty({std::ssize(rows), info_.frame_shape[0], info_.frame_shape[1], stack * channels()}, at::kByte);
  for (size_t i = 0; i < rows.size(); ++i) write_stack(rows[i], stack, states.data_ptr<uint8_t>() + int64_t(i) * stack * frame_bytes_);
  return states;
}

TransitionBatch ReplayLog::batch(std::span<const int64_t> rows, const BatchOptions& o) const {
  const int64_t n = std::ssize(rows), state_bytes = o.stack * frame_bytes_;
  TransitionBatch batch{.state = states(rows, o.stack),
                        .action = at::empty({n}, at::kLong),
                        .reward = at::empty({n}, at::kFloat),
                        .next_state = at::empty({n, info_.frame_shape[0], info_.frame_shape[1], o.stack * channels()}, at::kByte),
                        .terminal = at::empty({n}, at::kByte)};
  for (int64_t i = 0; i < n; ++i) {
    const int64_t row = rows[size_t(i)];
    double sum = 0, factor = 1;
    bool terminal = false;
    for (int64_t k = row; k < row + o.horizon && !terminal; ++k, factor *= o.gamma) {
      sum += factor * (o.clip_rewards ? std::clamp(reward(k), -1.0f, 1.0f) : reward(k));
      terminal = flags(k) & kTerminal;
    }
    batch.action.data_ptr<int64_t>()[i] = action(row);
    batch.reward.data_ptr<float>()[i] = float(sum);
    batch.terminal.data_ptr<uint8_t>()[i] = terminal;
    uint8_t* next = batch.next_state.data_ptr<uint8_t>() + i * state_bytes;
    if (terminal)
      std::memset(next, 0, size_t(state_bytes));
    else
      write_stack(row + o.horizon, o.stack, next);
  }
  return batch;
}

ReplayLogWriter::ReplayLogWriter(const std::filesystem::path& folder, LogInfo info)
    : target_(folder), partial_(folder.string() + fmt::format(".partial-{}", getpid())), info_(std::move(info)) {
  frame_bytes_ = count(info_.frame_shape);
  std::filesystem::remove_all(partial_);
  std::filesystem::create_directories(partial_);
  const auto open = [&](std::ofstream& file, const char* name) { file.open(partial_ / name, std::ios::binary | std::ios::trunc); };
  open(observation_, "observation.bin"), open(action_, "action.bin"), open(reward_, "reward.bin"), open(flags_, "flags.bin");
}

ReplayLogWriter::~ReplayLogWriter() {
  std::error_code ignored;
  if (!committed_) std::filesystem::remove_all(partial_, ignored);
}

int64_t ReplayLogWriter::add(int32_t action, float reward, uint8_t flags) {
  action_.write(reinterpret_cast<const char*>(&action), sizeof action);
  reward_.write(reinterpret_cast<const char*>(&reward), sizeof reward);
  flags_.put(char(flags));
  info_.actions = std::max<int64_t>(info_.actions, action + 1);
  return rows_++;
}

void ReplayLogWriter::put_frame(int64_t row, std::span<const uint8_t> frame) {
  if (row != place_) observation_.seekp(std::streamoff(row * frame_bytes_));
  observation_.write(reinterpret_cast<const char*>(frame.data()), std::streamsize(frame.size()));
  place_ = row + 1;
}

void ReplayLogWriter::begin_shard(int64_t suffix) {
  if (!info_.shards.empty()) info_.shards.back().end = rows_;
  info_.shards.push_back({suffix, rows_, rows_});
}

void ReplayLogWriter::commit() {
  if (info_.shards.empty()) info_.shards.push_back({0, 0, 0});
  info_.shards.back().end = rows_;
  Json shards = Json::array();
  for (const auto& shard : info_.shards) shards.push_back({{"suffix", shard.suffix}, {"begin", shard.begin}, {"end", shard.end}});
  const Json json = {{"rows", rows_},
                     {"frame_shape", info_.frame_shape},
                     {"stack", info_.stack},
                     {"actions", info_.actions},
                     {"environment", info_.environment},
                     {"shards", shards}};
  for (auto* file : {&observation_, &action_, &reward_, &flags_}) {
    file->close();
    if (!*file) throw Error(fmt::format("{}: could not be written", partial_.string()), "is the disk full?");
  }
  io::write_file(partial_ / kInfo, json.dump(1));
  std::filesystem::remove_all(target_);
  std::filesystem::rename(partial_, target_);
  committed_ = true;
}

LogSampler::LogSampler(const ReplayLog& log, const SamplingOptions& options) : log_(log), options_(options) {
  const auto& subset = options_.subset;
  std::vector<std::pair<int64_t, int64_t>> kept;
  if (subset.kind == SubsetKind::trajectories) {
    kept = log.episodes();
    const auto order = permutation(std::ssize(kept), {.seed = options_.seed, .purpose = Purpose::subset});
    const auto count = std::max<int64_t>(1, int64_t(std::llround(subset.fraction * double(kept.size()))));
    std::vector<std::pair<int64_t, int64_t>> drawn;
    for (int64_t i = 0; i < count; ++i) drawn.push_back(kept[size_t(order[size_t(i)])]);
    std::sort(drawn.begin(), drawn.end());
    kept = std::move(drawn);
  } else {
    int64_t number = 0;
    for (const auto& shard : log.info().shards) {
      if (subset.kind == SubsetKind::first_shards && number++ >= subset.shards) break;
      const double share = subset.kind == SubsetKind::part_of_shards ? subset.fraction : 1;
      kept.emplace_back(shard.begin, shard.begin + std::llround(share * double(shard.end - shard.begin)));
    }
  }
  // Cut at the shards' borders, so that each shard knows its own.
  size_t part = 0;
  for (const auto& shard : log.info().shards) {
    Ranges ranges;
    int64_t total = 0, transitions = 0;
    while (part < kept.size() && kept[part].first < shard.end) {
      const int64_t begin = std::max(kept[part].first, shard.begin), end = std::min(kept[part].second, shard.end);
      if (begin < end) {
        ranges.parts.emplace_back(begin, end);
        ranges.ends.push_back(total += end - begin);
        for (int64_t row = begin; row < end && transitions == 0; ++row)
          transitions += log.is_transition(row, options_.stack, options_.horizon);
      }
      if (kept[part].second > shard.end) break;
      ++part;
    }
    if (transitions > 0) shards_.push_back(std::move(ranges));
  }
  if (shards_.empty()) throw UserError("the part of the log that is learnt from holds no transition", "a larger subset.fraction");
}

int64_t LogSampler::subset_rows() const {
  int64_t rows = 0;
  for (const auto& shard : shards_) rows += shard.ends.back();
  return rows;
}

std::vector<int64_t> LogSampler::rows(int64_t update) const {
  const int64_t iteration = update / options_.updates_per_iteration;
  RandomStream random({.seed = options_.seed, .epoch = uint32_t(update >> 32), .id = uint32_t(update), .copy = 1});
  const int64_t together = std::min<int64_t>(options_.shards_together, std::ssize(shards_));
  const Ranges* shard = nullptr;
  if (together > 0) {
    const auto order =
        permutation(std::ssize(shards_), {.seed = options_.seed, .id = uint32_t(iteration), .purpose = Purpose::shard_permutation});
    shard = &shards_[size_t(order[size_t(random.below(uint64_t(together)))])];
  }
  const int64_t total = subset_rows();
  std::vector<int64_t> rows;
  while (std::ssize(rows) < options_.batch_size) {
    int64_t place = int64_t(random.uniform64() * double(shard ? shard->ends.back() : total));
    const Ranges* from = shard;
    if (!from)
      for (from = shards_.data(); place >= from->ends.back(); ++from) place -= from->ends.back();
    const auto part = size_t(std::upper_bound(from->ends.begin(), from->ends.end(), place) - from->ends.begin());
    const int64_t row = from->parts[part].second - (from->ends[part] - place);
    if (log_.is_transition(row, options_.stack, options_.horizon)) rows.push_back(row);
  }
  return rows;
}

}  // namespace zoo::offline_rl
