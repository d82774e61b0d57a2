// Options of `zoo-bit demo`: pre-train once, then fine-tune on a few examples per class, many times.
#pragma once

#include <libzoo/bit/finetune_options.h>
#include <libzoo/bit/pretrain_options.h>

#include <vector>

namespace zoo::bit {

struct DemoOptions {
  PretrainOptions pretrain;
  data::ImageDatasetOptions train;
  data::ImageDatasetOptions test;
  std::vector<int64_t> examples_per_class = {1, 5, 10};
  int64_t draws = 10;
  HyperRuleOptions rule;
  int64_t batch_size = 64;
};

template <class Field>
void fields(Field& field, DemoOptions& o) {
  field("pretrain", o.pretrain, "the network that is transferred");
  field("train", o.train, "labelled images from which the few examples are drawn", required());
  field("test", o.test, "labelled images to measure on", required());
  field("examples_per_class", o.examples_per_class, "sizes of the few-shot subsets", not_empty(), at_least(1));
  field("draws", o.draws, "subsets of each size; their mean and 95 % interval are shown", at_least(2));
  field("rule", o.rule, "schedule, resolution and MixUp of the fine-tuning");
  field("batch_size", o.batch_size, "images per fine-tuning step", at_least(1));
}

}  // namespace zoo::bit
