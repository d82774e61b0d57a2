// Options of `zoo-bit fewshot` and of the same comparison in the demo: fine-tuning on a few examples per class, many draws.
#pragma once

#include <libzoo/bit/hyper_rule.h>
#include <libzoo/bit/precision.h>
#include <libzoo/bit/predict_options.h>
#include <libzoo/data/dataset_options.h>
#include <libzoo/data/loader_options.h>

#include <cstdint>
#include <filesystem>
#include <vector>

namespace zoo::bit {

struct SweepOptions {
  data::ImageDatasetOptions train;
  data::ImageDatasetOptions test;
  std::vector<int64_t> examples_per_class = {1, 5, 10, 25, 100};
  int64_t draws = 5;
  HyperRuleOptions rule;
  bool flip = true;
  int64_t batch_size = 512;
  int64_t accumulation_steps = 1;
  Precision precision = Precision::f32;
  bool baselines = false;
};

template <class Field>
void fields(Field& field, SweepOptions& o) {
  field("train", o.train, "labelled images from which the few examples are drawn", required());
  field("test", o.test, "labelled images to measure on", required());
  field("examples_per_class", o.examples_per_class, "sizes of the few-shot subsets", not_empty(), at_least(1));
  field("draws", o.draws, "subsets of each size; their median, mean and 95 % interval are shown", at_least(2));
  field("rule", o.rule, "schedule, resolution and MixUp of the fine-tuning");
  field("flip", o.flip, "mirror left and right at random; no for digits and letters");
  field("batch_size", o.batch_size, "images per fine-tuning step; a smaller subset is one batch", at_least(1));
  field("accumulation_steps", o.accumulation_steps, "micro-batches per step, for small memories", at_least(1));
  field("precision", o.precision, kPrecisionHelp);
  field("baselines", o.baselines, "compare with the same rule from scratch, and with the nearest neighbour on pixels");
}

struct FewShotOptions : SweepOptions {
  std::filesystem::path checkpoint;
};

template <class Field>
void fields(Field& field, FewShotOptions& o) {
  field("checkpoint", o.checkpoint, "weights to start from: .safetensors, .pth or BiT .npz", required(), existing_file());
  fields(field, static_cast<SweepOptions&>(o));
}

struct ProbeOptions : NetworkOptions {
  data::ImageDatasetOptions train;
  data::ImageDatasetOptions test;
  std::vector<int64_t> examples_per_class = {1, 5, 10, 25, 100};
  int64_t draws = 5;
  double l2 = 1024;
};

template <class Field>
void fields(Field& field, ProbeOptions& o) {
  fields(field, static_cast<NetworkOptions&>(o));
  field("train", o.train, "labelled images from which the few examples are drawn", required());
  field("test", o.test, "labelled images to measure on", required());
  field("examples_per_class", o.examples_per_class, "sizes of the few-shot subsets; 0: all examples", not_empty(), non_negative());
  field("draws", o.draws, "subsets of each size; their median, mean and 95 % interval are shown", at_least(2));
  field("l2", o.l2, "weight of the ridge", positive());
}

}  // namespace zoo::bit
