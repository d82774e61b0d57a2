#include <libzoo/train/run_parts.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <cmath>

namespace zoo::train {
namespace {

int64_t now_ns() { return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1); }

}  // namespace

Steps Run::steps(int64_t total) {
  if (total < 0) throw Error(fmt::format("a run can't have {} steps", total));
  parts_->begin(total);
  return Steps(*this);
}

Steps::Iterator Steps::begin() {
  Run::Parts& run = *run_->parts_;
  Iterator it;
  it.run_ = run_;
  it.step_ = run.position;
  it.done_ = run.finished || run.stopped_early || run.position >= run.progress.total();
  if (!it.done_ && run.signal_anywhere()) it.done_ = !run.end_step(run.position - 1);
  if (!it.done_) run.in_step = true;
  if (it.done_) run.progress.stop();
  return it;
}

Steps::Iterator& Steps::Iterator::operator++() {
  Run::Parts& run = *run_->parts_;
  done_ = !run.end_step(step_++);
  run.in_step = !done_;
  if (done_) run.progress.stop();
  return *this;
}

DataWait::DataWait(Run& run) : run_(run), started_(now_ns()) {}
DataWait::~DataWait() { run_.parts_->progress.wait(std::chrono::nanoseconds(now_ns() - started_)); }

void Run::Parts::begin(int64_t total) {
  if (!started && !finished) {
    started = true;
    if (agreed(directory.resumed())) restore();
    first = position;
    manifest.note_session("first_step", first);
    write_manifest();
  }
  progress.start(position, total);
}

// Rank 0 chooses, since it may have to put a damaged one aside.
std::optional<Checkpoint> Run::Parts::newest_checkpoint() {
  if (!options.group) return checkpoints.newest();
  if (follower) {
    const int64_t step = options.group->from_first(0);
    return step < 0 ? std::nullopt : std::optional(Checkpoints(options.directory / "checkpoints", {}).read(step));
  }
  auto found = checkpoints.newest();
  options.group->from_first(found ? found->step : -1);
  return found;
}

void Run::Parts::restore() {
  std::optional<Checkpoint> found = newest_checkpoint();
  LineFile& lines = metrics->lines();
  if (!found) {
    lines.truncate(0);
    if (!follower) log::info(fmt::format("{} has no checkpoint yet: starting from step 0", directory.path().string()));
    return;
  }
  const std::string where = Checkpoints(options.directory / "checkpoints", {}).path(found->step).string();
  std::vector<std::string> problems;
  std::map<std::string, State> unused = found->states;
  for (const Tracked& thing : tracked) {
    if (!unused.erase(thing.part.name)) problems.push_back(fmt::format("'{}' is not in it", thing.part.name));
  }
  for (const auto& [name, state] : unused) problems.push_back(fmt::format("'{}' is in it, and the program does not track it", name));
  if (!problems.empty()) {
    throw Error(fmt::format("{} does not fit the program: {}", where, fmt::join(problems, "; ")),
                "resume with the program that started the run");
  }
  for (const Tracked& thing : tracked) {
    try {
      thing.restore(found->states.at(thing.part.name));
    } catch (const Error& failure) {
      throw Error(fmt::format("{}/{}.safetensors: {}", where, thing.part.name, failure.what()), failure.hint());
    }
  }
  const int64_t bytes = found->facts.value("metrics_bytes", int64_t(0));
  metrics->forget();  // what the program logged before the loop is in the file already
  if (follower) {
    lines.truncate(0);
  } else if (bytes > lines.size()) {
    log::warning(fmt::format("{} is shorter than it was at the checkpoint: lines are missing", lines.path().string()));
  } else {
    lines.truncate(bytes);
  }
  if (const Json saved_facts = found->facts.value("best", Json()); saved_facts.is_object()) {
    best = saved_best = Best{saved_facts.at("name"), saved_facts.at("value"), saved_facts.at("step")};
  }
  position = saved = found->step;
  if (!follower) log::info(fmt::format("resumed at step {} from {}", position, where));
}

bool Run::Parts::end_step(int64_t step) {
  position = step + 1;
  if (options.dry_run) {
    settle();
    for (const Tracked& thing : tracked) {
      for (const auto& [name, array] : thing.part.save().arrays) tracked_bytes += int64_t(array.bytes());
    }
    return false;
  }
  const bool last = position >= progress.total();
  const int signal = signal_anywhere();
  const bool stop = signal != 0;
  const bool save = last || stop || best_is_new || (options.checkpoint_every > 0 && position % options.checkpoint_every == 0);
  const bool show = progress.due(position) && position > first;
  if (position % options.log_every == 0) look_at_watched(step);
  if (save || show || position % options.log_every == 0 || !metrics->holds_tensors()) settle();
  if (save || show) to_tensorboard([](io::EventWriter& writer) { writer.flush(); });
  if (show) progress.show(position, metrics->last());
  const bool written = !save || checkpoint();
  flush_log();
  if (!stop || last) return !last;

  stopped_early = true;
  if (!written) {
    throw Error(
        fmt::format("{} at step {}, and the checkpoint could not be written: {}", SignalGuard::name(signal), position, checkpoint_failure),
        fmt::format("make room on the disk; --resume then continues from step {}", saved));
  }
  if (!follower) log::info(fmt::format("{}: saved at step {}; --resume continues from there", SignalGuard::name(signal), position));
  return false;
}

void Run::Parts::look_at_watched(int64_t step) {
  for (const auto& [name, measure] : watched) {
    const Measurements found = measure();
    NamedValues values;
    for (const auto& [what, value] : found.values) values.emplace_back(name + '/' + what, value);
    metrics->add(step, values);
    progress.note(name, found.note);
  }
}

bool Run::Parts::checkpoint() {
  if (saved == position) return true;
  if (follower) {
    saved = position;
    best_is_new = false;
    return true;
  }
  const bool marks_best = best_is_new;
  best_is_new = false;
  try {
    LineFile& lines = metrics->lines();
    if (!lines.sync()) throw NotWritten(fmt::format("{}: {}", lines.path().string(), lines.failure()));
    Json facts{{"metrics_bytes", lines.size()}, {"best", nullptr}};
    if (best) facts["best"] = {{"name", best->name}, {"value", best->value}, {"step", best->step}};
    std::vector<CheckpointPart> parts;
    for (const Tracked& thing : tracked) parts.push_back(thing.part);
    checkpoints.write(position, parts, facts, best ? std::optional(best->step) : std::nullopt);
  } catch (const NotWritten& failure) {
    best = saved_best;
    checkpoint_failure = failure.what();
    log::warning(fmt::format("THE CHECKPOINT AT STEP {} COULD NOT BE WRITTEN: {}. Training goes on; {}", position, checkpoint_failure,
                             saved > 0 ? fmt::format("the last good checkpoint is {}", checkpoints.path(saved).string())
                                       : std::string("there is no checkpoint to resume from yet")));
    return false;
  }
  saved = position;
  saved_best = best;
  checkpoint_failure.clear();
  if (marks_best) checkpoints.point_best_to(position);
  return true;
}

void Run::Parts::settle() {
  metrics->settle();
  LineFile& lines = metrics->lines();
  if (!lines.flush()) warn_once(lines.path().string(), lines.failure() + "; lines are kept and tried again");
  if (!bad_loss.empty() && options.stop_on_nan) {
    throw Error(bad_loss, "lower the learning rate, or look at the data of that step; the last checkpoint is from before it");
  }
}

void Run::Parts::settled(const MetricsLog::Row& row, const MetricsLog::Numbers& numbers) {
  for (const auto& entry : numbers) {
    const auto& [name, number] = entry;
    to_tensorboard([&](io::EventWriter& writer) { writer.scalar(entry.first, row.step, entry.second); });
    if (std::isfinite(number)) continue;
    const std::string text = fmt::format("{} is {} at step {}", name, number, row.step);
    if (!warned[name + " is finite"]) {
      warned[name + " is finite"] = true;
      log::error(text);
    }
    if (bad_loss.empty() && name.find("loss") != std::string::npos) bad_loss = text;
  }
}

}  // namespace zoo::train
