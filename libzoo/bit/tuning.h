// Fine-tuning as a part of something larger: of a sweep over subsets, of a benchmark of many data sets.
#pragma once

#include <libzoo/bit/hyper_rule.h>
#include <libzoo/bit/precision.h>
#include <libzoo/data/image_dataset.h>
#include <libzoo/nn/res_net_v2.h>
#include <libzoo/train/run.h>

#include <cstdint>

namespace zoo::bit {

// Trains all of `model` on a small set by the rule, on the run's device and until it wishes to stop, else away from any run. The whole set
// is one batch if it is smaller than one.
struct TuningPlan {
  HyperRule rule;
  bool flip = true;
  int64_t batch_size = 512;
  int64_t accumulation_steps = 1;
  Precision precision = Precision::f32;
  uint64_t seed = 0;
};
void fine_tune(nn::ResNetV2& model, const data::DatasetPointer& examples, const TuningPlan& plan, const train::Run& run);

}  // namespace zoo::bit
