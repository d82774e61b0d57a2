#include "apps/echo/learning_curve.h"
#include "apps/common/print.h"
#include "apps/echo/teacher_task.h"

#include <libzoo/core/array.h>
#include <libzoo/core/error.h>
#include <libzoo/core/log.h>
#include <libzoo/core/state.h>
#include <libzoo/train/side_by_side.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <future>
#include <limits>

namespace zoo::apps {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

// Median accuracies [rates, checks] of the conditions that are done, by name.
struct Curves {
  Arrays medians;
  State state() const { return {medians}; }
  void restore(const State& state) { medians = state.arrays; }

  std::span<const double> of(const EchoCondition& condition, size_t rate) const {
    const Array& all = medians.at(condition.name());
    const auto checks = size_t(all.shape()[1]);
    return all.span<double>().subspan(rate * checks, checks);
  }
};

std::vector<EchoCondition> conditions(const LearningCurveOptions& o) {
  const int64_t shuffled = o.shuffle_buffer;
  return {{Placement::before, shuffled, 1}, {Placement::before, shuffled, 2}, {Placement::before, shuffled, 4},
          {Placement::before, shuffled, 8}, {Placement::before, 0, 4},        {Placement::after, shuffled, 4},
          {Placement::batch, 0, 2},         {Placement::batch, 0, 4}};
}

struct Outcome {
  EchoCondition condition;
  double fresh = kNever;  // items to the target with the best rate
  double rate = 0;
  double best = 0;        // accuracy
};

Outcome outcome(const Curves& curves, const EchoCondition& condition, double target, const LearningCurveOptions& o) {
  Outcome result{condition};
  for (size_t rate = 0; rate < o.rates.size(); ++rate) {
    const auto curve = curves.of(condition, rate);
    const double best = *std::max_element(curve.begin(), curve.end());
    const auto reached = std::find_if(curve.begin(), curve.end(), [&](double accuracy) { return accuracy >= target; });
    const double fresh = reached == curve.end() ? kNever : double((reached - curve.begin() + 1) * o.check_every);
    if (fresh < result.fresh || (fresh == kNever && result.fresh == kNever && best > result.best))
      result.fresh = fresh, result.rate = o.rates[rate];
    result.best = std::max(result.best, best);
  }
  return result;
}

struct Bar {
  std::string what;
  double value, limit;
  bool at_least;
  bool passes() const { return at_least ? value >= limit : value <= limit; }
};

Json number(double value) { return std::isfinite(value) ? Json(std::round(1000 * value) / 1000) : Json(nullptr); }

Json report(const Curves& curves, const LearningCurveOptions& o) {
  const auto all = conditions(o);
  double target = -o.margin;
  for (size_t rate = 0; rate < o.rates.size(); ++rate) {
    const auto curve = curves.of(all[0], rate);
    target = std::max(target, *std::max_element(curve.begin(), curve.end()) - o.margin);
  }
  Json rows = Json::array();
  std::vector<double> needed;  // F
  double without = 0;
  for (const auto& condition : all) {
    const Outcome found = outcome(curves, condition, target, o);
    if (rows.empty()) without = found.fresh;
    needed.push_back(found.fresh / without);
    rows.push_back({{"condition", condition.name()},
                    {"F", number(needed.back())},
                    {"fresh items", std::isfinite(found.fresh) ? Json(int64_t(found.fresh)) : Json("not reached")},
                    {"learning rate", found.rate},
                    {"best accuracy", number(found.best)}});
  }
  const double before2 = needed[1], before4 = needed[2], before8 = needed[3], after4 = needed[5], batch4 = needed[7];
  const std::vector<Bar> bars = {{"before, e = 2", before2, 0.80, false},
                                 {"before, e = 4", before4, 0.60, false},
                                 {"before, e = 8, minus e = 4", before8 - before4, -0.10, true},
                                 {"batch, e = 4", batch4, 0.75, true},
                                 {"batch minus before, e = 4", batch4 - before4, 0.15, true},
                                 {"before minus after, e = 4", before4 - after4, 0.05, false}};
  Json judged = Json::array();
  for (const Bar& bar : bars)
    judged.push_back({{"bar", bar.what},
                      {"F", number(bar.value)},
                      {"limit", fmt::format("{} {}", bar.at_least ? ">=" : "<=", bar.limit)},
                      {"passes", bar.passes()}});
  return {{"target accuracy", number(target)}, {"conditions", rows}, {"bars", judged}};
}

}  // namespace

Json learning_curve(const LearningCurveOptions& o, train::Run& run) {
  const auto all = conditions(o);
  const TeacherTask task(run.seed("teacher"));
  const Samples validation = task.draw(o.validation_items, run.seed("validation"));
  const auto longer = int64_t(o.longer * double(o.fresh_items));
  std::vector<std::shared_ptr<const Samples>> samples;
  for (int64_t seed = 0; seed < o.seeds; ++seed)
    samples.push_back(std::make_shared<const Samples>(task.draw(longer, run.seed(fmt::format("samples {}", seed)))));

  Curves curves;
  run.track("curves", curves);
  train::SideBySide pool(at::kCPU);
  for (int64_t step : run.steps(std::ssize(all))) {
    const EchoCondition& condition = all[size_t(step)];
    const int64_t items = step == 0 ? o.fresh_items : longer, checks = items / o.check_every;
    std::vector<std::future<std::vector<double>>> trainings;
    for (double rate : o.rates)
      for (int64_t seed = 0; seed < o.seeds; ++seed)
        trainings.push_back(pool.submit([&, rate, seed] {
          const auto& all_samples = *samples[size_t(seed)];
          const auto part =
              std::make_shared<const Samples>(Samples{all_samples.inputs.slice(0, 0, items), all_samples.labels.slice(0, 0, items)});
          return accuracy_curve(
              part, validation, condition,
              {.batch_size = o.batch_size, .check_every = o.check_every, .rate = rate, .seed = run.seed(fmt::format("training {}", seed))});
        }));
    std::vector<double> medians;
    for (size_t rate = 0; rate < o.rates.size(); ++rate) {
      std::vector<std::vector<double>> of_seeds;
      for (int64_t seed = 0; seed < o.seeds; ++seed) of_seeds.push_back(trainings[rate * size_t(o.seeds) + size_t(seed)].get());
      for (size_t check = 0; check < size_t(checks); ++check) {
        std::vector<double> accuracies;
        for (const auto& curve : of_seeds) accuracies.push_back(check < curve.size() ? curve[check] : 0);
        medians.push_back(median(accuracies));
      }
    }
    const double best = *std::max_element(medians.begin(), medians.end());
    curves.medians.insert_or_assign(condition.name(), Array::of<double>({std::ssize(o.rates), checks}, medians));
    run.log(step, {{"best accuracy", best}});
    log::info(fmt::format("{}: best median accuracy {:.3f}", condition.name(), best));
  }
  if (run.interrupted() || run.dry_run()) return nullptr;

  const Json result = report(curves, o);
  std::vector<std::string> failed;
  for (const auto& bar : result.at("bars"))
    if (!bar.at("passes").get<bool>())
      failed.push_back(
          fmt::format("{} is {}, not {}", bar.at("bar").get<std::string>(), bar.at("F").dump(), bar.at("limit").get<std::string>()));
  if (failed.empty()) return result;
  run.finish(result);
  std::fputs(readable(result).c_str(), stdout);
  throw Error(fmt::format("echoing did not do what it should: {}", fmt::join(failed, "; ")),
              "with few items, rates or seeds this is chance; the defaults pass");
}

}  // namespace zoo::apps
