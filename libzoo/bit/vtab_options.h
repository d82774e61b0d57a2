// Options of `zoo-bit vtab`: the 19 data sets of the benchmark, or those of them that are at hand.
#pragma once

#include <libzoo/bit/hyper_rule.h>
#include <libzoo/bit/precision.h>
#include <libzoo/data/dataset_options.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace zoo::bit {

struct VtabSet {
  data::ImageDatasetOptions train;
  std::optional<data::ImageDatasetOptions> val;
  data::ImageDatasetOptions test;
  std::optional<bool> augment;
};

template <class Field>
void fields(Field& field, VtabSet& o) {
  field("train", o.train, "its training part, in the order of its source", required());
  field("val", o.val, "its validation part; the last tenth of `train`, 200 examples at least, unless set");
  field("test", o.test, "its test part, all of it", required());
  field("augment", o.augment, "random crops and mirrors; unset: not for structured tasks, whose labels they would change");
}

struct VtabOptions {
  std::filesystem::path checkpoint;
  std::map<std::string, VtabSet> tasks;
  HyperRuleOptions rule;
  int64_t batch_size = 512;
  int64_t accumulation_steps = 1;
  Precision precision = Precision::f32;
  int64_t workers = 1;
};

template <class Field>
void fields(Field& field, VtabOptions& o) {
  field("checkpoint", o.checkpoint, "weights to start from: .safetensors, .pth or BiT .npz", required(), existing_file());
  field("tasks", o.tasks, "data sets by the benchmark's names: caltech101, cifar100, dtd, …", not_empty());
  field("rule", o.rule, "schedule, resolution and MixUp of the fine-tuning, the same for all tasks");
  field("batch_size", o.batch_size, "images per fine-tuning step", at_least(1));
  field("accumulation_steps", o.accumulation_steps, "micro-batches per step, for small memories", at_least(1), divides(o.batch_size));
  field("precision", o.precision, kPrecisionHelp);
  field("workers", o.workers, "threads that decode the test pictures", between(0, 256));
}

void check(const VtabOptions& o, Problems& problems);  // the names of the tasks

}  // namespace zoo::bit
