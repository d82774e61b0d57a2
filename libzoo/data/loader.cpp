#include <libzoo/data/loader.h>

#include <libzoo/core/json.h>
#include <libzoo/data/cached_dataset.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zoo::data {
namespace {

constexpr int64_t kWindowSteps = 20;

std::shared_ptr<EchoControl> make_control(const EchoRecipe& echo, int64_t batch_size, const BatchPart& part) {
  if (echo.automatic() && echo.schedule.empty() && part.ranks > 1)
    throw UserError("echo.factor: auto measures each rank by itself, and several must agree", "give a number");
  if (!echo.automatic() && echo.schedule.empty()) return nullptr;
  std::vector<EchoChange> frozen;
  for (const auto& [fresh, factor] : echo.schedule) frozen.push_back({fresh, factor});
  return std::make_shared<EchoControl>(
      EchoControlOptions{.rule = {.max_factor = echo.max_factor}, .batch_size = batch_size, .frozen = std::move(frozen)});
}

// `control`, if there is one, gives the factor.
ImageBatchOptions image_batch_options(const LoaderOptions& o, const LoaderPlan& plan, std::shared_ptr<EchoControl> control) {
  const bool whole_batches = o.echo.at == EchoPlacement::batch;
  const double factor = control ? o.echo.max_factor : o.echo.number();
  ImageBatchOptions result{.batch_size = plan.batch_size,
                           .drop_last = plan.drop_last,
                           .replacement = plan.replacement,
                           .seed = plan.seed,
                           .shard = plan.shard,
                           .part = plan.part,
                           .workers = int(o.workers),
                           .prefetch = o.prefetch,
                           .bad_items = {o.on_bad_item, o.max_bad_items},
                           .rate_limit = o.rate_limit};
  if (!o.echo.active()) return result;
  const int64_t mixed_batches = int64_t(std::ceil(16 * factor));
  result.echo = {.factor = o.echo.number(),
                 .shuffle_buffer = o.echo.shuffle_buffer.value_or(whole_batches ? mixed_batches : mixed_batches * plan.batch_size),
                 .min_lag = o.echo.min_lag,
                 .seed = plan.seed,
                 .control = std::move(control)};
  result.echo_at = o.echo.at;
  return result;
}

DatasetCacheOptions cache_options(const CacheRecipe& o) {
  return {.max_bytes = o.memory_mb << 20, .decoded = o.decoded, .directory = o.directory};
}

}  // namespace

Loader::Loader(DatasetPointer dataset, ImageTransform transform, const LoaderOptions& options, const LoaderPlan& plan)
    : control_(make_control(options.echo, plan.batch_size, plan.part)),
      factor_(options.echo.number()),
      placement_(options.echo.at),
      batch_size_(plan.batch_size),
      stream_(image_batches(cached(std::move(dataset), cache_options(options.cache)), std::move(transform),
                            image_batch_options(options, plan, control_))) {}

std::optional<ImageBatch> Loader::next() {
  const auto asked = Meter::Clock::now();
  if (handed_over_) {
    outside_seconds_ += std::chrono::duration<double>(asked - *handed_over_).count();
    if (++steps_ == kWindowSteps) measure();
  }
  std::optional<ImageBatch> batch = stream_.next();
  if (batch) fresh_ += batch->fresh;
  const auto now = Meter::Clock::now();
  waited_seconds_ += std::chrono::duration<double>(now - asked).count();
  if (control_ && control_->measures()) handed_over_ = now;
  return batch;
}

std::vector<std::pair<std::string, double>> Loader::measurements() {
  const auto now = Meter::Clock::now();
  const double seconds = std::chrono::duration<double>(now - asked_).count();
  std::vector<StageReport> reports = stream_.reports();
  std::vector<std::pair<std::string, double>> values;
  for (size_t i = 0; i < reports.size(); ++i) {
    const StageReport& report = reports[i];
    const bool begun = i < reported_.size();
    const double rate = double(report.items - (begun ? reported_[i].items : 0)) / seconds;
    values.emplace_back(report.name + "_per_second", rate);
    if (report.capacity > 0) values.emplace_back(report.name + "_held", report.occupancy);
    if (report.name == kReadStage) note_ = fmt::format("reads {:.3g}/s", rate);
  }
  values.emplace_back("fresh", double(fresh_));
  values.emplace_back("wait_share", std::min(1.0, waited_seconds_ / seconds));
  if (control_ || factor_ != 1) {
    values.emplace_back("echo_factor", echo_factor());
    note_ += fmt::format("  echo {:.3g}", echo_factor());
  }
  asked_ = now;
  waited_seconds_ = 0;
  reported_ = std::move(reports);
  return values;
}

// A fresh batch takes as long as its pictures keep the threads busy; what is done anew for each copy belongs to the step.
void Loader::measure() {
  std::vector<StageReport> now = stream_.reports();
  if (window_start_.size() == now.size()) {
    double upstream = 0, per_copy = 0;
    int64_t fresh = 0;
    for (size_t i = 0; i < now.size(); ++i) {
      const double seconds = (now[i].work_seconds - window_start_[i].work_seconds) / now[i].threads;
      const bool reads = now[i].name == kReadStage;
      if (reads) fresh = now[i].items - window_start_[i].items;
      (reads || placement_ != EchoPlacement::before_augment ? upstream : per_copy) += seconds;
    }
    const double fresh_batches = double(fresh) / double(batch_size_);
    control_->measure(upstream / fresh_batches, std::max(outside_seconds_, per_copy) / double(steps_));
  }
  window_start_ = std::move(now);
  outside_seconds_ = 0;
  steps_ = 0;
}

State Loader::state() const {
  State state = stream_.state();  // which has no arrays
  state.values["fresh"] = fresh_;
  if (control_) {
    State echo = control_->state();
    state.values["echo"] = std::move(echo.values);
    state.arrays = std::move(echo.arrays);
  }
  return state;
}

void Loader::restore(const State& state) {
  const State present = stream_.state();
  stream_.restore(state);
  if (control_) {
    try {
      control_->restore({state.arrays, state.values.value("echo", Json())});
    } catch (...) {
      stream_.restore(present);
      throw;
    }
  }
  fresh_ = state.values.value("fresh", int64_t(0));
  handed_over_.reset();
  window_start_.clear();
  outside_seconds_ = 0;
  steps_ = 0;
}

Json Loader::echo_summary() const {
  if (!control_) return nullptr;
  Json schedule = Json::array();
  for (const auto& [fresh, factor] : echo_changes()) schedule.push_back({{"fresh", fresh}, {"factor", factor}});
  return {{"factor", echo_factor()}, {"schedule", schedule}};
}

std::vector<EchoChange> Loader::echo_changes() const { return control_ ? control_->changes() : std::vector<EchoChange>{{0, factor_}}; }

}  // namespace zoo::data
