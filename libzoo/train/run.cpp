#include <libzoo/core/error.h>
#include <libzoo/core/random.h>
#include <libzoo/io/atomic_file.h>
#include <libzoo/io/bytes.h>
#include <libzoo/io/png.h>
#include <libzoo/io/tensor.h>
#include <libzoo/train/device.h>
#include <libzoo/train/durable.h>
#include <libzoo/train/module_state.h>
#include <libzoo/train/run_parts.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sys/resource.h>

#include <algorithm>
#include <exception>

namespace zoo::train {
namespace {

namespace fs = std::filesystem;

RunOptions checked(RunOptions options) {
  const auto require = [](bool good, const char* name, int64_t value, const char* range) {
    if (!good) throw UserError(fmt::format("{} is {}", name, value), fmt::format("it must be {}", range));
  };
  require(options.threads >= 0, "threads", options.threads, "0 (LibTorch's choice) or more");
  require(options.checkpoint_every >= 0, "checkpoint_every", options.checkpoint_every, "0 (only at the end) or more");
  require(options.keep_last >= 1, "keep_last", options.keep_last, "at least 1");
  require(options.keep_every >= 0, "keep_every", options.keep_every, "0 (none) or more");
  require(options.log_every >= 1, "log_every", options.log_every, "at least 1");
  if (options.threads > 0) at::set_num_threads(options.threads);
  return options;
}

// The generators that LibTorch's own random functions use.
State generator_state(at::Device device) {
  State state;
  state.arrays.emplace("cpu", io::to_array(at::globalContext().defaultGenerator(at::kCPU).get_state()));
  if (device.is_cuda()) state.arrays.emplace("cuda", io::to_array(at::globalContext().defaultGenerator(device).get_state()));
  return state;
}

void restore_generators(at::Device device, const State& state) {
  const auto restore = [&](const char* key, at::Device where) {
    const auto found = state.arrays.find(key);
    if (found == state.arrays.end()) return;
    at::Generator generator = at::globalContext().defaultGenerator(where);
    generator.set_state(io::to_tensor(found->second).clone());
  };
  restore("cpu", at::kCPU);
  if (device.is_cuda()) restore("cuda", device);
}

std::string stamped(log::Level level, std::string_view message) {
  const char* mark = level == log::Level::warning ? "warning: " : level == log::Level::error ? "error: " : "";
  return fmt::format("{} {}{}", utc_now(), mark, message);
}

}  // namespace

Run::Parts::Parts(RunOptions given)
    : options(checked(std::move(given))),
      follower(options.group && options.group->rank() > 0),
      device(resolve_device(options.device)),
      directory(options, follower),
      manifest(directory.path() / "manifest.json", directory.manifest(), options, device.str(), at::get_num_threads()),
      finished(agreed(directory.resumed() && directory.manifest().value("state", "") == "done")),
      checkpoints(directory.path() / "checkpoints", {.last = options.keep_last, .every = options.keep_every}),
      progress(options.log_every, options.quiet || follower) {
  at::manual_seed(derive_seed(options.seed, "libtorch"));
  if (finished) {
    const fs::path path = directory.path() / "result.json";
    if (!follower && fs::exists(path)) result = parse_json(io::map_file(path).text(), path.string());
    if (!follower) log::info(fmt::format("{} is a finished run; there is nothing to do", directory.path().string()));
    return;
  }
  manifest.write();
  io::write_file(directory.path() / "config.yaml", options.config_yaml);
  log_file.emplace(directory.path() / "log.txt");
  log_sink.emplace([this](log::Level level, std::string_view message) {
    std::lock_guard lock(log_mutex);
    log_file->append(stamped(level, message));
    log_file->flush();  // what fails is tried again, and reported between two steps
  });
  metrics.emplace(directory.path() / "metrics.jsonl", [this](const auto& row, const auto& numbers) { settled(row, numbers); });
  tracked.push_back({.part = {"generators", [this] { return generator_state(device); }},
                     .restore = [this](const State& state) { restore_generators(device, state); }});
}

Run::Parts::~Parts() { log_sink.reset(); }

void Run::Parts::to_tensorboard(const std::function<void(io::EventWriter&)>& write) {
  const fs::path folder = directory.path() / "tensorboard";
  try {
    if (!events) events.emplace(folder);
    write(*events);
  } catch (const std::exception& failure) {
    warn_once(folder.string(), failure.what());
  }
}

void Run::Parts::flush_log() {
  std::unique_lock lock(log_mutex);
  if (log_file->flush()) return;
  const std::string reason = log_file->failure();
  lock.unlock();  // the warning comes back to us as a line of the log
  warn_once(log_file->path().string(), reason);
}

void Run::Parts::warn_once(const std::string& about, const std::string& reason) {
  if (warned[about]) return;
  warned[about] = true;
  log::warning(fmt::format("{} can't be written: {}. Training goes on; this is said only once", about, reason));
}

void Run::Parts::write_manifest() {
  try {
    manifest.write();
  } catch (const std::exception& failure) {
    warn_once((directory.path() / "manifest.json").string(), failure.what());
  }
}

Run::Run(RunOptions options) : parts_(std::make_unique<Parts>(std::move(options))) {}

Run::~Run() {
  Parts& run = *parts_;
  run.progress.stop();
  if (run.finished || run.closed || run.options.dry_run) return;
  try {
    run.metrics->settle();
    const bool unwinding = std::uncaught_exceptions() > 0;
    if (interrupted() && !run.stopped_early && !unwinding)  // the loop was left within a step
      log::info(fmt::format("{}: stopped within step {}; --resume continues from step {}", SignalGuard::name(), run.position, run.saved));
    run.manifest.note_session("last_step", run.position);
    run.manifest.set_state(unwinding ? "failed" : interrupted() ? "interrupted" : "stopped");
  } catch (const std::exception& failure) {
    log::warning(failure.what());
  }
  run.write_manifest();
}

void Run::track(std::string name, std::function<State()> save, std::function<void(const State&)> restore) {
  Parts& run = *parts_;
  const bool plain = !name.empty() && name[0] != '.' && name.size() <= 100 && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '-' || c == '.';
  });
  if (!plain) throw Error(fmt::format("'{}' can't name a file of a checkpoint", name), "use letters, digits, '_', '-' and '.'");
  if (run.started) throw Error(fmt::format("'{}' is tracked too late", name), "call track() before the first steps()");
  for (const auto& thing : run.tracked) {
    if (thing.part.name == name) throw Error(fmt::format("'{}' is tracked twice", name));
  }
  run.tracked.push_back({{std::move(name), std::move(save)}, std::move(restore)});
}

void Run::watch(std::string name, std::function<Measurements()> measure) {
  parts_->watched.emplace_back(std::move(name), std::move(measure));
}

void Run::track(std::string name, torch::nn::Module& module) {
  const std::string label = name;
  track(
      std::move(name), [&module] { return module_state(module); },
      [&module, label](const State& state) { restore_module(module, state, label); });
  note_parameters(label, parameter_count(module));
}

void Run::note_parameters(const std::string& name, int64_t count) {
  parts_->parameters += count;
  parts_->manifest.note_parameters(name, count);
}

void Run::log(int64_t step, std::initializer_list<std::pair<const char*, Value>> values) {
  log(step, NamedValues(values.begin(), values.end()));
}

void Run::log(int64_t step, const NamedValues& values) {
  if (!parts_->finished) parts_->metrics->add(step, values);
}

bool Run::evaluation(int64_t step, const NamedValues& values, const std::string& best, bool higher_is_better) {
  Parts& run = *parts_;
  if (run.finished) return false;
  log(step, values);
  if (best.empty()) return false;
  const auto named = std::find_if(values.begin(), values.end(), [&](const auto& entry) { return entry.first == best; });
  if (named == values.end()) throw Error(fmt::format("'{}' is to choose the best checkpoint and is not among the values", best));
  const double value = named->second.number();
  const bool better = !run.best || (higher_is_better ? value > run.best->value : value < run.best->value);
  if (!better || value != value) return false;
  run.best = Parts::Best{best, value, run.in_step ? step + 1 : run.position};
  run.best_is_new = run.in_step;
  if (!run.in_step && run.saved == run.position) run.checkpoints.point_best_to(run.position);
  return true;
}

void Run::save_image(const std::string& name, const io::Image& image) {
  if (parts_->finished || parts_->follower) return;
  const fs::path path = parts_->directory.path() / "samples" / (name + ".png");
  try {
    fs::create_directories(path.parent_path());
    io::write_file(path, io::encode_png(image));
  } catch (const std::exception& failure) {
    parts_->warn_once(path.string(), failure.what());
  }
}

void Run::image(int64_t step, const std::string& name, const io::Image& image) {
  if (parts_->finished) return;
  parts_->to_tensorboard(
      [&](io::EventWriter& writer) { writer.image(name, step, image.height, image.width, image.channels, io::encode_png(image)); });
}

at::Device Run::device() const { return parts_->device; }
uint64_t Run::seed(std::string_view name) const { return derive_seed(parts_->options.seed, name); }
int64_t Run::first_step() const { return parts_->first; }
bool Run::interrupted() const { return parts_->stopped_early || (!parts_->options.group && SignalGuard::received() != 0); }
const std::shared_ptr<const dist::Group>& Run::group() const { return parts_->options.group; }
bool Run::writes() const { return !parts_->follower; }
bool Run::dry_run() const { return parts_->options.dry_run; }
bool Run::finished() const { return parts_->finished; }
const Json& Run::result() const { return parts_->result; }
const fs::path& Run::directory() const { return parts_->directory.path(); }

void Run::save_model(const std::function<void(const fs::path&)>& write) {
  Parts& run = *parts_;
  if (run.finished || run.stopped_early || run.follower) return;
  const fs::path path = directory() / "model.safetensors", partial = directory() / ".model.safetensors.partial.safetensors";
  try {
    write(partial);
    sync(partial);
    fs::rename(partial, path);
    sync(directory());
    run.model_failure.clear();
  } catch (const std::exception& failure) {
    std::error_code ignored;
    fs::remove(partial, ignored);
    run.model_failure = fmt::format("{}: {}", path.string(), failure.what());
    log::warning(fmt::format("THE MODEL COULD NOT BE WRITTEN: {}", run.model_failure));
  }
}

void Run::finish(const Json& result) {
  Parts& run = *parts_;
  if (run.finished || run.stopped_early) return;
  run.settle();
  run.result = result;
  if (run.options.dry_run || run.follower) return;
  std::vector<std::string> problems;
  if (!run.checkpoint()) problems.push_back(run.checkpoint_failure);
  if (!run.model_failure.empty()) problems.push_back(run.model_failure);
  try {
    io::write_file(directory() / "result.json", result.dump(2) + '\n');
  } catch (const std::exception& failure) {
    problems.push_back(failure.what());
  }
  run.closed = true;
  run.manifest.note_session("last_step", run.position);
  run.manifest.set_state(problems.empty() ? "done" : "failed");
  try {
    run.manifest.write();
  } catch (const std::exception& failure) {
    problems.push_back(failure.what());
  }
  if (!problems.empty()) {
    throw Error(fmt::format("the run could not be saved: {}", fmt::join(problems, "; ")),
                "make room on the disk, then continue with --resume");
  }
}

Json Run::dry_run_report() const {
  const Parts& run = *parts_;
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  return {{"parameters", run.parameters},
          {"tracked_bytes", run.tracked_bytes},
          {"peak_memory_bytes", int64_t(use.ru_maxrss) * 1024},
          {"steps", run.progress.total()},
          {"steps_per_second", run.progress.steps_per_second(run.position)},
          {"device", run.device.str()},
          {"threads", at::get_num_threads()}};
}

}  // namespace zoo::train
