// Options of `zoo-offline-rl compare`.
#pragma once

#include <libzoo/core/options.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace zoo::apps {

struct LogToMake {
  std::string name;
  std::string config;
  std::vector<std::string> options = {};
};

template <class Field>
void fields(Field& field, LogToMake& o) {
  field("name", o.name, "by which runs and other logs name it", not_empty());
  field("config", o.config, "recipe or file for zoo-offline-rl log; empty: options alone");
  field("options", o.options, "key=value words; {NAME} in them is the run directory of another log");
}

enum class CompareMetric { best, last, best_of_last_two, last_five };
constexpr auto enum_names(CompareMetric) {
  return EnumNames<CompareMetric, 4>{{{CompareMetric::best, "best"},
                                      {CompareMetric::last, "last"},
                                      {CompareMetric::best_of_last_two, "best_of_last_two"},
                                      {CompareMetric::last_five, "last_five"}}};
}

struct AgentRun {
  std::string name;
  std::string log;
  std::vector<std::string> options = {};
  std::optional<double> at_least = {}, at_most = {};
  std::string beats = {};
  double by = 0;
};

template <class Field>
void fields(Field& field, AgentRun& o) {
  field("name", o.name, "in the table", not_empty());
  field("log", o.log, "name of one of `logs`; empty: the first of them, or `log`");
  field("options", o.options, "key=value words for zoo-offline-rl train");
  field("at_least", o.at_least, "the metric must reach this, with every seed");
  field("at_most", o.at_most, "the metric must not exceed this, with any seed");
  field("beats", o.beats, "name of a run that must score less, with every seed");
  field("by", o.by, "by so much");
}

struct CompareOptions {
  std::filesystem::path log;
  std::vector<LogToMake> logs;
  bool log_per_seed = false;
  std::string config;
  std::vector<std::string> options;
  std::vector<AgentRun> runs = {{"dqn", "", {"agent.kind=dqn"}},
                                {"dqn_adam", "", {"agent.kind=dqn_adam"}},
                                {"rem", "", {"agent.kind=rem"}},
                                {"qr_dqn", "", {"agent.kind=qr_dqn"}}};
  int64_t seeds = 3;
  CompareMetric metric = CompareMetric::best;
  int64_t jobs = 0;
  double confidence = 0.95;
};

template <class Field>
void fields(Field& field, CompareOptions& o) {
  field("log", o.log, "that all learn from; as zoo-offline-rl train takes it");
  field("logs", o.logs, "or: logs that are made first");
  field("log_per_seed", o.log_per_seed, "every seed has logs of its own");
  field("config", o.config, "recipe or file for zoo-offline-rl train");
  field("options", o.options, "key=value words for every run");
  field("runs", o.runs, "what is compared; the first is what the others are measured by", not_empty());
  field("seeds", o.seeds, "runs of each, with other initial weights and batches", at_least(1));
  field("metric", o.metric, "of a run's evaluations; the best of them favours what fluctuates: the table has the last ones too");
  field("jobs", o.jobs, "runs at a time, each on one thread; 0: as many as there are processors", non_negative());
  field("confidence", o.confidence, "of the bootstrap intervals", between(0.5, 0.999));
}

inline void check(const CompareOptions& o, Problems& problems) {
  if (o.log.empty() == o.logs.empty()) problems.add("log", "either log or logs must be given");
  const auto has_log = [&](const std::string& name) {
    for (const auto& log : o.logs)
      if (log.name == name) return true;
    return false;
  };
  for (size_t i = 0; i < o.runs.size(); ++i) {
    const auto& run = o.runs[i];
    if (!run.log.empty() && !has_log(run.log)) problems.add("runs", "log '" + run.log + "' is none of `logs`");
    bool known = run.beats.empty();
    for (const auto& other : o.runs) known = known || other.name == run.beats;
    if (!known) problems.add("runs", "beats '" + run.beats + "', which is no run");
    for (size_t k = 0; k < i; ++k)
      if (o.runs[k].name == run.name) problems.add("runs", "two runs are called '" + run.name + "'");
  }
}

}  // namespace zoo::apps
