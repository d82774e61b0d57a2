// Options of `zoo-simclr pretrain`: an encoder from pictures without labels.
#pragma once

#include <libzoo/data/dataset_options.h>
#include <libzoo/data/loader_options.h>
#include <libzoo/simclr/memory.h>
#include <libzoo/simclr/nt_xent.h>
#include <libzoo/simclr/optimizer.h>
#include <libzoo/simclr/schedule.h>
#include <libzoo/simclr/views.h>

#include <optional>
#include <string>

namespace zoo::simclr {

struct HeadOptions {
  HeadMode mode = HeadMode::nonlinear;
  int64_t layers = 3;
  int64_t outputs = 128;
};

template <class Field>
void fields(Field& field, HeadOptions& o) {
  field("mode", o.mode, "nonlinear: `layers` dense layers with batch norm; linear: one; none");
  field("layers", o.layers, "of a nonlinear head: 2 in v1, 3 in v2", between(1, 16));
  field("outputs", o.outputs, "values that the loss compares", at_least(1));
}

struct EncoderChoice {
  std::string model = "r50_1x_sk0";
  double se_ratio = 0;
  int64_t resolution = 224;
};

template <class Field>
void fields(Field& field, EncoderChoice& o) {
  field("model", o.model, "r<depth>_<width>x_sk<0 or 1>: r18_1x_sk0, r50_2x_sk0, r152_3x_sk1 …; or small, for 32x32 pixels");
  field("se_ratio", o.se_ratio, "squeeze and excitation; 0: none", between(0.0, 1.0));
  field("resolution", o.resolution, "pixels, square, seen by the network; at 32 and less its stem keeps the size", between(8, 4096));
}

struct ScheduleChoice {
  int64_t batch_size = 512;
  double epochs = 100;
  int64_t steps = 0;
  double warmup_epochs = 10;
  double rate = 0.3;
  Scaling scaling = Scaling::linear;
};

template <class Field>
void fields(Field& field, ScheduleChoice& o) {
  field("batch_size", o.batch_size, "pictures per step, over all ranks", at_least(1));
  field("epochs", o.epochs, "passes over the pictures", non_negative());
  field("steps", o.steps, "optimiser steps instead of epochs; 0: from the epochs", non_negative());
  field("warmup_epochs", o.warmup_epochs, "of a linear warm-up; then a cosine to zero", non_negative());
  field("rate", o.rate, "base learning rate", positive());
  field("scaling", o.scaling, "linear: rate · batch / 256; sqrt: rate · √batch");
}

struct PretrainOptions : EncoderChoice, ScheduleChoice {
  HeadOptions head;
  data::ImageDatasetOptions train;
  std::optional<data::ImageDatasetOptions> test;
  data::LoaderOptions data;
  ViewOptions views;
  NtXentOptions loss;
  OptimizerOptions optimizer;
  MemoryOptions memory;
  bool probe = false;
  int64_t checkpoint_every = 1000;
};

template <class Field>
void fields(Field& field, PretrainOptions& o) {
  fields(field, static_cast<EncoderChoice&>(o));
  field("head", o.head, "the projection between the features and the loss");
  field("train", o.train, "pictures to learn from; their labels are not used", required());
  field("test", o.test, "labelled pictures on which the features are measured at the end, by probes fitted to the labels of `train`");
  field("data", o.data, "how pictures are read");
  field("views", o.views, "the two random views of a picture");
  field("loss", o.loss, "NT-Xent. Negatives are the other pictures of a step: accumulating gradients would not add to them");
  fields(field, static_cast<ScheduleChoice&>(o));
  field("optimizer", o.optimizer, "LARS unless told otherwise");
  field("memory", o.memory, "v2's: more negatives, from a moving average of the network");
  field("probe", o.probe, "train a classifier on the features beside it, without a gradient to them, to watch the progress");
  field("checkpoint_every", o.checkpoint_every, "steps between two checkpoints; 0: only at the end", non_negative());
}

inline void check(const PretrainOptions& o, Problems& problems) {
  if (o.epochs == 0 && o.steps == 0) problems.add("epochs", "either epochs or steps must be more than 0");
}

inline NetworkOptions network_options(const EncoderChoice& o, const HeadOptions& head, int64_t num_classes, uint64_t seed) {
  return {.encoder = o.model,
          .se_ratio = o.se_ratio,
          .small_stem = o.resolution <= 32,
          .head = head.mode,
          .head_layers = head.layers,
          .head_outputs = head.outputs,
          .num_classes = num_classes,
          .seed = seed};
}

inline Schedule schedule_of(const ScheduleChoice& o, int64_t num_examples) {
  return make_schedule({.num_examples = num_examples,
                        .batch_size = o.batch_size,
                        .epochs = o.epochs,
                        .warmup_epochs = o.warmup_epochs,
                        .base_rate = o.rate,
                        .scaling = o.scaling,
                        .train_steps = o.steps});
}

}  // namespace zoo::simclr
