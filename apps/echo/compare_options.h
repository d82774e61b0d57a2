// Options of `zoo-echo compare`.
#pragma once

#include <libzoo/core/options.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace zoo::apps {

struct EchoRun {
  std::string factor = "1";
  std::vector<std::string> options = {};
};

template <class Field>
void fields(Field& field, EchoRun& o) {
  field("factor", o.factor, "data.echo.factor of this run: a number, or auto");
  field("options", o.options, "further key=value words for this run, as its own learning rate");
}

struct CompareOptions {
  std::string program = "zoo-bit";
  std::string verb = "pretrain";
  std::string config;
  std::vector<std::string> options;
  std::vector<EchoRun> runs = {{"1"}, {"4"}};
  double ratio = 4;
  std::optional<double> rate_limit;
  int64_t calibration_steps = 60;
  std::string metric = "top1";
  double target = 0.5;
  bool lower_is_better = false;
};

template <class Field>
void fields(Field& field, CompareOptions& o) {
  field("program", o.program, "that trains");
  field("verb", o.verb, "of the program");
  field("config", o.config, "its recipe or YAML file", required());
  field("options", o.options, "key=value words for every run; evaluate_every, a multiple of 10, belongs to them");
  field("runs", o.runs, "what to compare; the first is what the others are measured by", not_empty());
  field("ratio", o.ratio, "R: how many times slower a batch is read than a step is taken; sets the rate limit", positive());
  field("rate_limit", o.rate_limit, "pictures per second, in place of ratio", positive());
  field("calibration_steps", o.calibration_steps, "steps without a limit, by which the time of a step is measured", at_least(20));
  field("metric", o.metric, "of metrics.jsonl that tells how good the network is");
  field("target", o.target, "value of the metric that ends a run");
  field("lower_is_better", o.lower_is_better, "the metric is a loss");
}

}  // namespace zoo::apps
