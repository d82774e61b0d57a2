// Options of the verbs that ask what a checkpoint's features are worth.
#pragma once

#include <libzoo/data/dataset_options.h>
#include <libzoo/data/loader_options.h>
#include <libzoo/simclr/feature_probes.h>
#include <libzoo/simclr/schedule.h>

#include <filesystem>
#include <optional>
#include <vector>

namespace zoo::simclr {

// A finished encoder, and how pictures are shown to it.
struct EncoderOptions {
  std::filesystem::path checkpoint;
  std::optional<int64_t> resolution;
  data::ReadOptions data;
};

template <class Field>
void fields(Field& field, EncoderOptions& o) {
  field("checkpoint", o.checkpoint, "weights: .safetensors, .pth, .npz, or the .index of a TensorFlow checkpoint", required(),
        existing_file());
  field("resolution", o.resolution, "pixels, square, seen by the network; the checkpoint's own unless set", between(8, 4096));
  field("data", o.data, "how pictures are read");
}

struct LabelledSets {
  data::ImageDatasetOptions train;
  data::ImageDatasetOptions test;
};

template <class Field>
void fields(Field& field, LabelledSets& o) {
  field("train", o.train, "labelled pictures to fit to", required());
  field("test", o.test, "labelled pictures to measure on", required());
}

struct LinearEvalOptions : EncoderOptions, LabelledSets {
  int64_t copies = 0;
  int64_t batch_size = 512;
  double epochs = 90;
  std::vector<double> rates = {0.05, 0.1, 0.2, 0.4, 0.8};
  Scaling scaling = Scaling::linear;
  double momentum = 0.9;
  double weight_decay = 0;
  std::optional<double> logistic;
};

template <class Field>
void fields(Field& field, LinearEvalOptions& o) {
  fields(field, static_cast<EncoderOptions&>(o));
  fields(field, static_cast<LabelledSets&>(o));
  field("copies", o.copies, "random crops of each training picture whose features are kept, used in turn; 0: the centre alone",
        between(0, 1000));
  field("batch_size", o.batch_size, "features per step", at_least(1));
  field("epochs", o.epochs, "passes over the features", positive());
  field("rates", o.rates, "base learning rates that are tried side by side", not_empty(), positive());
  field("scaling", o.scaling, "linear: rate · batch / 256; sqrt: rate · √batch");
  field("momentum", o.momentum, "Nesterov's", between(0.0, 1.0));
  field("weight_decay", o.weight_decay, "L2, biases included", non_negative());
  field("logistic", o.logistic, "also fit a logistic regression to convergence, with this weight of its L2 on standardised features",
        non_negative());
}

struct NeighboursOptions : EncoderOptions, LabelledSets {
  ProbeChoice probe;
};

template <class Field>
void fields(Field& field, NeighboursOptions& o) {
  fields(field, static_cast<EncoderOptions&>(o));
  fields(field, static_cast<LabelledSets&>(o));
  fields(field, o.probe);
}

struct FeaturesOptions : EncoderOptions {
  std::filesystem::path out = "features.npz";
};

template <class Field>
void fields(Field& field, FeaturesOptions& o) {
  fields(field, static_cast<EncoderOptions&>(o));
  field("out", o.out, ".npz or .safetensors: features f32 [pictures, width], logits if there is a classifier, and files, UTF-8 lines");
}

inline void check(const FeaturesOptions& o, Problems& problems) {
  const auto ending = o.out.extension();
  if (ending != ".npz" && ending != ".safetensors") problems.add("out", "must end in .npz or .safetensors");
}

}  // namespace zoo::simclr
