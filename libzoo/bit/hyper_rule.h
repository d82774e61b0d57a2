// BiT-HyperRule: fine-tuning hyper-parameters from the size and resolution of the data alone
// (Kolesnikov et al. 2020, section 3.3; google-research/big_transfer bit_hyperrule.py, 140de6e).
//
//   auto rule = zoo::bit::hyper_rule({.num_examples = 1'000, .image_height = 32, .image_width = 32});
//   sgd.step(rule.learning_rate(step));
//
// SGD with momentum 0.9, no weight decay, all parameters, softmax cross-entropy, batches of 512. The steps do not depend on
// the batch size.
#pragma once

#include <libzoo/core/options.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace zoo::bit {

struct DatasetSize {
  int64_t num_examples;  // really used for training: classes times shots in a few-shot run
  int64_t image_height;  // pixels, of a typical original image
  int64_t image_width;
};

// When the rate drops in the short schedule: as released (steps 200, 300, 400 of 500) or as printed (30, 60, 90 %).
enum class Schedule { code, paper };
constexpr auto enum_names(Schedule) { return EnumNames<Schedule, 2>{{{Schedule::code, "code"}, {Schedule::paper, "paper"}}}; }

// Large images: 448 cropped to 384, and 512 to 480 for R152x4 (paper); 512 to 480 for every network (repo).
enum class Resolution { paper, repo };
constexpr auto enum_names(Resolution) { return EnumNames<Resolution, 2>{{{Resolution::paper, "paper"}, {Resolution::repo, "repo"}}}; }

struct HyperRuleOptions {
  Schedule schedule = Schedule::code;
  Resolution resolution = Resolution::paper;
  bool large_model = false;
  double base_rate = 0.003;
  std::optional<int64_t> steps;
  std::optional<int64_t> resize;
  std::optional<int64_t> crop;
  std::optional<double> mixup_alpha;
};

template <class Field>
void fields(Field& field, HyperRuleOptions& o) {
  field("schedule", o.schedule, "drops of the short schedule: as in the released code, or as in the paper");
  field("resolution", o.resolution, "crop of large images: 384 (480 for a large model) as in the paper, or 480 as in the released code");
  field("large_model", o.large_model, "the network is R152x4 or larger");
  field("base_rate", o.base_rate, "learning rate after warm-up; 0.003 goes with batches of 512, 0.001 with 128", positive());
  field("steps", o.steps, "optimiser steps; warm-up and drops move in proportion. Unset: by the rule", at_least(1));
  field("resize", o.resize, "pixels, square, before the crop. Unset: by the rule", between(1, 4096));
  field("crop", o.crop, "pixels, square, seen by the network. Unset: by the rule", between(1, 4096));
  field("mixup_alpha", o.mixup_alpha, "of Beta(alpha, alpha); 0: no MixUp. Unset: by the rule", non_negative());
}

struct HyperRule {
  int64_t resize;                    // pixels, square, before the crop
  int64_t crop;                      // pixels, square, seen by the network
  int64_t warmup_steps;
  std::vector<int64_t> decay_steps;  // the rate is divided by 10 after each: from step d + 1 on
  int64_t total_steps;
  double base_rate;                  // never scaled with the batch size
  double mixup_alpha;                // 0: no MixUp

  // {warmup_steps, decay_steps…, total_steps}, as bit_hyperrule.get_schedule gives them.
  std::vector<int64_t> supports() const;
  bool done(int64_t step) const { return step >= total_steps; }
  // Rate of optimiser step `step`, counted from 0; step 0 has rate 0. Throws Error unless 0 <= step < total_steps.
  double learning_rate(int64_t step) const;
};

// Throws UserError if a size or an override is not positive, or if the crop is larger than the resize.
HyperRule hyper_rule(const DatasetSize& size, const HyperRuleOptions& options = {});

}  // namespace zoo::bit
