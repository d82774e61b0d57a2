// Options of `zoo-bit detect`: RetinaNet on a pretrained network, trained on pictures with boxes. Defaults are those of the paper (Kolesnikov
// et al. 2020, section 3.4: 30 epochs of COCO at 1024 pixels, drops after 16 and 22) and of tensorflow/tpu RetinaNet where it is silent.
#pragma once

#include <libzoo/bit/detections.h>
#include <libzoo/bit/detector.h>
#include <libzoo/bit/focal_loss.h>
#include <libzoo/data/detection_options.h>
#include <libzoo/data/loader_options.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace zoo::bit {

struct DetectOptions {
  std::filesystem::path checkpoint;
  std::string model;
  data::DetectionDatasetOptions train;
  std::optional<data::DetectionDatasetOptions> test;
  data::ReadOptions data;
  int64_t resolution = 1024;
  bool flip = true;
  double least_scale = 0.8, most_scale = 1.2;
  DetectorOptions detector;
  FocalOptions focal = {.alpha = 0.25, .gamma = 2};
  double box_weight = 50;
  double huber_delta = 0.1;
  int64_t steps = 13'863;
  int64_t batch_size = 256;
  int64_t accumulation_steps = 1;
  double rate = 0.08;
  int64_t warmup_steps = 500;
  std::vector<double> stairs = {16.0 / 30, 22.0 / 30};
  double momentum = 0.9;
  double weight_decay = 1e-4;
  double clip_norm = 0;
  SelectOptions select;
  int64_t evaluate_every = 0;
  int64_t checkpoint_every = 0;
};

template <class Field>
void fields(Field& field, DetectOptions& o) {
  field("checkpoint", o.checkpoint, "weights to start from: .safetensors, .pth or BiT .npz; empty: from scratch", existing_file());
  field("model", o.model, "architecture to train from scratch, see `zoo list`; a checkpoint brings its own");
  field("train", o.train, "pictures with boxes to learn from", required());
  field("test", o.test, "pictures with boxes to measure on");
  field("data", o.data, "how pictures are read");
  field("resolution", o.resolution, "pixels, of the square that pictures are fitted into", between(32, 4096));
  field("flip", o.flip, "mirror left and right at random");
  field("least_scale", o.least_scale, "longer side of a picture in that square, drawn from here …", between(0.05, 10.0));
  field("most_scale", o.most_scale, "… to here; a part is taken of what is larger than the square", between(0.05, 10.0));
  field("detector", o.detector, "what is put on the network");
  field("focal", o.focal, "loss of the classes");
  field("box_weight", o.box_weight, "of the loss of the boxes, against that of the classes", non_negative());
  field("huber_delta", o.huber_delta, "distance from which the loss of the boxes grows in proportion", positive());
  field("steps", o.steps, "optimiser steps", at_least(1));
  field("batch_size", o.batch_size, "pictures per optimiser step", at_least(1));
  field("accumulation_steps", o.accumulation_steps, "micro-batches per step, for small memories", at_least(1), divides(o.batch_size));
  field("rate", o.rate, "learning rate after the warm-up", positive());
  field("warmup_steps", o.warmup_steps, "steps over which the rate rises from 0", non_negative());
  field("stairs", o.stairs, "fractions of the steps at which the rate drops by 10", between(0.0, 1.0));
  field("momentum", o.momentum, "of SGD", between(0.0, 1.0));
  field("weight_decay", o.weight_decay, "L2, added to the gradient of every parameter", non_negative());
  field("clip_norm", o.clip_norm, "largest global gradient norm; 0: no clipping", non_negative());
  field("select", o.select, "which detections are measured");
  field("evaluate_every", o.evaluate_every, "steps between two measurements on `test`; 0: only at the end", non_negative());
  field("checkpoint_every", o.checkpoint_every, "steps between two checkpoints; 0: only at the end", non_negative());
}

inline void check(const DetectOptions& o, Problems& problems) {
  if (o.checkpoint.empty() && o.model.empty()) problems.add("checkpoint", "must be given (or `model`, to train from scratch)");
  if (!o.checkpoint.empty() && !o.model.empty()) problems.add("model", "is told by the checkpoint: give one of the two");
  if (o.least_scale > o.most_scale) problems.add("least_scale", "must not be above most_scale");
}

}  // namespace zoo::bit
