// Options of `zoo-bit finetune`: pretrained weights, a labelled image set, BiT-HyperRule.
#pragma once

#include <libzoo/bit/hyper_rule.h>
#include <libzoo/bit/label_loss.h>
#include <libzoo/bit/precision.h>
#include <libzoo/data/loader_options.h>
#include <libzoo/data/dataset_options.h>

#include <filesystem>
#include <optional>
#include <string>

namespace zoo::bit {

struct FinetuneOptions {
  std::filesystem::path checkpoint;
  std::string model;
  data::ImageDatasetOptions train;
  std::optional<data::ImageDatasetOptions> test;
  std::optional<int64_t> examples_per_class;
  HyperRuleOptions rule;
  std::optional<LabelLoss> loss;
  bool flip = true;
  int64_t batch_size = 512;
  int64_t accumulation_steps = 1;
  Precision precision = Precision::f32;
  bool checkpoint_activations = false;
  data::LoaderOptions data;
  int64_t evaluate_every = 0;
  int64_t checkpoint_every = 0;
};

template <class Field>
void fields(Field& field, FinetuneOptions& o) {
  field("checkpoint", o.checkpoint, "weights to start from: .safetensors, .pth or BiT .npz; empty: from scratch", existing_file());
  field("model", o.model, "architecture to train from scratch, see `zoo list`; a checkpoint brings its own");
  field("train", o.train, "labelled images to fine-tune on", required());
  field("test", o.test, "labelled images to measure on");
  field("examples_per_class", o.examples_per_class, "draw a few-shot subset of this size", at_least(1));
  field("rule", o.rule, "schedule, resolution and MixUp; chosen from the data's size unless set");
  field("loss", o.loss, "softmax: one class is right; sigmoid: a yes or no for each. Unset: sigmoid where pictures have several labels");
  field("flip", o.flip, "mirror left and right at random; no for digits and letters");
  field("batch_size", o.batch_size, "images per optimiser step", at_least(1));
  field("accumulation_steps", o.accumulation_steps, "micro-batches per step, for small memories", at_least(1), divides(o.batch_size));
  field("precision", o.precision, kPrecisionHelp);
  field("checkpoint_activations", o.checkpoint_activations, kCheckpointHelp);
  field("data", o.data, "how images are read");
  field("evaluate_every", o.evaluate_every, "steps between two measurements on `test`; 0: only at the end", non_negative());
  field("checkpoint_every", o.checkpoint_every, "steps between two checkpoints; 0: only at the end", non_negative());
}

inline void check(const FinetuneOptions& o, Problems& problems) {
  if (o.checkpoint.empty() && o.model.empty()) problems.add("checkpoint", "must be given (or `model`, to train from scratch)");
  if (!o.checkpoint.empty() && !o.model.empty()) problems.add("model", "is told by the checkpoint: give one of the two");
}

}  // namespace zoo::bit
