#include "apps/echo/compare.h"
#include "apps/common/line_chart.h"
#include "apps/common/training_run.h"

#include <libzoo/core/array.h>
#include <libzoo/core/error.h>
#include <libzoo/core/log.h>
#include <libzoo/core/state.h>
#include <libzoo/io/atomic_file.h>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <thread>

namespace zoo::apps {
namespace {

constexpr const char* kFresh = "data/fresh";

// Where a run stood whenever it was measured.
struct Curve {
  std::vector<double> seconds, fresh, metric;
  bool reached = false;

  Array array() const {
    std::vector<double> values;
    for (const auto* column : {&seconds, &fresh, &metric}) values.insert(values.end(), column->begin(), column->end());
    return Array::of<double>({3, std::ssize(seconds)}, values);
  }
  Curve() = default;
  Curve(const Array& array, bool has_reached) : reached(has_reached) {
    const auto n = size_t(array.shape()[1]);
    const auto values = array.span<double>();
    seconds.assign(values.begin(), values.begin() + ptrdiff_t(n));
    fresh.assign(values.begin() + ptrdiff_t(n), values.begin() + ptrdiff_t(2 * n));
    metric.assign(values.begin() + ptrdiff_t(2 * n), values.end());
  }
};

// The time of a step and the rate that reads a batch `ratio` times slower, then the curves of the runs that are done.
struct Progress {
  double step_seconds = 0, rate = 0;
  std::vector<Curve> curves;

  State state() const {
    State state;
    state.values = {{"step_seconds", step_seconds}, {"rate", rate}, {"reached", Json::array()}};
    for (size_t i = 0; i < curves.size(); ++i) {
      state.arrays.insert_or_assign(std::to_string(i), curves[i].array());
      state.values["reached"].push_back(curves[i].reached);
    }
    return state;
  }
  void restore(const State& state) {
    step_seconds = state.values.at("step_seconds").get<double>();
    rate = state.values.at("rate").get<double>();
    curves.clear();
    for (size_t i = 0; i < state.arrays.size(); ++i)
      curves.emplace_back(state.arrays.at(std::to_string(i)), state.values.at("reached").at(i).get<bool>());
  }
};

std::vector<std::string> words_of(const CompareOptions& o, const train::Run& run) {
  std::vector<std::string> words = {o.verb, "--config", o.config, "--seed", std::to_string(run.seed("training") % 1'000'000'007)};
  words.insert(words.end(), o.options.begin(), o.options.end());
  return words;
}

double number_in(const Json& line, const char* name) { return line.at(name).get<double>(); }

void wait_a_little() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }

// A short run without a limit: seconds of a step and its fresh pictures. Nothing after a signal.
std::optional<std::pair<double, double>> time_steps(const CompareOptions& o, const train::Run& run) {
  auto words = words_of(o, run);
  words.push_back(fmt::format("steps={}", o.calibration_steps));
  TrainingRun training(o.program, words, run.directory() / "calibration");
  std::vector<Json> lines;
  for (bool ended = false; !ended; wait_a_little()) {
    ended = training.ended();
    for (Json& line : training.new_metrics()) lines.push_back(std::move(line));
    if (run.interrupted()) return std::nullopt;
  }
  std::vector<double> times;
  double fresh = 0, fresh_steps = 0;
  for (size_t i = 1; i < lines.size(); ++i) {
    if (i >= 10) times.push_back(number_in(lines[i], "time") - number_in(lines[i - 1], "time"));
    if (lines[i].contains(kFresh)) fresh = number_in(lines[i], kFresh), fresh_steps = double(i + 1);
  }
  if (times.empty() || fresh == 0)
    throw UserError(fmt::format("{} {} tells no {} in its metrics.jsonl", o.program, o.verb, kFresh),
                    "only recipes with a `data` key can be echoed");
  std::nth_element(times.begin(), times.begin() + ptrdiff_t(times.size() / 2), times.end());
  return std::pair(times[times.size() / 2], fresh / fresh_steps);
}

std::string name_of(const EchoRun& echo) { return "factor_" + echo.factor; }

// Nothing after a signal.
std::optional<Curve> train_to_target(const CompareOptions& o, const EchoRun& echo, double rate, const train::Run& run) {
  auto words = words_of(o, run);
  words.insert(words.end(), {"data.echo.factor=" + echo.factor, fmt::format("data.rate_limit={}", rate)});
  words.insert(words.end(), echo.options.begin(), echo.options.end());
  TrainingRun training(o.program, words, run.directory() / name_of(echo));
  Curve curve;
  double first = 0;
  for (bool ended = false; !ended; wait_a_little()) {
    ended = training.ended();
    for (const Json& line : training.new_metrics()) {
      const double time = number_in(line, "time");
      if (first == 0) first = time;
      if (!line.contains(o.metric) || !line.contains(kFresh)) continue;
      const double value = number_in(line, o.metric.c_str());
      curve.seconds.push_back(time - first);
      curve.fresh.push_back(number_in(line, kFresh));
      curve.metric.push_back(value);
      if (o.lower_is_better ? value <= o.target : value >= o.target) {
        curve.reached = true;
        training.stop();
        return curve;
      }
    }
    if (run.interrupted()) return std::nullopt;
  }
  if (curve.metric.empty())
    throw UserError(fmt::format("{} {} writes no metric '{}' beside {}", o.program, o.verb, o.metric, kFresh),
                    "set evaluate_every in `options` to a multiple of 10, or choose another metric");
  return curve;
}

double rounded(double value) { return std::round(1000 * value) / 1000; }

Json report(const CompareOptions& o, const Progress& progress, const std::filesystem::path& picture) {
  Json rows = Json::array();
  const Curve& plain = progress.curves.front();
  for (size_t i = 0; i < progress.curves.size(); ++i) {
    const Curve& curve = progress.curves[i];
    const bool compares = curve.reached && plain.reached;
    rows.push_back({{"factor", o.runs[i].factor},
                    {"fresh pictures", curve.reached ? Json(int64_t(curve.fresh.back())) : Json("not reached")},
                    {"seconds", curve.reached ? Json(rounded(curve.seconds.back())) : Json("not reached")},
                    {"F", compares ? Json(rounded(curve.fresh.back() / plain.fresh.back())) : Json(nullptr)},
                    {"time", compares ? Json(rounded(curve.seconds.back() / plain.seconds.back())) : Json(nullptr)},
                    {o.metric, rounded(curve.metric.back())}});
  }
  return {{"seconds per step", rounded(progress.step_seconds)},
          {"pictures per second", rounded(progress.rate)},
          {"target", o.target},
          {"runs", rows},
          {"curves", picture.string()}};
}

void draw(const CompareOptions& o, const Progress& progress, const std::filesystem::path& file) {
  Chart by_time{.x = "seconds", .y = o.metric, .lines = {}, .target = o.target};
  Chart by_fresh{.x = "fresh pictures", .y = o.metric, .lines = {}, .target = o.target};
  for (size_t i = 0; i < progress.curves.size(); ++i) {
    const Curve& curve = progress.curves[i];
    by_time.lines.push_back({"e = " + o.runs[i].factor, {}});
    by_fresh.lines.push_back({"e = " + o.runs[i].factor, {}});
    for (size_t k = 0; k < curve.metric.size(); ++k) {
      by_time.lines.back().points.emplace_back(curve.seconds[k], curve.metric[k]);
      by_fresh.lines.back().points.emplace_back(curve.fresh[k], curve.metric[k]);
    }
  }
  io::write_file(file, line_charts({by_time, by_fresh}));
}

}  // namespace

Json compare(const CompareOptions& o, train::Run& run) {
  Progress progress;
  run.track("progress", progress);
  // A run that a signal ends counts as not begun: leaving the loop writes no checkpoint, and the one before stays.
  for (int64_t step : run.steps(std::ssize(o.runs))) {
    if (run.dry_run()) break;
    if (progress.rate == 0) {
      const auto timed = time_steps(o, run);
      if (!timed) break;
      progress.step_seconds = timed->first;
      progress.rate = o.rate_limit.value_or(timed->second / (o.ratio * timed->first));
      log::info(fmt::format("a step takes {:.3g} s; {:.4g} pictures are read a second", progress.step_seconds, progress.rate));
    }
    const auto curve = train_to_target(o, o.runs[size_t(step)], progress.rate, run);
    if (!curve) break;
    progress.curves.push_back(*curve);
    run.log(step, {{"seconds", curve->seconds.back()}, {"fresh", curve->fresh.back()}, {o.metric.c_str(), curve->metric.back()}});
    log::info(fmt::format("{}: {} {:.4g} after {:.1f} s and {:.0f} fresh pictures", name_of(o.runs[size_t(step)]), o.metric,
                          curve->metric.back(), curve->seconds.back(), curve->fresh.back()));
  }
  if (progress.curves.size() < o.runs.size()) return nullptr;
  const auto picture = run.directory() / "curves.svg";
  draw(o, progress, picture);
  return report(o, progress, picture);
}

}  // namespace zoo::apps
