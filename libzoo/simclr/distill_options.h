// Options of `zoo-simclr distill`: a network that learns another one's opinion, without labels (SimCLR v2).
#pragma once

#include <libzoo/simclr/pretrain_options.h>

#include <filesystem>
#include <optional>

namespace zoo::simclr {

struct DistillOptions : EncoderChoice, ScheduleChoice {
  std::filesystem::path teacher;
  std::filesystem::path student;
  double temperature = 0.1;
  data::ImageDatasetOptions train;
  std::optional<data::ImageDatasetOptions> test;
  data::LoaderOptions data;
  ViewOptions views;
  OptimizerOptions optimizer;
  int64_t checkpoint_every = 1000;
  DistillOptions() {
    batch_size = 4096;
    epochs = 400;
    warmup_epochs = 20;
    rate = 0.1;
    scaling = Scaling::sqrt;
    views.color_strength = 0;
    views.blur = false;
  }
};

template <class Field>
void fields(Field& field, DistillOptions& o) {
  field("teacher", o.teacher, "weights with a classifier: what finetune leaves", required(), existing_file());
  field("student", o.student, "weights that the student starts from: self-distillation; empty: `model` from scratch", existing_file());
  field("temperature", o.temperature, "by which both logits are divided: 0.1 or 1", positive());
  field("train", o.train, "pictures; their labels are not used", required());
  field("test", o.test, "labelled pictures to measure on, with the teacher's classes");
  field("data", o.data, "how pictures are read");
  field("views", o.views, "what both networks see: crops and mirrors unless told otherwise");
  fields(field, static_cast<EncoderChoice&>(o));
  fields(field, static_cast<ScheduleChoice&>(o));
  field("optimizer", o.optimizer, "LARS unless told otherwise");
  field("checkpoint_every", o.checkpoint_every, "steps between two checkpoints; 0: only at the end", non_negative());
}

}  // namespace zoo::simclr
