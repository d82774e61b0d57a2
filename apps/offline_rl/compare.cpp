#include "apps/offline_rl/compare.h"
#include "apps/common/line_chart.h"
#include "apps/offline_rl/jobs.h"

#include <libzoo/core/error.h>
#include <libzoo/core/log.h>
#include <libzoo/eval/run_scores.h>
#include <libzoo/io/atomic_file.h>
#include <libzoo/offline_rl/control_log.h>
#include <libzoo/offline_rl/convert_log.h>

#include <fmt/format.h>

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <numeric>
#include <thread>

namespace zoo::apps {
namespace {

double rounded(double value) { return std::round(1000 * value) / 1000; }

int at_once(const CompareOptions& o) { return o.jobs > 0 ? int(o.jobs) : int(std::max(1u, std::thread::hardware_concurrency())); }

// The jobs of a comparison: logs, then runs × seeds.
struct Plan {
  std::vector<Job> jobs;
  std::vector<std::vector<size_t>> runs;  // [run][seed]: places in jobs
};

std::string replaced(std::string word, const std::map<std::string, size_t>& logs, const std::vector<Job>& jobs,
                     std::vector<size_t>& after) {
  for (const auto& [name, place] : logs) {
    const std::string mark = "{" + name + "}";
    const size_t at = word.find(mark);
    if (at == std::string::npos) continue;
    word.replace(at, mark.size(), jobs[place].directory.string());
    after.push_back(place);
  }
  return word;
}

Plan plan_of(const CompareOptions& o, const train::Run& run) {
  Plan plan;
  plan.runs.resize(o.runs.size());
  const auto seed_word = [&](int64_t seed) { return std::to_string(run.seed("runs") % 1'000'000 + uint64_t(seed)); };
  std::map<std::string, size_t> logs;
  for (int64_t seed = 0; seed < o.seeds; ++seed) {
    if (seed == 0 || o.log_per_seed) {
      logs.clear();
      for (const auto& log : o.logs) {
        Job job;
        job.directory = run.directory() / (o.log_per_seed ? fmt::format("log-{}-{}", log.name, seed) : "log-" + log.name);
        job.words = {"log", "--threads", "1", "--seed", seed_word(seed)};
        if (!log.config.empty()) job.words.insert(job.words.end(), {"--config", log.config});
        for (const auto& word : log.options) job.words.push_back(replaced(word, logs, plan.jobs, job.after));
        logs[log.name] = plan.jobs.size();
        plan.jobs.push_back(std::move(job));
      }
    }
    for (size_t i = 0; i < o.runs.size(); ++i) {
      Job job;
      job.directory = run.directory() / fmt::format("{}-{}", o.runs[i].name, seed);
      job.words = {"train", "--threads", "1", "--seed", seed_word(seed)};
      if (!o.config.empty()) job.words.insert(job.words.end(), {"--config", o.config});
      if (o.logs.empty()) {
        job.words.push_back("log=" + o.log.string());
      } else {
        const size_t place = logs.at(o.runs[i].log.empty() ? o.logs.front().name : o.runs[i].log);
        job.words.push_back("log=" + (plan.jobs[place].directory / "replay_logs").string());
        job.after.push_back(place);
      }
      job.words.insert(job.words.end(), o.options.begin(), o.options.end());
      job.words.insert(job.words.end(), o.runs[i].options.begin(), o.runs[i].options.end());
      plan.runs[i].push_back(plan.jobs.size());
      plan.jobs.push_back(std::move(job));
    }
  }
  return plan;
}

struct Point {
  double update, value;
};
std::vector<Point> curve_of(const Json& result) {
  std::vector<Point> points;
  if (result.contains("curve"))
    for (const Json& row : result.at("curve")) points.push_back({row.at("update").get<double>(), row.at("return").get<double>()});
  if (points.empty()) throw UserError("a run was never evaluated", "name the environment: options: [environment.name=…]");
  return points;
}

double score_of(CompareMetric metric, const std::vector<Point>& curve) {
  const auto best = [&](size_t few) {
    double value = curve.back().value;
    for (size_t i = curve.size() - std::min(few, curve.size()); i < curve.size(); ++i) value = std::max(value, curve[i].value);
    return value;
  };
  switch (metric) {
    case CompareMetric::best: return best(curve.size());
    case CompareMetric::best_of_last_two: return best(2);
    case CompareMetric::last: return best(1);
    default: {
      const size_t few = std::min<size_t>(5, curve.size());
      double sum = 0;
      for (size_t i = curve.size() - few; i < curve.size(); ++i) sum += curve[i].value;
      return sum / double(few);
    }
  }
}

double mean_of(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0) / double(values.size()); }

eval::RunScores as_scores(const std::vector<double>& values) {
  eval::RunScores scores;
  scores.runs = std::ssize(values), scores.tasks = 1;
  scores.values = values;
  return scores;
}

// CPU seconds of the children that have ended.
double children_seconds() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& time) { return double(time.tv_sec) + 1e-6 * double(time.tv_usec); };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Scores {
  std::vector<std::vector<double>> metric, last, last_five;  // [run][seed]
  std::vector<std::vector<Point>> mean_curve;                // [run]
  double log_return = 0;
  bool has_log_return = false;
};

Scores scores_of(const CompareOptions& o, const Plan& plan) {
  Scores scores;
  for (const auto& places : plan.runs) {
    std::vector<double> metric, last, five;
    std::vector<Point> mean;
    for (size_t place : places) {
      const Json result = result_of(plan.jobs[place]);
      const auto curve = curve_of(result);
      metric.push_back(score_of(o.metric, curve)), last.push_back(curve.back().value);
      five.push_back(score_of(CompareMetric::last_five, curve));
      if (mean.empty()) {
        mean = curve;
        for (auto& point : mean) point.value = 0;
      }
      for (size_t i = 0; i < std::min(mean.size(), curve.size()); ++i) mean[i].value += curve[i].value / double(places.size());
      if (result.contains("log return")) scores.log_return = result["log return"].get<double>(), scores.has_log_return = true;
    }
    scores.metric.push_back(metric), scores.last.push_back(last), scores.last_five.push_back(five), scores.mean_curve.push_back(mean);
  }
  return scores;
}

// What is not as `runs` demand.
std::vector<std::string> missed_bars(const CompareOptions& o, const Scores& scores) {
  std::vector<std::string> missed;
  for (size_t i = 0; i < o.runs.size(); ++i) {
    const auto& run = o.runs[i];
    for (size_t seed = 0; seed < scores.metric[i].size(); ++seed) {
      const double value = scores.metric[i][seed];
      const auto miss = [&](const std::string& bar) {
        missed.push_back(fmt::format("{}, seed {}: {:.3f} is not {}", run.name, seed, value, bar));
      };
      if (run.at_least && !(value >= *run.at_least)) miss(fmt::format("at least {}", *run.at_least));
      if (run.at_most && !(value <= *run.at_most)) miss(fmt::format("at most {}", *run.at_most));
      if (run.beats.empty()) continue;
      const auto other =
          size_t(std::find_if(o.runs.begin(), o.runs.end(), [&](const AgentRun& r) { return r.name == run.beats; }) - o.runs.begin());
      if (!(value >= scores.metric[other][seed] + run.by))
        miss(fmt::format("{} more than the {:.3f} of {}", run.by, scores.metric[other][seed], run.beats));
    }
  }
  return missed;
}

Json report(const CompareOptions& o, const Plan& plan, double busy, const std::filesystem::path& picture) {
  const Scores scores = scores_of(o, plan);
  Json rows = Json::array();
  Chart chart{.x = "updates", .y = "return", .lines = {}, .target = scores.log_return};
  for (size_t i = 0; i < o.runs.size(); ++i) {
    const auto& values = scores.metric[i];
    const auto interval = eval::bootstrap(as_scores(values), eval::interquartile_mean, {.replicates = 10'000, .confidence = o.confidence});
    double best_mean = scores.mean_curve[i].front().value;
    Line line{o.runs[i].name, {}};
    for (const auto& point : scores.mean_curve[i]) {
      best_mean = std::max(best_mean, point.value);
      line.points.emplace_back(point.update, point.value);
    }
    chart.lines.push_back(line);
    std::string all;
    for (double value : values) all += fmt::format("{}{:.2f}", all.empty() ? "" : " ", value);
    rows.push_back({{"agent", o.runs[i].name},
                    {"scores", all},
                    {"mean", rounded(mean_of(values))},
                    {"iqm", rounded(eval::interquartile_mean(as_scores(values)))},
                    {"low", rounded(interval.low)},
                    {"high", rounded(interval.high)},
                    {"improves on first", rounded(eval::probability_of_improvement(as_scores(values), as_scores(scores.metric[0])))},
                    {"best of mean curve", rounded(best_mean)},
                    {"last", rounded(mean_of(scores.last[i]))},
                    {"last five", rounded(mean_of(scores.last_five[i]))}});
  }
  io::write_file(picture, line_charts({chart}));
  const auto missed = missed_bars(o, scores);
  for (const auto& line : missed) log::warning("missed: " + line);
  Json result;
  if (scores.has_log_return) result["log return"] = scores.log_return;
  result["agents"] = rows;
  result["cores busy"] = rounded(busy);
  result["curves"] = picture.string();
  result["bars missed"] = missed;
  return result;
}

}  // namespace

Json compare(const CompareOptions& o, train::Run& run) {
  const Plan plan = plan_of(o, run);
  bool done = false;
  double busy = 0;
  // A comparison that a signal ends counts as not begun; its runs continue where they stopped.
  for ([[maybe_unused]] int64_t step : run.steps(1)) {
    if (run.dry_run()) break;
    if (!o.log.empty() && !offline_rl::is_control_log(o.log)) offline_rl::open_log(o.log);  // not by every run at once
    const auto start = std::chrono::steady_clock::now();
    const double before = children_seconds();
    done = run_jobs(plan.jobs, at_once(o), [&] { return run.interrupted(); });
    if (!done) break;
    const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    busy = (children_seconds() - before) / (wall * std::min<double>(at_once(o), std::max(1u, std::thread::hardware_concurrency())));
  }
  if (!done) return nullptr;
  return report(o, plan, busy, run.directory() / "curves.svg");
}

}  // namespace zoo::apps
