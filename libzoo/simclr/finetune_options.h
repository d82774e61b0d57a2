// Options of `zoo-simclr finetune`: all of a pre-trained network, or what lies behind a block, on labelled pictures. Without a
// checkpoint: the supervised baseline.
#pragma once

#include <libzoo/simclr/pretrain_options.h>

#include <filesystem>
#include <optional>

namespace zoo::simclr {

// What random views a classifier is trained on: crops and mirrors, or all that pre-training does.
enum class LabelledViews { crops, full };
constexpr auto enum_names(LabelledViews) {
  return EnumNames<LabelledViews, 2>{{{LabelledViews::crops, "crops"}, {LabelledViews::full, "full"}}};
}

struct FinetuneOptions : EncoderChoice, ScheduleChoice {
  std::filesystem::path checkpoint;
  int64_t selector = 0;
  bool freeze_projection = false;
  int64_t freeze_after = -1;
  double percent = 100;
  std::filesystem::path list;
  data::ImageDatasetOptions train;
  std::optional<data::ImageDatasetOptions> test;
  data::LoaderOptions data;
  LabelledViews augment = LabelledViews::crops;
  ViewOptions views;
  OptimizerOptions optimizer = {.weight_decay = 0};
  double head_decay = 0;
  int64_t evaluate_every = 0;
  int64_t checkpoint_every = 1000;
  FinetuneOptions() {
    batch_size = 1024;
    epochs = 60;
    warmup_epochs = 0;
    rate = 0.005;
    scaling = Scaling::sqrt;
  }
};

template <class Field>
void fields(Field& field, FinetuneOptions& o) {
  field("checkpoint", o.checkpoint, "weights to start from: .safetensors, .pth, .npz or a TensorFlow .index; empty: from scratch",
        existing_file());
  field("selector", o.selector, "layers of the projection head that stay below the classifier: 0 none; 1 in v2's with few labels",
        non_negative());
  field("freeze_projection", o.freeze_projection, "leave those layers as they are, as the released code does");
  field("freeze_after", o.freeze_after, "train what lies behind: -1 everything; 0 the stem; 1 to 3 that block group; 4 the encoder",
        between(-1, 4));
  field("percent", o.percent, "of the training pictures, as many of each class as its share, drawn by the seed", between(0.0001, 100.0));
  field("list", o.list, "file with the names of the training pictures to use, one a line, as the published 1 % and 10 % of ImageNet",
        existing_file());
  field("train", o.train, "labelled pictures to train on", required());
  field("test", o.test, "labelled pictures to measure on");
  field("data", o.data, "how pictures are read");
  field("augment", o.augment, "crops: random crops and mirrors; full: also the colours and the blur of `views`");
  field("views", o.views, "of `augment`");
  fields(field, static_cast<EncoderChoice&>(o));
  fields(field, static_cast<ScheduleChoice&>(o));
  field("optimizer", o.optimizer, "LARS unless told otherwise");
  field("head_decay", o.head_decay, "half of this times the square of the classifier's kernel is added to the loss", non_negative());
  field("evaluate_every", o.evaluate_every, "steps between two measurements on `test`; 0: only at the end", non_negative());
  field("checkpoint_every", o.checkpoint_every, "steps between two checkpoints; 0: only at the end", non_negative());
}

inline void check(const FinetuneOptions& o, Problems& problems) {
  if (!o.list.empty() && o.percent != 100) problems.add("list", "and percent exclude each other");
  if (o.checkpoint.empty() && o.freeze_after >= 0) problems.add("freeze_after", "needs a checkpoint: nothing is learnt yet");
}

}  // namespace zoo::simclr
