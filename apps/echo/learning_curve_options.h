// Options of `zoo-echo learning_curve`.
#pragma once

#include <libzoo/core/options.h>

#include <cstdint>
#include <vector>

namespace zoo::apps {

struct LearningCurveOptions {
  int64_t fresh_items = 30720;
  double longer = 1.5;
  int64_t check_every = 640;
  int64_t validation_items = 4000;
  int64_t batch_size = 64;
  int64_t shuffle_buffer = 2048;
  std::vector<double> rates = {0.01, 0.02, 0.05, 0.1};
  int64_t seeds = 3;
  double margin = 0.01;
};

template <class Field>
void fields(Field& field, LearningCurveOptions& o) {
  field("fresh_items", o.fresh_items, "that training without an echo sees", at_least(1));
  field("longer", o.longer, "times as many fresh items for the other conditions, before they count as not reaching the target",
        at_least(1));
  field("check_every", o.check_every, "fresh items between two validations", at_least(1));
  field("validation_items", o.validation_items, "without augmentation", at_least(1));
  field("batch_size", o.batch_size, "items a step", at_least(1));
  field("shuffle_buffer", o.shuffle_buffer, "slots of the echo buffer, where there is one", at_least(2));
  field("rates", o.rates, "learning rates; each condition takes its best", positive(), not_empty());
  field("seeds", o.seeds, "trainings of each condition and rate, of which the median counts", at_least(1));
  field("margin", o.margin, "the target lies this much below the best accuracy without an echo", non_negative());
}

inline void check(const LearningCurveOptions& o, Problems& problems) {
  if (o.fresh_items < o.check_every) problems.add("fresh_items", "must be at least check_every, so that there is a validation");
}

}  // namespace zoo::apps
