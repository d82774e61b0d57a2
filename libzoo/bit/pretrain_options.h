// Options of `zoo-bit pretrain`: a network from scratch on labelled images (spec of the paper's upstream training:
// SGD with momentum, linear warm-up, then a cosine or steps; Kolesnikov et al. 2020, section 3.2).
#pragma once

#include <libzoo/bit/label_loss.h>
#include <libzoo/bit/precision.h>
#include <libzoo/data/loader_options.h>
#include <libzoo/data/dataset_options.h>

#include <optional>
#include <string>
#include <vector>

namespace zoo::bit {

enum class Decay { cosine, stairs };
constexpr auto enum_names(Decay) { return EnumNames<Decay, 2>{{{Decay::cosine, "cosine"}, {Decay::stairs, "stairs"}}}; }

enum class Augment { none, inception, random_resized, padded };
constexpr auto enum_names(Augment) {
  return EnumNames<Augment, 4>{{{Augment::none, "none"},
                                {Augment::inception, "inception"},
                                {Augment::random_resized, "random_resized"},
                                {Augment::padded, "padded"}}};
}

enum class OptimizerKind { sgd, adam };
constexpr auto enum_names(OptimizerKind) {
  return EnumNames<OptimizerKind, 2>{{{OptimizerKind::sgd, "sgd"}, {OptimizerKind::adam, "adam"}}};
}

enum class WeightDecay { l2, decoupled };
constexpr auto enum_names(WeightDecay) {
  return EnumNames<WeightDecay, 2>{{{WeightDecay::l2, "l2"}, {WeightDecay::decoupled, "decoupled"}}};
}

struct PretrainOptions {
  std::string model = "resnetv2_50x1_bit";
  data::ImageDatasetOptions train;
  std::optional<data::ImageDatasetOptions> test;
  data::LoaderOptions data;
  Augment augment = Augment::inception;
  bool flip = true;
  int64_t resolution = 224;
  int64_t steps = 100'000;
  int64_t batch_size = 256;
  int64_t accumulation_steps = 1;
  Precision precision = Precision::f32;
  bool checkpoint_activations = false;
  double rate = 0.03;
  int64_t warmup_steps = 5000;
  Decay decay = Decay::cosine;
  std::vector<double> stairs = {1.0 / 3, 2.0 / 3, 8.0 / 9};
  OptimizerKind optimizer = OptimizerKind::sgd;
  double momentum = 0.9;
  bool bf16_moment = false;
  LabelLoss loss = LabelLoss::softmax;
  double head_bias = 0;
  double weight_decay = 1e-4;
  WeightDecay weight_decay_kind = WeightDecay::l2;
  double average = 0;
  double clip_norm = 0;
  int64_t evaluate_every = 0;
  int64_t checkpoint_every = 1000;
};

template <class Field>
void fields(Field& field, PretrainOptions& o) {
  field("model", o.model, "architecture, see `zoo list`");
  field("train", o.train, "labelled images to train on", required());
  field("test", o.test, "labelled images to measure on");
  field("data", o.data, "how images are read");
  field("augment", o.augment,
        "inception: random crops of 5 to 100 % of the area, aspect 3:4 to 4:3; random_resized: torchvision's, 8 to 100 %; padded: the "
        "picture shifted by up to 4 pixels (CIFAR); none");
  field("flip", o.flip, "mirror left and right at random");
  field("resolution", o.resolution, "pixels, square, seen by the network", between(1, 4096));
  field("steps", o.steps, "optimiser steps", at_least(1));
  field("batch_size", o.batch_size, "images per optimiser step", at_least(1));
  field("accumulation_steps", o.accumulation_steps, "micro-batches per step, for small memories", at_least(1), divides(o.batch_size));
  field("precision", o.precision, kPrecisionHelp);
  field("checkpoint_activations", o.checkpoint_activations, kCheckpointHelp);
  field("rate", o.rate, "peak learning rate at this batch size; the paper takes 0.03 for each 256 images", positive());
  field("warmup_steps", o.warmup_steps, "steps of linear warm-up", non_negative());
  field("decay", o.decay, "after the warm-up: cosine to zero, or divided by 10 at each of `stairs`");
  field("stairs", o.stairs, "fractions of the steps at which the rate drops");
  field("optimizer", o.optimizer, "sgd: with momentum; adam: betas 0.9 and 0.999, eps 1e-8");
  field("momentum", o.momentum, "of SGD", between(0.0, 1.0));
  field("bf16_moment", o.bf16_moment, "Adam keeps its first moment in bfloat16, a quarter less memory than without");
  field("loss", o.loss, "softmax: one class is right; sigmoid: a yes or no for each class, summed (ImageNet-21k, several labels)");
  field("head_bias", o.head_bias, "where the biases of the head start; -10 goes with sigmoid and many classes", between(-100.0, 100.0));
  field("weight_decay", o.weight_decay, "strength, see weight_decay_kind", non_negative());
  field("weight_decay_kind", o.weight_decay_kind,
        "l2: added to the gradient of every parameter; decoupled: kernels shrink by it at each step, times rate / peak rate");
  field("average", o.average, "decay of a moving average of the weights, which is then measured and saved; 0: none", between(0.0, 0.99999));
  field("clip_norm", o.clip_norm, "largest global gradient norm; 0: no clipping", non_negative());
  field("evaluate_every", o.evaluate_every, "steps between two measurements on `test`; 0: only at the end", non_negative());
  field("checkpoint_every", o.checkpoint_every, "steps between two checkpoints; 0: only at the end", non_negative());
}

}  // namespace zoo::bit
