#include <libzoo/train/checkpoints.h>

#include <libzoo/core/error.h>
#include <libzoo/core/log.h>
#include <libzoo/io/atomic_file.h>
#include <libzoo/io/bytes.h>
#include <libzoo/io/state_file.h>
#include <libzoo/train/durable.h>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace zoo::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMarker = "COMPLETE";

// The step of "step-00000400", or nothing.
std::optional<int64_t> step_of(const std::string& name) {
  constexpr std::string_view kPrefix = "step-";
  int64_t step = 0;
  if (!name.starts_with(kPrefix)) return {};
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + kPrefix.size(), end, step);
  if (error != std::errc() || stop != end || step < 0) return {};
  return step;
}

// Without its marker first, so that a folder that is half removed is not taken for a checkpoint.
void remove_checkpoint(const fs::path& path) {
  std::error_code error;
  fs::remove(path / kMarker, error);
  if (!error) fs::remove_all(path, error);
  if (error) log::warning(fmt::format("{} could not be removed: {}", path.string(), error.message()));
}

struct RemoveAtExit {
  const fs::path& path;
  ~RemoveAtExit() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

template <class Work>
void on_disk(Work work) {
  try {
    work();
  } catch (const std::exception& failure) {
    throw NotWritten(failure.what());
  }
}

}  // namespace

fs::path Checkpoints::path(int64_t step) const { return folder_ / fmt::format("step-{:08}", step); }

std::vector<int64_t> Checkpoints::steps() const {
  std::vector<int64_t> found;
  std::error_code error;
  for (fs::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    const auto step = step_of(it->path().filename().string());
    if (step && !it->is_symlink() && fs::exists(it->path() / kMarker)) found.push_back(*step);
  }
  std::sort(found.begin(), found.end());
  return found;
}

void Checkpoints::write(int64_t step, std::span<const CheckpointPart> parts, const Json& facts, std::optional<int64_t> best) {
  const fs::path partial = folder_ / fmt::format(".step-{:08}.partial", step);
  const RemoveAtExit remove_partial{partial};
  Json run = facts;
  run["step"] = step;
  run["files"] = Json::object();
  on_disk([&] {
    fs::create_directories(folder_);
    fs::remove_all(partial);
    fs::create_directory(partial);
  });
  for (const CheckpointPart& part : parts) {
    const State state = part.save();
    const fs::path file = partial / (part.name + ".safetensors");
    on_disk([&] {
      io::write_state(file, state);
      sync(file);
      run["files"][file.filename().string()] = {{"bytes", fs::file_size(file)}, {"crc32", crc32_of_file(file)}};
    });
  }
  on_disk([&] {
    io::write_file(partial / "run.json", run.dump(2) + '\n');
    sync(partial);
    io::write_file(partial / kMarker, fmt::format("step {}\n", step));
    sync(partial);
    if (fs::exists(path(step))) remove_checkpoint(path(step));
    fs::rename(partial, path(step));
    sync(folder_);
  });
  prune(best);
}

void Checkpoints::prune(std::optional<int64_t> best) {
  const std::vector<int64_t> complete = steps();
  const size_t removable = complete.size() > size_t(keep_.last) ? complete.size() - size_t(keep_.last) : 0;
  for (size_t i = 0; i < removable; ++i) {
    const int64_t step = complete[i];
    const bool nth = keep_.every > 0 && step > 0 && step % keep_.every == 0;
    if (!nth && step != best) remove_checkpoint(path(step));
  }
}

void Checkpoints::point_best_to(int64_t step) {
  std::error_code error;
  const fs::path link = folder_ / ".best.partial";
  fs::remove(link, error);
  fs::create_directory_symlink(path(step).filename(), link, error);
  if (!error) fs::rename(link, folder_ / "best", error);
  if (error) log::debug(fmt::format("{}: {}", (folder_ / "best").string(), error.message()));
}

std::optional<Checkpoint> Checkpoints::newest() {
  remove_leftovers();
  std::vector<int64_t> complete = steps();
  const bool some = !complete.empty();
  for (; !complete.empty(); complete.pop_back()) {
    const int64_t step = complete.back();
    try {
      return read(step);
    } catch (const std::exception& damage) {
      const fs::path aside = folder_ / fmt::format("damaged-step-{:08}", step);
      std::error_code error;
      fs::remove_all(aside, error);
      fs::rename(path(step), aside, error);
      log::warning(fmt::format("the checkpoint {} is damaged and was {}: {}", path(step).string(),
                               error ? "left alone (" + error.message() + ")" : "renamed to " + aside.filename().string(), damage.what()));
    }
  }
  if (some) throw Error(fmt::format("{}: every checkpoint is damaged", folder_.string()), "start anew with --overwrite");
  return {};
}

// What a process leaves that was killed while it wrote or removed a checkpoint.
void Checkpoints::remove_leftovers() {
  std::error_code error;
  std::vector<fs::path> leftovers;
  for (fs::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    const bool partial = name.starts_with('.') && name.ends_with(".partial");
    const bool unmarked = step_of(name) && !it->is_symlink() && !fs::exists(it->path() / kMarker);
    if (partial || unmarked) leftovers.push_back(it->path());
  }
  for (const fs::path& path : leftovers) fs::remove_all(path, error);
}

Checkpoint Checkpoints::read(int64_t step) const {
  const fs::path folder = path(step);
  const fs::path facts_path = folder / "run.json";
  Checkpoint checkpoint{.step = step, .states = {}, .facts = parse_json(io::map_file(facts_path).text(), facts_path.string())};
  const Json& noted_step = checkpoint.facts.at("step");
  if (noted_step != step) throw Error(fmt::format("{}: it is of step {}", facts_path.string(), noted_step.dump()));
  for (const auto& [name, noted] : checkpoint.facts.at("files").items()) {
    if (name.find('/') != std::string::npos || !name.ends_with(".safetensors")) {
      throw Error(fmt::format("{}: '{}' is no file of a checkpoint", facts_path.string(), name));
    }
    const fs::path file = folder / name;
    const uint64_t bytes = fs::file_size(file), expected = noted.at("bytes").get<uint64_t>();
    if (bytes != expected) throw Error(fmt::format("{} has {} bytes, {} were written", file.string(), bytes, expected));
    if (crc32_of_file(file) != noted.at("crc32").get<uint32_t>()) {
      throw Error(fmt::format("{}: its checksum is not the one that was noted", file.string()));
    }
    checkpoint.states.emplace(file.stem().string(), io::read_state(file));
  }
  return checkpoint;
}

}  // namespace zoo::train
