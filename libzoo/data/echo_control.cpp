#include <libzoo/core/error.h>
#include <libzoo/core/log.h>
#include <libzoo/data/echo_control.h>
#include <libzoo/data/echo_order.h>

#include <fmt/format.h>

#include <algorithm>

namespace zoo::data {
namespace {

constexpr const char* kKind = "echo control";

void check_changes(const std::vector<EchoChange>& changes) {
  for (size_t i = 0; i < changes.size(); ++i) {
    check_echo_factor(changes[i].factor);
    if (i == 0 ? changes[i].fresh != 0 : changes[i].fresh <= changes[i - 1].fresh)
      throw Error(
          fmt::format("change {} of the echo factor is at item {}: the first must be at 0, and they must rise", i, changes[i].fresh));
  }
}

double factor_at(const std::vector<EchoChange>& changes, int64_t fresh) {
  const auto after = std::upper_bound(changes.begin(), changes.end(), fresh, [](int64_t f, const EchoChange& c) { return f < c.fresh; });
  return std::prev(after)->factor;
}

}  // namespace

EchoControl::EchoControl(EchoControlOptions options)
    : options_(std::move(options)), rule_(options_.rule), factor_(rule_.factor()), changes_(options_.frozen) {
  if (options_.batch_size < 1) throw Error(fmt::format("echo control: batch_size must be at least 1, got {}", options_.batch_size));
  if (options_.window_steps < 1) throw Error(fmt::format("echo control: window_steps must be at least 1, got {}", options_.window_steps));
  check_changes(changes_);
  if (changes_.empty()) changes_.push_back({0, factor_});
}

double EchoControl::factor() const {
  std::lock_guard lock(mutex_);
  return measures() ? factor_ : factor_at(changes_, planned_);
}

std::vector<EchoChange> EchoControl::changes() const {
  std::lock_guard lock(mutex_);
  return changes_;
}

std::vector<EchoWindow> EchoControl::windows() const {
  std::lock_guard lock(mutex_);
  return windows_;
}

double EchoControl::factor_for(int64_t fresh) {
  std::lock_guard lock(mutex_);
  if (fresh < planned_ || !measures()) {
    planned_ = std::max(planned_, fresh + 1);
    return factor_at(changes_, fresh);
  }
  planned_ = fresh + 1;
  if (factor_ != changes_.back().factor) changes_.push_back({fresh, factor_});
  return factor_;
}

void EchoControl::resume(int64_t fresh, double factor) {
  std::lock_guard lock(mutex_);
  if (!measures() || fresh <= planned_) return;  // restored already, or the stream went back
  AdaptiveEcho::Memory memory = rule_.memory();
  memory.factor = factor;
  rule_.restore(memory);
  planned_ = fresh;
  factor_ = factor;
  if (factor != changes_.back().factor) changes_.push_back({fresh, factor});
}

void EchoControl::pulled(double seconds) {
  std::lock_guard lock(mutex_);
  up_sum_ += seconds;
  ++up_count_;
}

void EchoControl::step(double seconds) {
  std::lock_guard lock(mutex_);
  if (!measures()) return;
  down_sum_ += seconds;
  if (++down_count_ >= options_.window_steps && up_count_ > 0) close_window(up_sum_ / double(up_count_), down_sum_ / double(down_count_));
}

void EchoControl::measure(double upstream_seconds, double downstream_seconds) {
  std::lock_guard lock(mutex_);
  if (measures()) close_window(upstream_seconds, downstream_seconds);
}

void EchoControl::close_window(double upstream, double downstream) {
  const double before = factor_;
  factor_ = rule_.update(upstream, downstream);
  windows_.push_back({upstream, downstream, rule_.ratio(), factor_});
  up_sum_ = down_sum_ = 0;
  up_count_ = down_count_ = 0;
  if (factor_ != before)
    log::info(fmt::format("echo factor {:.4g} -> {:.4g}: a fresh batch takes {:.4g} ms, a step {:.4g} ms (ratio {:.3g})", before, factor_,
                          1e3 * rule_.memory().upstream, 1e3 * rule_.memory().downstream, rule_.ratio()));
}

State EchoControl::state() const {
  std::lock_guard lock(mutex_);
  const auto& m = rule_.memory();
  State state;
  state.values = {{"kind", kKind},
                  {"rule", {m.factor, m.ratio, m.upstream, m.downstream}},
                  {"counters", {m.direction, m.run, m.changes, planned_}},
                  {"changes", Json::array()}};
  for (const auto& change : changes_) state.values["changes"].push_back({change.fresh, change.factor});
  std::vector<double> windows;
  for (const auto& w : windows_) windows.insert(windows.end(), {w.upstream_seconds, w.downstream_seconds, w.ratio, w.factor});
  state.arrays.emplace("windows", Array::of<double>({int64_t(windows_.size()), 4}, windows));
  return state;
}

void EchoControl::restore(const State& state) {
  AdaptiveEcho::Memory memory;
  std::vector<EchoChange> changes;
  std::vector<EchoWindow> windows;
  int64_t planned = 0;
  try {
    if (state.values.at("kind") != kKind) throw Error("");
    const auto rule = state.values.at("rule").get<std::vector<double>>();
    const auto counters = state.values.at("counters").get<std::vector<int64_t>>();
    memory = {rule.at(0), rule.at(1), rule.at(2), rule.at(3), counters.at(0), counters.at(1), counters.at(2)};
    planned = counters.at(3);
    for (const auto& change : state.values.at("changes")) changes.push_back({change.at(0).get<int64_t>(), change.at(1).get<double>()});
    const auto table = state.arrays.at("windows").span<double>();
    for (size_t i = 0; i + 3 < table.size(); i += 4) windows.push_back({table[i], table[i + 1], table[i + 2], table[i + 3]});
  } catch (const std::exception&) {
    throw Error("the state is not that of an echo control", "restore from a checkpoint of a run with an adaptive echo");
  }
  check_changes(changes);
  if (changes.empty() || planned < 0) throw Error("the saved echo control has no factors, which cannot be", "the checkpoint is damaged");
  std::lock_guard lock(mutex_);
  rule_.restore(memory);
  windows_ = std::move(windows);
  if (!measures()) return;
  factor_ = memory.factor;
  planned_ = planned;
  changes_ = std::move(changes);
  up_sum_ = down_sum_ = 0;
  up_count_ = down_count_ = 0;
}

void EchoProbe::close(const std::vector<StageReport>& reports) {
  double seconds = waited_;
  worked_.resize(reports.size());
  for (size_t i = 0; i < reports.size(); ++i) {
    seconds = std::max(seconds, (reports[i].work_seconds - worked_[i]) / reports[i].threads);
    worked_[i] = reports[i].work_seconds;
  }
  control_->pulled(seconds);
  items_ = 0;
  waited_ = 0;
}

}  // namespace zoo::data
